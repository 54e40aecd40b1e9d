"""Admission of pages: so many in work at once, so many a second per address and in all, the rest gets 503 in a blink.

Pages and inference share one interpreter. Without a limit a flood of pages left inference 0.09 of its rate, whatever
the size of the pool; paced pages cost it almost nothing.
"""

from __future__ import annotations

from shared.errors import Busy, Refused
from shared.http.call import Call
from shared.rates import MemoryRates
from shared.settings import Settings

_FREE = ("/healthz", "/static/", "/internal/")


class Admission:
    def __init__(self, settings: Settings) -> None:
        self._rates = MemoryRates()
        self._total = settings.pages_per_second
        self._each = settings.pages_per_second_per_address
        self._most = settings.page_limit_total
        self._in_work = 0

    def enter(self, call: Call) -> Refused | None:
        """Lets the page in until `call.end()`, or says why not."""
        if call.path.startswith(_FREE):
            return None
        if self._in_work >= self._most:
            return Busy(what="页面 / pages", retry_after_s=1)
        each = self._rates.take(call.address, 1, capacity=self._each, refill_per_s=self._each)
        if not each.allowed:
            return Busy(what="页面 / pages", retry_after_s=1)
        total = self._rates.take("*", 1, capacity=self._total, refill_per_s=self._total)
        if not total.allowed:
            return Busy(what="页面 / pages", retry_after_s=1)
        self._in_work += 1
        call.at_end(self._leave)
        return None

    def _leave(self) -> None:
        self._in_work -= 1
