"""A guard before an upstream: a breaker for one that is dead, a bulkhead for one that is slow. It never waits.

Five failures in a row open it, or five calls that have stood for two seconds while nothing was answered. It is closed
by a probe from outside, never by trying a caller's request.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import islice

from shared.errors import Busy, DependencyDown, Refused
from shared.http.call import Call

FAILURES = 5
STALLED_S = 2.0
SLOW_S = 0.5
HARD_FAILURES = frozenset({500, 502, 504})


class Guard:
    def __init__(
        self, name: str, *, most: int, when_slow: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`most` calls at once at all; only `when_slow` of them once the oldest has waited for half a second.

        Without `when_slow` calls are expected to take long, so that neither slowness nor standing still is judged.
        """
        self.name = name
        self._most, self._when_slow, self._clock = most, when_slow, clock
        self._lock = threading.Lock()
        self._waiting: dict[int, float] = {}
        """Calls whose answer has not begun, oldest first."""
        self._inside = 0
        self._failures = 0
        self._answered_at = clock()
        self._open = False

    @property
    def is_open(self) -> bool:
        return self._open

    def enter(self, call: Call) -> Refused | None:
        now = self._clock()
        with self._lock:
            if self._open:
                return DependencyDown(dependency=self.name, retry_after_s=1)
            if self._stands_still(now):
                self._open = True
                return DependencyDown(dependency=self.name, retry_after_s=1)
            if self._inside >= self._most or self._is_slow(now):
                return Busy(what=self.name, retry_after_s=1)
            self._inside += 1
            self._waiting[id(call)] = now
        return None

    def answered(self, call: Call, *, ok: bool) -> None:
        """The head of the answer is there, or it is known that none comes."""
        with self._lock:
            if self._waiting.pop(id(call), None) is None:
                return
            if ok:
                self._failures = 0
                self._answered_at = self._clock()
                return
            self._failures += 1
            self._open = self._open or self._failures >= FAILURES

    def leave(self, call: Call) -> None:
        """The call is over. One that nobody judged is judged by its status; 0 says that the client hung up."""
        if id(call) in self._waiting:
            if call.status:
                self.answered(call, ok=call.status not in HARD_FAILURES)
            else:
                self._waiting.pop(id(call), None)
        with self._lock:
            self._inside -= 1

    def close(self) -> None:
        """A probe was answered."""
        with self._lock:
            self._open = False
            self._failures = 0
            self._answered_at = self._clock()

    def _oldest(self, number: int) -> float | None:
        """Since when the oldest `number` calls have all been waiting; None when there are fewer."""
        if len(self._waiting) < number:
            return None
        return next(islice(self._waiting.values(), number - 1, None))

    def _stands_still(self, now: float) -> bool:
        if self._when_slow is None:
            return False
        since = self._oldest(FAILURES)
        return since is not None and now - since > STALLED_S and now - self._answered_at > STALLED_S

    def _is_slow(self, now: float) -> bool:
        if self._when_slow is None or len(self._waiting) < self._when_slow:
            return False
        since = self._oldest(1)
        return since is not None and now - since > SLOW_S
