"""Admission of pages: so many in work at once, so many a second, so much of the interpreter; the rest gets 503 in a blink.

Pages and inference share one interpreter. Without a limit a flood of pages left inference 0.09 of its rate, whatever
the size of the pool. Counting pages is not enough, since one may cost twenty times another: what bounds a flood is the
processor time that pages have taken.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from shared.errors import Busy
from shared.http.call import Call
from shared.rates import MemoryRates
from shared.settings import Settings

BURST_S = 1.5
"""Processor time that pages may take at once before their share bounds them."""
_FREE = ("/healthz", "/readyz", "/metrics", "/static/", "/internal/")


class Admission:
    """`by_address=False` behind a gateway: there every call comes from the same few addresses."""

    def __init__(self, settings: Settings, *, by_address: bool = True) -> None:
        self._rates = MemoryRates()
        self._total = settings.pages_per_second
        self._each = settings.pages_per_second_per_address if by_address else 0
        self._most = settings.page_limit_total
        self._in_work = 0
        self._share = settings.page_share_percent / 100
        self._seconds_left = BURST_S
        self._seen_at = time.monotonic()

    def spent(self, seconds: float) -> None:
        """Processor time that a page has taken; called by the threads that took it."""
        self._seconds_left -= seconds

    def enter(self, call: Call) -> None:
        """Lets a page whose body is there into the pool, until `call.end()`. Raises `Busy`.

        Not sooner: clients that send half a body would hold all places.
        """
        if call.path.startswith(_FREE):
            return
        if self._in_work >= self._most:
            raise Busy(what="页面 / pages", retry_after_s=1)
        self._in_work += 1
        call.at_end(self._leave)

    def count(self, call: Call) -> None:
        """Counts a call towards the rates. Raises `Busy`."""
        if call.path.startswith(_FREE):
            return
        now = time.monotonic()
        self._seconds_left = min(BURST_S, self._seconds_left + (now - self._seen_at) * self._share)
        self._seen_at = now
        if self._seconds_left <= 0:
            raise Busy(what="页面 / pages", retry_after_s=1)
        if self._each and not self._rates.take(call.address, 1, capacity=self._each, refill_per_s=self._each).allowed:
            raise Busy(what="页面 / pages", retry_after_s=1)
        if not self._rates.take("*", 1, capacity=self._total, refill_per_s=self._total).allowed:
            raise Busy(what="页面 / pages", retry_after_s=1)

    def _leave(self) -> None:
        self._in_work -= 1


class BytesHeld:
    """How much of the bodies that are arriving, or being worked on, is held in memory and on disk; bounded in total."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.now = 0

    def account(self, call: Call) -> Callable[[int], None]:
        """Counts the bytes of one call until `call.end()`; what is returned raises `Busy` when all hold too much."""
        held = 0

        def hold(size: int) -> None:
            nonlocal held
            if self.now + size > self._limit:
                raise Busy(what="上传 / uploads", retry_after_s=2)
            self.now += size
            held += size

        def let_go() -> None:
            self.now -= held

        call.at_end(let_go)
        return hold
