"""What searches teach: queries without a result, and which results are opened. Kept for 30 days, without who asked."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.gateway.store import search_record
from services.gateway.store.search_record import NOTHING
from shared.database import Database, utc_now
from shared.errors import BadInput
from shared.search import analysis

KEPT = timedelta(days=30)
LONGEST_TEXT, LONGEST_ENTRY = 80, 120
MOST_WAITING = 10_000
"""So many different lines wait for the database at most; with it away for long, more are not counted."""
READ_EVERY_S = 60.0
MOST_READ = 20_000
GAIN, SURE = 0.15, 5
"""The most that clicks can raise an entry, and how many clicks count as none: a few clicks move next to nothing."""
_ENTRY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,119}")
_PERSONAL = re.compile(r"\S+@\S+|\d{6,}")
"""Addresses and long numbers (telephone, identity card): never kept."""


@dataclass(frozen=True)
class Line:
    text: str
    entry: str | None
    times: int
    last_day: datetime


class Records:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._waiting: Counter[tuple[str, str]] = Counter()
        self._factors: Mapping[str, Mapping[str, float]] = {}
        self._read_at = float("-inf")
        self._forgot: datetime | None = None

    def missed(self, text: str) -> None:
        """A query found nothing."""
        self._count(text, NOTHING)

    def opened(self, text: str, entry: str) -> None:
        """The result `entry` of a query was opened. Raises `BadInput` for what cannot be an entry's id."""
        if not _ENTRY.fullmatch(entry):
            raise BadInput(errors={"id": ["这不是条目的 id / not the id of an entry"]})
        self._count(text, entry)

    def favoured(self, text: str) -> Mapping[str, float]:
        """Entries opened for this query -> a factor from 1 to 1 + `GAIN`, as read at most a minute ago."""
        return self._factors.get(kept_text(text), {})

    def turn(self) -> None:
        """Stores what was counted, forgets what is old, reads what is there. Raises what the database raises."""
        today = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
        with self._lock:
            waiting, self._waiting = self._waiting, Counter()
        if waiting or self._forgot != today:
            try:
                with self._database.write() as session:
                    if waiting:
                        search_record.add(session, today, waiting)
                    search_record.forget(session, today - KEPT)
            except BaseException:
                with self._lock:
                    self._waiting.update(waiting)
                raise
            self._forgot = today
        if time.monotonic() - self._read_at > READ_EVERY_S:
            self._factors = factors(self.clicks(MOST_READ))
            self._read_at = time.monotonic()

    def misses(self, limit: int) -> list[Line]:
        return self._listed(limit, nothing=True)

    def clicks(self, limit: int) -> list[Line]:
        return self._listed(limit, nothing=False)

    def _listed(self, limit: int, *, nothing: bool) -> list[Line]:
        with self._database.read() as session:
            found = search_record.listed(session, nothing=nothing, limit=limit)
        return [Line(text, None if nothing else entry, times, day) for text, entry, times, day in found]

    def _count(self, text: str, entry: str) -> None:
        plain = kept_text(text)
        if not plain:
            return
        with self._lock:
            if len(self._waiting) < MOST_WAITING or (plain, entry) in self._waiting:
                self._waiting[plain, entry] += 1


def kept_text(text: str) -> str:
    """A query as it is kept: normalised, short, without what could name a person."""
    return _PERSONAL.sub("…", " ".join(analysis.normalise(text).split()))[:LONGEST_TEXT]


def factors(clicks: Iterable[Line]) -> dict[str, dict[str, float]]:
    """Query -> entry -> factor: an entry's share of the clicks, with `SURE` more clicks than there were."""
    by_text: dict[str, dict[str, int]] = {}
    for line in clicks:
        if line.entry is not None:
            by_text.setdefault(line.text, {})[line.entry] = line.times
    return {
        text: {entry: 1 + GAIN * times / (sum(entries.values()) + SURE) for entry, times in entries.items()}
        for text, entries in by_text.items()
    }
