"""Token buckets in this process's memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from shared.rates.port import NEVER_S, Taken

MOST_BUCKETS = 100_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float
    capacity: int
    refill_per_s: float

    def now_holds(self, now: float) -> float:
        return min(float(self.capacity), self.tokens + (now - self.at) * self.refill_per_s)


class MemoryRates:
    def __init__(self, clock: Callable[[], float] = time.monotonic, most_buckets: int = MOST_BUCKETS) -> None:
        self._clock, self._most = clock, most_buckets
        self._buckets: dict[str, _Bucket] = {}
        self._lock = threading.Lock()

    def take(self, key: str, n: int, *, capacity: int, refill_per_s: float) -> Taken:
        now = self._clock()
        with self._lock:
            bucket = self._buckets.get(key)
            if bucket is None:
                if len(self._buckets) >= self._most:
                    self._forget(now)
                bucket = self._buckets[key] = _Bucket(float(capacity), now, capacity, refill_per_s)
            bucket.capacity, bucket.refill_per_s = capacity, refill_per_s
            tokens = bucket.now_holds(now)
            allowed = tokens >= n
            bucket.tokens, bucket.at = (tokens - n if allowed else tokens), now
        if allowed:
            return Taken(True, int(tokens - n))
        return Taken(False, int(tokens), (n - tokens) / refill_per_s if refill_per_s > 0 else NEVER_S)

    def _forget(self, now: float) -> None:
        """A full bucket is like none. If too few are full the fullest go, never one that somebody has used up."""
        lacking = {key: bucket.capacity - bucket.now_holds(now) for key, bucket in self._buckets.items()}
        keep = sorted((key for key, lack in lacking.items() if lack > 0), key=lambda key: -lacking[key])
        self._buckets = {key: self._buckets[key] for key in keep[: self._most * 9 // 10]}

    def ping(self) -> str:
        return f"{len(self._buckets)} buckets"

    def close(self) -> None:
        self._buckets.clear()
