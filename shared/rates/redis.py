"""Token buckets in Redis, asked for leases of up to 50 tokens: one question per call would cost 5/6 of local speed."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

import redis

from shared.errors import DependencyDown
from shared.rates.memory import MemoryRates
from shared.rates.port import NEVER_S, Taken

log = logging.getLogger(__name__)

# Takes what is wanted, or what there is if that is enough, or nothing. Negative: gives back. Redis' own clock, so that
# the clocks of several gateways do not matter.
_SCRIPT = """
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local capacity, refill, wanted, needed = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local tokens = tonumber(bucket[1]) or capacity
local at = tonumber(bucket[2]) or now
tokens = math.min(capacity, tokens + math.max(0, now - at) * refill)
local given = math.min(wanted, math.floor(tokens))
if wanted > 0 and given < needed then given = 0 end
tokens = math.min(capacity, tokens - given)
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.6f', now))
redis.call('EXPIRE', KEYS[1], tonumber(ARGV[5]))
return {given, string.format('%.6f', tokens)}
"""
_LEASE = 50
_IDLE_S = 0.5
_AWAY_S = 1.0
_WEEK_S = 7 * 86_400
_MOST_LEASES = 100_000


@dataclass(slots=True)
class _Lease:
    tokens: int
    used_at: float
    left: float
    capacity: int
    refill_per_s: float


class RedisRates:
    def __init__(self, url: str, prefix: str, timeout_s: float = 0.05) -> None:
        self._redis = redis.Redis.from_url(
            url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, retry=None, retry_on_timeout=False
        )
        self._script = self._redis.register_script(_SCRIPT)
        self._prefix = prefix
        self._leases: dict[str, _Lease] = {}
        self._lock = threading.Lock()
        self._local = MemoryRates()
        self._away_until = 0.0
        self._closed = threading.Event()
        self._returning: threading.Thread | None = None

    def take(self, key: str, n: int, *, capacity: int, refill_per_s: float) -> Taken:
        now = time.monotonic()
        with self._lock:
            lease = self._leases.get(key)
            held = lease.tokens if lease is not None else 0
            if lease is not None and held >= n:
                lease.tokens, lease.used_at = held - n, now
                return Taken(True, int(lease.left) + lease.tokens)
            if lease is not None:
                # Taken out while we ask for more, so that no other thread counts on it.
                lease.tokens = 0
        if now < self._away_until:
            return self._degraded(key, n, capacity, refill_per_s)
        # One lease is at most 1 % of the limit, so that other gateways are never starved by it.
        wanted = max(n - held, min(_LEASE, capacity // 100))
        try:
            given, left = self._ask(key, capacity, refill_per_s, wanted, n - held)
        except redis.RedisError as wrong:
            self._away_until = now + _AWAY_S
            log.warning("rates are counted in this process: %s", type(wrong).__name__)
            return self._degraded(key, n, capacity, refill_per_s)
        spare = held + given - n if given >= n - held else held
        self._keep(key, _Lease(spare, now, left, capacity, refill_per_s))
        if given >= n - held:
            return Taken(True, int(left) + spare)
        missing = n - held - left
        return Taken(False, int(left) + held, missing / refill_per_s if refill_per_s > 0 else NEVER_S)

    def _ask(self, key: str, capacity: int, refill_per_s: float, wanted: int, needed: int) -> tuple[int, float]:
        # A bucket that nobody touched until it is full is like none.
        life_s = min(_WEEK_S, int(capacity / refill_per_s) + 2) if refill_per_s > 0 else _WEEK_S
        answer: Any = self._script(
            keys=[f"{self._prefix}:rate:{key}"], args=[capacity, refill_per_s, wanted, needed, life_s]
        )
        return int(answer[0]), float(answer[1])

    def _keep(self, key: str, lease: _Lease) -> None:
        with self._lock:
            if key in self._leases:
                lease.tokens += self._leases[key].tokens
            elif len(self._leases) >= _MOST_LEASES:
                return
            self._leases[key] = lease
            if self._returning is None and not self._closed.is_set():
                self._returning = threading.Thread(target=self._return_idle, daemon=True, name="rate-leases")
                self._returning.start()

    def _return_idle(self) -> None:
        while not self._closed.wait(_IDLE_S):
            self._give_back(older_than_s=_IDLE_S)

    def _give_back(self, older_than_s: float) -> None:
        """Unused leases go back, so that another gateway can hand out their tokens."""
        before = time.monotonic() - older_than_s
        with self._lock:
            idle = {key: lease for key, lease in self._leases.items() if lease.used_at <= before}
            for key in idle:
                del self._leases[key]
        try:
            for key, lease in idle.items():
                if lease.tokens > 0:
                    self._ask(key, lease.capacity, lease.refill_per_s, -lease.tokens, 0)
        except redis.RedisError:
            # With Redis away its buckets are as good as forgotten; at most one lease a key is lost.
            return

    def _degraded(self, key: str, n: int, capacity: int, refill_per_s: float) -> Taken:
        taken = self._local.take(key, n, capacity=capacity, refill_per_s=refill_per_s)
        return Taken(taken.allowed, taken.remaining, taken.retry_after_s, degraded=True)

    def ping(self) -> str:
        try:
            self._redis.ping()
        except redis.RedisError as wrong:
            raise DependencyDown(dependency="redis") from wrong
        return "redis"

    def close(self) -> None:
        self._closed.set()
        if self._returning is not None:
            self._returning.join(timeout=5)
        self._give_back(older_than_s=0.0)
        self._redis.close()
