"""What a job computes of a release, counted by the rule of the runner: the job is one call, each of its rows a row.

For the worker alone: it computes with numpy.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.orm import Session

from services.models.errors import BadInstances
from services.models.inference.counts import Counts
from services.models.inference.endpoints import Endpoints
from services.models.inference.observed import Observed, all_of, count
from services.models.inference.predict import predict
from services.models.inference.release import LoadedRelease, ReleaseFolder
from services.models.logic import observations
from shared.errors import Busy, Refused
from shared.jobs import JobRun, LeaseLost
from shared.jobs.job import CancelAsked, HandBackAsked

log = logging.getLogger(__name__)


class JobCounts:
    """Counts of one attempt of a job, which computes with one release."""

    def __init__(self, job_id: str, source: str) -> None:
        self._job_id, self._source = job_id, source
        self._observed: Observed | None = None
        self._asked: Counts | None = None

    def predict(self, release: LoadedRelease, request: Any, language: str) -> dict[str, Any]:
        """As the friendly call, its rows counted."""
        observed = self._observed
        if observed is None:
            observed = self._observed = Observed(release)
            observed.calls = 1
        release.seen, release.seen_whole = observed.seen, True
        with _blame(observed):
            answer = predict(release, request, language)
        if release.tool is None:
            count(observed, all_of(observed.seen))
        else:
            # A tool has no matrix to look at.
            observed.rows += len(answer["predictions"])
            observed.outside += sum(not each["in_range"] for each in answer["predictions"])
        return answer

    def ask(self, endpoints: Endpoints, about: ReleaseFolder, request: Any, language: str) -> dict[str, Any]:
        """As the friendly call of a provider's own service, its rows counted."""
        if self._asked is None:
            self._asked = Counts(about.name, about.version, about.reference)
            self._asked.calls = 1
        with _blame(self._asked):
            return endpoints.predict(about, request, self._job_id, language, self._asked)

    def keep(self, session: Session, *, ended: bool = True) -> None:
        """Stores them; nothing when nothing was computed."""
        counts = self._observed or self._asked
        if counts is not None:
            observations.keep_job(session, self._job_id, counts.as_json(), self._source, ended=ended)


@contextmanager
def _blame(counts: Counts) -> Iterator[None]:
    """What fails is an error of the release, but for a caller's mistake and for want of room."""
    try:
        yield
    except (BadInstances, Busy):
        raise
    except Exception:
        counts.errors = 1
        raise


@contextmanager
def counting(run: JobRun, source: str) -> Iterator[JobCounts]:
    """Counts of a job, which the block stores with the job's end. One that fails is stored here; one that was cancelled
    or is another attempt's by now is not."""
    counts = JobCounts(run.job.id, source)
    try:
        yield counts
    except (CancelAsked, HandBackAsked, LeaseLost):
        raise
    except Exception:
        try:
            with run.jobs.database.write() as session:
                counts.keep(session, ended=False)
        except Refused as refused:
            log.warning("the failed job %s is not counted: %s", run.job.id, refused)
        raise
