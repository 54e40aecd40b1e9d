"""Admission of pages: so many in work at once, so many a second per address and in all, the rest gets 503 in a blink.

Pages and inference share one interpreter. Without a limit a flood of pages left inference 0.09 of its rate, whatever
the size of the pool; paced pages cost it almost nothing.
"""

from __future__ import annotations

from shared.errors import Busy
from shared.http.call import Call
from shared.rates import MemoryRates
from shared.settings import Settings

_FREE = ("/healthz", "/static/", "/internal/")


class Admission:
    """`by_address=False` behind a gateway: there every call comes from the same few addresses."""

    def __init__(self, settings: Settings, *, by_address: bool = True) -> None:
        self._rates = MemoryRates()
        self._total = settings.pages_per_second
        self._each = settings.pages_per_second_per_address if by_address else 0
        self._most = settings.page_limit_total
        self._in_work = 0

    def enter(self, call: Call) -> None:
        """Lets the page in until `call.end()`. Raises `Busy`."""
        if call.path.startswith(_FREE):
            return
        if self._in_work >= self._most:
            raise Busy(what="页面 / pages", retry_after_s=1)
        self.count(call)
        self._in_work += 1
        call.at_end(self._leave)

    def count(self, call: Call) -> None:
        """Counts a call towards the rates only, for one that waits without a thread. Raises `Busy`."""
        if self._each and not self._rates.take(call.address, 1, capacity=self._each, refill_per_s=self._each).allowed:
            raise Busy(what="页面 / pages", retry_after_s=1)
        if not self._rates.take("*", 1, capacity=self._total, refill_per_s=self._total).allowed:
            raise Busy(what="页面 / pages", retry_after_s=1)

    def _leave(self) -> None:
        self._in_work -= 1
