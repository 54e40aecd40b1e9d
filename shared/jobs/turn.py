"""One turn of a worker: claim, attempt, settle. Retrying is core; Celery knows none of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from shared.database.rows import utc_now
from shared.errors import Refused
from shared.jobs.job import CancelAsked, Cancelled, Claim, Done, Failed, JobRun, Outcome, Retry
from shared.jobs.store import Jobs
from shared.problems import PROBLEMS, ProblemTable

log = logging.getLogger(__name__)

Handler = Callable[[JobRun], Any]
"""Does the work and returns the result as JSON. Idempotent: a worker that dies is followed by another attempt."""

MAX_ATTEMPTS = 5


def turn(
    jobs: Jobs,
    handlers: Mapping[str, Handler],
    now: datetime | None = None,
    lease_s: float = 60.0,
    problems: ProblemTable | None = None,
) -> Outcome | None:
    """Does one job, or returns None when none is due."""
    claim = jobs.claim(now or utc_now(), lease_s)
    if claim is None:
        return None
    outcome = _attempt(jobs, claim, handlers, lease_s, problems or ProblemTable(PROBLEMS))
    if not jobs.settle(claim, outcome, utc_now()):
        log.warning("job %s: lease lost before it could be settled; its next attempt decides", claim.job.id)
    return outcome


def _attempt(
    jobs: Jobs, claim: Claim, handlers: Mapping[str, Handler], lease_s: float, problems: ProblemTable
) -> Outcome:
    handler = handlers.get(claim.job.kind)
    if handler is None:
        return Failed({"type": "/problems/unknown-job", "title": "unknown job", "detail": claim.job.kind})
    stop, said = threading.Event(), {"progress": claim.job.progress, "message": claim.job.message}

    def progress(fraction: float, message: str = "") -> None:
        said.update(progress=fraction, message=message)
        if stop.is_set() or not jobs.extend(claim, utc_now(), lease_s, fraction, message):
            stop.set()
            raise CancelAsked

    with _Heartbeat(jobs, claim, lease_s, stop, said):
        try:
            return Done(handler(JobRun(claim.job, progress)))
        except CancelAsked:
            return Cancelled()
        except Refused as refused:
            if problems.row_of(refused) is not None and _passing(refused) and claim.attempt < MAX_ATTEMPTS:
                return Retry(utc_now() + timedelta(seconds=2**claim.attempt), str(refused)[:300])
            return Failed(problems.problem(refused, language="zh", request_id=claim.job.id).body)
        except Exception as wrong:
            log.exception("job %s failed", claim.job.id)
            return Failed(problems.problem(wrong, language="zh", request_id=claim.job.id).body)


def _passing(refused: Refused) -> bool:
    return hasattr(refused, "retry_after_s")


class _Heartbeat:
    """Extends the lease from a thread, for handlers that say nothing for long."""

    def __init__(
        self, jobs: Jobs, claim: Claim, lease_s: float, stop: threading.Event, said: Mapping[str, Any]
    ) -> None:
        self._jobs, self._claim, self._lease_s, self._stop, self._said = jobs, claim, lease_s, stop, said
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"lease-{claim.job.id}")

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._ended.wait(self._lease_s / 3):
            try:
                alive = self._jobs.extend(
                    self._claim, utc_now(), self._lease_s, self._said["progress"], self._said["message"]
                )
            except Refused:
                # The database is away for a moment; the lease has two thirds left.
                continue
            if not alive:
                self._stop.set()
                return
