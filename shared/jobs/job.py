"""The words of background work: a job as it stands, a claim on it, and how an attempt can end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.errors import Refused

STATES = ("queued", "running", "done", "failed", "cancelled", "dead")
OPEN = ("queued", "running")

Worded = Mapping[str, Mapping[str, Any]]
"""A problem body in each language: it is kept before anyone knows who will read it."""


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
    problem: Worded | None
    owner: str
    """The organisation or guest that submitted it; empty for the platform's own."""
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None = None

    @property
    def open(self) -> bool:
        return self.state in OPEN

    def as_json(self, language: str = "zh") -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind,
            "state": self.state,
            "progress": round(self.progress, 4),
            "message": self.message,
            "attempt": self.attempt,
            "result": self.result,
            "problem": None if self.problem is None else self.problem.get(language),
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
            "finished_at": self.finished_at.isoformat() if self.finished_at else None,
        }


@dataclass(frozen=True)
class Claim:
    """The right to work on a job until the lease runs out; the attempt number tells claims apart."""

    job: Job
    attempt: int
    lease_until: datetime


@dataclass(eq=False, kw_only=True)
class LeaseLost(Refused):
    """Another attempt has the job, or it was cancelled: what this attempt would write is undone."""

    job_id: str
    attempt: int


class CancelAsked(Exception):
    """The job is to stop, or another worker has it by now."""


class HandBackAsked(Exception):
    """The worker is ending: the job goes back to the queue at once."""


@dataclass(frozen=True)
class Done:
    result: Any = None


@dataclass(frozen=True)
class Retry:
    at: datetime
    message: str = ""


@dataclass(frozen=True)
class Failed:
    problem: Worded = field(default_factory=dict)


@dataclass(frozen=True)
class Cancelled:
    pass


Outcome = Done | Retry | Failed | Cancelled
