"""One turn of a worker: claim, attempt, settle. Retrying is core; Celery knows none of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from shared.database.rows import utc_now
from shared.errors import Refused
from shared.fields import LANGUAGES
from shared.jobs.job import (
    CancelAsked,
    Cancelled,
    Claim,
    Done,
    Failed,
    HandBackAsked,
    Job,
    LeaseLost,
    Outcome,
    Retry,
    Worded,
)
from shared.jobs.store import Jobs
from shared.problems import PROBLEMS, ProblemTable

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 8
"""For refusals that may pass (busy, a dependency away): with pauses of 2 to 60 s that is about three minutes."""
LONGEST_PAUSE_S = 60.0


class JobRun:
    """What a handler gets: the job, a way to say how far it is, and a way to be done together with the effect."""

    def __init__(self, jobs: Jobs, claim: Claim, lease_s: float, stopping: Callable[[], bool]) -> None:
        self.job: Job = claim.job
        self.jobs = jobs
        self.finished: Done | None = None
        self._claim, self._lease_s, self._stopping = claim, lease_s, stopping
        self._stopped = threading.Event()
        self._said = (claim.job.progress, claim.job.message)

    @property
    def args(self) -> Mapping[str, Any]:
        return self.job.args

    def progress(self, fraction: float, message: str = "") -> None:
        """Says how far the work is and keeps the lease. What it raises to stop the attempt is to be let pass."""
        self._said = (fraction, message)
        if self._stopping():
            raise HandBackAsked
        if self._stopped.is_set() or not self.extend():
            raise CancelAsked

    def extend(self) -> bool:
        """Keeps the lease. False when the attempt is to stop."""
        alive = self.jobs.extend(self._claim, utc_now(), self._lease_s, *self._said)
        if not alive:
            self._stopped.set()
        return alive

    @contextmanager
    def finish(self, result: Any = None) -> Iterator[Session]:
        """A transaction for the effect and for the job being done, both or neither: so the effect happens once.

        `result` is read at the end of the block. Raises `LeaseLost`, with everything undone, when another attempt has
        the job by now. An effect outside the database must bear being repeated; give it the job's id as its key.
        """
        with self.jobs.database.write() as session:
            yield session
            self.jobs.finish(session, self._claim, result, utc_now())
        self.finished = Done(result)


Handler = Callable[[JobRun], Any]
"""Does the work and returns the result as JSON. Idempotent: a worker that dies is followed by another attempt."""


def turn(
    jobs: Jobs,
    handlers: Mapping[str, Handler],
    now: datetime | None = None,
    lease_s: float = 60.0,
    problems: ProblemTable | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> Outcome | None:
    """Does one job, or returns None when none is due. `stopping`: whether the worker is asked to end.

    `now` stands still for the whole turn when it is given: tests turn by hand.
    """

    def clock() -> datetime:
        return now or utc_now()

    claim = jobs.claim(clock(), lease_s)
    if claim is None:
        return None
    run = JobRun(jobs, claim, lease_s, stopping)
    outcome = _attempt(run, handlers, problems or ProblemTable(PROBLEMS), clock)
    if run.finished is not None:
        return run.finished
    if not jobs.settle(claim, outcome, clock()):
        log.warning("job %s: lease of attempt %s lost, its next attempt decides", claim.job.id, claim.attempt)
    return outcome


def _attempt(
    run: JobRun, handlers: Mapping[str, Handler], problems: ProblemTable, clock: Callable[[], datetime]
) -> Outcome:
    job = run.job
    handler = handlers.get(job.kind)
    if handler is None:
        log.error("job %s: no handler for kind %s", job.id, job.kind)
        return Failed(_worded(KeyError(job.kind), problems, job))
    with _Heartbeat(run, run._lease_s):
        try:
            return Done(handler(run))
        except (CancelAsked, LeaseLost):
            return Cancelled()
        except HandBackAsked:
            return Retry(clock())
        except Refused as refused:
            if hasattr(refused, "retry_after_s") and job.attempt < MAX_ATTEMPTS:
                pause = timedelta(seconds=min(LONGEST_PAUSE_S, 2.0**job.attempt))
                return Retry(clock() + pause, type(refused).__name__)
            return Failed(_worded(refused, problems, job))
        except Exception as wrong:
            log.exception("job %s (%s) failed", job.id, job.kind)
            return Failed(_worded(wrong, problems, job))


def _worded(wrong: BaseException, problems: ProblemTable, job: Job) -> Worded:
    return {language: problems.problem(wrong, language=language, request_id=job.id).body for language in LANGUAGES}


class _Heartbeat:
    """Extends the lease from a thread, for handlers that say nothing for long."""

    def __init__(self, run: JobRun, lease_s: float) -> None:
        self._run_of_job, self._lease_s = run, lease_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name=f"lease-{run.job.id}")

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(timeout=5)

    def _beat(self) -> None:
        while not self._ended.wait(self._lease_s / 3):
            try:
                if not self._run_of_job.extend():
                    return
            except Refused:
                # The database is away for a moment; the lease has two thirds left.
                continue
