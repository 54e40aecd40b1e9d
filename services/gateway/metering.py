"""Counting calls in memory, by key and route class, until a flush stores them."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

from prometheus_client import Histogram

from shared import telemetry

NOBODY = "-"
"""Stands for callers without a key."""


@dataclass(frozen=True, slots=True)
class Counted:
    calls: int
    """Answered with 2xx."""
    errors: int
    """Answered with 4xx or 5xx."""


class Meter:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[tuple[str, str]] = Counter()
        self._errors: Counter[tuple[str, str]] = Counter()
        self._statuses: Counter[tuple[str, int]] = Counter()
        self._seconds: dict[str, Histogram] = {}

    def count(self, key_id: str, route: str, status: int, seconds: float) -> None:
        with self._lock:
            if 200 <= status < 300:
                self._calls[key_id, route] += 1
            elif status >= 400:
                self._errors[key_id, route] += 1
            self._statuses[route, status] += 1
        found = self._seconds.get(route)
        if found is None:
            found = self._seconds[route] = telemetry.SECONDS.labels("edge", route)
        found.observe(seconds)

    def take(self) -> dict[tuple[str, str], Counted]:
        """Everything counted since the last time, by (key id, route)."""
        with self._lock:
            calls, self._calls = self._calls, Counter()
            errors, self._errors = self._errors, Counter()
            statuses, self._statuses = self._statuses, Counter()
        for (route, status), number in statuses.items():
            telemetry.REQUESTS.labels("edge", route, status).inc(number)
        return {name: Counted(calls[name], errors[name]) for name in calls.keys() | errors.keys()}

    def pending(self, key_id: str) -> int:
        with self._lock:
            return sum(number for (key, _), number in self._calls.items() if key == key_id)
