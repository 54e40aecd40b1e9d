"""The words of background work: a job as it stands, a claim on it, and how an attempt can end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

STATES = ("queued", "running", "done", "failed", "cancelled", "dead")
OPEN = ("queued", "running")


@dataclass(frozen=True)
class Job:
    id: str
    kind: str
    args: Mapping[str, Any]
    state: str
    attempt: int
    progress: float
    message: str
    result: Any
    problem: Mapping[str, Any] | None
    organisation: str | None
    created_at: datetime
    updated_at: datetime

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind,
            "state": self.state,
            "progress": round(self.progress, 4),
            "message": self.message,
            "attempt": self.attempt,
            "result": self.result,
            "problem": self.problem,
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
        }


@dataclass(frozen=True)
class Claim:
    """The right to work on a job until the lease runs out; the attempt number tells claims apart."""

    job: Job
    attempt: int
    lease_until: datetime


@dataclass(frozen=True)
class JobRun:
    """What a handler gets. `progress` extends the lease and raises `CancelAsked` when the job is to stop."""

    job: Job
    progress: Callable[[float, str], None]

    @property
    def args(self) -> Mapping[str, Any]:
        return self.job.args


class CancelAsked(Exception):
    """The job is to stop, or another worker has it by now."""


@dataclass(frozen=True)
class Done:
    result: Any = None


@dataclass(frozen=True)
class Retry:
    at: datetime
    message: str = ""


@dataclass(frozen=True)
class Failed:
    problem: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Cancelled:
    pass


Outcome = Done | Retry | Failed | Cancelled
