"""Token buckets in this process's memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from shared.rates.port import Taken

_MOST_BUCKETS = 100_000


class MemoryRates:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, list[float]] = {}
        self._lock = threading.Lock()

    def take(self, key: str, n: int, *, capacity: int, refill_per_s: float) -> Taken:
        now = self._clock()
        with self._lock:
            bucket = self._buckets.get(key)
            if bucket is None:
                if len(self._buckets) >= _MOST_BUCKETS:
                    self._forget_the_full(now)
                bucket = self._buckets[key] = [float(capacity), now]
            tokens = min(float(capacity), bucket[0] + (now - bucket[1]) * refill_per_s)
            bucket[1] = now
            if tokens >= n:
                bucket[0] = tokens - n
                return Taken(True, int(tokens - n))
            bucket[0] = tokens
            wait = (n - tokens) / refill_per_s if refill_per_s > 0 else 3600.0
            return Taken(False, int(tokens), wait)

    def _forget_the_full(self, now: float) -> None:
        """A bucket not touched for ten minutes is as good as full."""
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if now - bucket[1] < 600}
        if len(self._buckets) >= _MOST_BUCKETS:
            self._buckets.clear()

    def ping(self) -> str:
        return f"{len(self._buckets)} buckets"

    def close(self) -> None:
        self._buckets.clear()
