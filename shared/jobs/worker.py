"""The worker: turns jobs of all services until there are none, or for as long as it runs."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from shared.database.rows import utc_now
from shared.errors import Refused
from shared.jobs.bell.child_process import only_worker
from shared.jobs.store import Jobs
from shared.jobs.turn import Handler, turn
from shared.problems import ProblemTable
from shared.settings import Settings

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.2
SWEEP_EVERY_S = 1.0
UNHEARD_S = 4.0
"""A job due for this long has a bell that no worker heard: Redis is away, or its consumers went deaf."""


@dataclass(frozen=True)
class Work:
    """One service's jobs, and what does them."""

    service: str
    jobs: Jobs
    handlers: Mapping[str, Handler]
    problems: ProblemTable | None = None
    """The service's own sentences for refusals; the common ones when it has none."""


def until_idle(settings: Settings, works: Sequence[Work]) -> None:
    """The worker of one machine: ends after `worker_idle_s` without work, or at once when another runs in this home."""
    with only_worker(settings.home) as alone:
        if not alone:
            return
        stop = _stop_on_signal()
        idle_since = time.monotonic()
        while not stop.is_set():
            if one_round(works, settings.job_lease_s, stop.is_set):
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since > settings.worker_idle_s:
                return
            else:
                stop.wait(LOOK_EVERY_S)


def one_round(works: Sequence[Work], lease_s: float, stopping: Callable[[], bool] = lambda: False) -> int:
    """Reaps and does at most one job of each service. How many were done."""
    done = 0
    for work in works:
        if stopping():
            return done
        try:
            work.jobs.reap(utc_now())
            if turn(work.jobs, work.handlers, lease_s=lease_s, problems=work.problems, stopping=stopping) is not None:
                done += 1
        except Refused as refused:
            # What was in work keeps its lease until that runs out, and is then tried again.
            log.warning("the worker waits for %s: %s", work.service, refused)
            time.sleep(0.5)
        except Exception:
            # Nothing that one service's tables or code do ends the work of the others.
            log.exception("the worker failed at the jobs of %s and goes on", work.service)
            time.sleep(0.5)
    return done


def with_celery(settings: Settings, works: Sequence[Work]) -> None:
    """A worker of several: Celery rings and threads turn. Beside it a sweeper, and a listener for unheard bells."""
    from celery import signals

    from shared.jobs.bell.celery import celery_app

    stop = threading.Event()

    def on_ring(_job_id: str) -> None:
        # One ring empties the queue, so that each of the others may be lost.
        while not stop.is_set() and one_round(works, settings.job_lease_s, stop.is_set):
            continue

    def unheard() -> None:
        for work in works:
            while work.jobs.overdue(utc_now(), UNHEARD_S) and one_round([work], settings.job_lease_s, stop.is_set):
                continue

    app = celery_app(settings, on_ring)
    sweeping = [_Every(SWEEP_EVERY_S, lambda: sweep([work.jobs for work in works])), _Every(SWEEP_EVERY_S, unheard)]

    def end(**_: object) -> None:
        stop.set()

    signals.worker_shutting_down.connect(end, weak=False)
    try:
        app.worker_main(
            ["worker", "--pool=threads", "--concurrency=2", "--loglevel=warning", "--without-gossip",
             "--without-mingle", "--without-heartbeat"]
        )  # fmt: skip
    finally:
        stop.set()
        for each in sweeping:
            each.stop()


def sweep(jobs: Sequence[Jobs]) -> None:
    """Leases that ran out go back to the queue; bells that were lost are rung again."""
    for each in jobs:
        each.reap(utc_now())
        each.ring_again(utc_now())


def start_sweeper(jobs: Sequence[Jobs], settings: Settings) -> Callable[[], None]:
    """In the serving process of one machine: rings again for what a dead worker left. Returns what stops it."""
    return _Every(SWEEP_EVERY_S, lambda: sweep(jobs)).stop


class _Every:
    """Does something again and again in a thread, whatever it raises."""

    def __init__(self, seconds: float, act: Callable[[], None]) -> None:
        self._seconds, self._act = seconds, act
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="jobs-sweeper")
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(self._seconds):
            try:
                self._act()
            except Refused as refused:
                log.warning("the sweeper waits: %s", refused)
            except Exception:
                log.exception("the sweeper failed and goes on")

    def stop(self) -> None:
        self._ended.set()
        self._thread.join(timeout=5)


def _stop_on_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
