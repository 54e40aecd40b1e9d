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
from shared.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """One service's jobs, and what does them."""

    service: str
    jobs: Jobs
    handlers: Mapping[str, Handler]


def until_idle(settings: Settings, works: Sequence[Work]) -> None:
    """The child worker of one machine: ends after `worker_idle_s` without work, or at once when another runs."""
    with only_worker(settings.home) as alone:
        if not alone:
            return
        stop = _stop_on_signal()
        idle_since = time.monotonic()
        while not stop.is_set():
            if one_round(works, settings.job_lease_s):
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since > settings.worker_idle_s:
                return
            else:
                stop.wait(0.2)


def one_round(works: Sequence[Work], lease_s: float) -> int:
    """Reaps and does at most one job of each service. How many were done."""
    done = 0
    for work in works:
        try:
            work.jobs.reap(utc_now())
            if turn(work.jobs, work.handlers, lease_s=lease_s) is not None:
                done += 1
        except Refused as refused:
            log.warning("the worker waits for %s: %s", work.service, refused)
            time.sleep(0.5)
    return done


def with_celery(settings: Settings, works: Sequence[Work]) -> None:
    """A worker of several: Celery rings, threads turn; a sweeper beside it reaps and rings again for what was lost."""
    from shared.jobs.bell.celery import celery_app

    def on_ring(_job_id: str) -> None:
        while one_round(works, settings.job_lease_s):
            pass

    app = celery_app(settings, on_ring)
    stop = threading.Event()
    sweeper = threading.Thread(target=_sweep, args=(works, settings, stop), daemon=True, name="sweeper")
    sweeper.start()
    try:
        app.worker_main(
            ["worker", "--pool=threads", "--concurrency=2", "--loglevel=warning", "--without-gossip",
             "--without-mingle", "--without-heartbeat"]
        )  # fmt: skip
    finally:
        stop.set()


def _sweep(works: Sequence[Work], settings: Settings, stop: threading.Event) -> None:
    """Every second, with no help from Redis: leases that ran out, bells that were lost."""
    while not stop.wait(1.0):
        for work in works:
            try:
                work.jobs.reap(utc_now())
                if work.jobs.ring_again(utc_now()):
                    # Redis may be away for long; what waits is then done here.
                    one_round([work], settings.job_lease_s)
            except Refused as refused:
                log.warning("the sweeper waits for %s: %s", work.service, refused)
            except Exception:
                log.exception("the sweeper failed for %s and goes on", work.service)


def start_sweeper(jobs: Sequence[Jobs], settings: Settings) -> Callable[[], None]:
    """In the serving process of one machine: rings again for what a dead worker left. Returns what stops it."""
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(1.0):
            for each in jobs:
                try:
                    each.reap(utc_now())
                    each.ring_again(utc_now())
                except Exception:
                    log.exception("the sweeper failed and goes on")

    thread = threading.Thread(target=run, daemon=True, name="sweeper")
    thread.start()

    def end() -> None:
        stop.set()
        thread.join(timeout=5)

    return end


def _stop_on_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
