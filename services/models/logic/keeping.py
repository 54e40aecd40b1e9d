"""The thread that keeps the serving process in step with the rows, away from every call: where components stand, what
was published elsewhere, counts of the runners, alarms, webhooks that are due."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from services.models.inference.frames import OBSERVED, RELOAD, Reply
from services.models.inference.standing import Standings
from services.models.logic import alerts, lifecycle, monitoring, observations, publishing
from services.models.store.components import Component
from shared.blobs import Blobs
from shared.database import Database, utc_now
from shared.errors import Refused
from shared.identity import SYSTEM
from shared.jobs import Jobs

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
COLLECT_EVERY_S = 5.0
WEBHOOKS_EVERY_S = 15.0
ALARMS_EVERY_S = 600.0
FORGET_EVERY_S = 86_400.0
MOST_HELD = 100
"""Counts that are kept while the database is away."""


class Everywhere(Protocol):
    def everywhere(self, kind: int) -> list[Reply]: ...


class Keeper:
    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        jobs: Jobs,
        home: Path,
        standings: Standings,
        runners: Everywhere,
        counted_here: Callable[[], Mapping[str, Any]] | None = None,
    ) -> None:
        """`counted_here` takes away what this process counted by itself, beside its runners."""
        self._database, self._blobs, self._jobs, self._home = database, blobs, jobs, home
        self._standings, self._runners, self._counted_here = standings, runners, counted_here
        self._seen: Any = None
        self._stops: list[tuple[str, str]] = []
        self._taken: list[Mapping[str, Any]] = []
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._collecting = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._ended.clear()
        self._thread = threading.Thread(target=self._run, daemon=True, name="keeper")
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
            self._thread = None
        self._quietly(self.collect)

    def changed(self) -> None:
        """After a change in this process: the next call already sees it."""
        with self._lock:
            with self._database.read() as session:
                self._seen = session.execute(_NEWEST).one()
                found = lifecycle.standings(session)
            publishing.materialise(self._database, self._blobs, self._home)
            self._standings.take(found)
        self._runners.everywhere(RELOAD)

    def look(self) -> bool:
        """Takes over what changed since the last look, by whichever process. Whether anything did."""
        with self._database.read() as session:
            newest = session.execute(_NEWEST).one()
        if newest == self._seen:
            return False
        self.changed()
        return True

    def collect(self) -> int:
        """Counts of the runners, and of this process, become rows."""
        # One at a time: what two were storing at once would be counted twice.
        with self._collecting:
            # Held until they are stored: a runner gives its counts once.
            self._taken += taken_of(self._runners.everywhere(OBSERVED))
            if self._counted_here is not None:
                self._taken.append(self._counted_here())
            del self._taken[:-MOST_HELD]
            kept = observations.keep(self._database, self._taken, utc_now())
            self._taken.clear()
            return kept

    def stop_component(self, name: str, reason: str) -> None:
        """A component that crashes its runner; the row follows at the next look, since this may not wait."""
        self._stops.append((name, reason))

    def quarantine_now(self) -> None:
        while self._stops:
            name, reason = self._stops[0]
            if lifecycle.quarantine(self._database, name, reason):
                with self._database.write() as session:
                    alerts.raise_for(session, name, "crashed", {"reason": reason})
            self._stops.pop(0)

    def _run(self) -> None:
        duties: list[tuple[float, Callable[[], Any]]] = [
            (0.0, self.quarantine_now),
            (0.0, self.look),
            (COLLECT_EVERY_S, self.collect),
            (WEBHOOKS_EVERY_S, lambda: alerts.submit_due(self._database, self._jobs, SYSTEM, utc_now())),
            (ALARMS_EVERY_S, lambda: monitoring.raise_alarms(self._database)),
            (FORGET_EVERY_S, lambda: observations.forget_old(self._database)),
        ]
        due = [time.monotonic() + every for every, _ in duties]
        while not self._ended.wait(LOOK_EVERY_S):
            now = time.monotonic()
            for place, (every, act) in enumerate(duties):
                if now >= due[place]:
                    due[place] = now + every
                    self._quietly(act)

    @staticmethod
    def _quietly(act: Callable[[], Any]) -> None:
        try:
            act()
        except Refused as refused:
            log.warning("the keeper waits: %s", refused)
        except Exception:
            log.exception("the keeper failed and goes on")


_NEWEST = sa.select(sa.func.count(), sa.func.max(Component.updated_at), sa.func.sum(Component.version))


def taken_of(replies: Iterable[Reply]) -> list[Mapping[str, Any]]:
    return [json.loads(reply.body) for reply in replies if reply.status == 200]
