"""Pages that read the same for everybody, kept for a moment: a thousand visitors of one page cost one rendering.

Only what an app marks with `SHARED_FOR` is kept, and only for callers that show no identity of any kind: no key, no
guest's cookie, no header that an app may read one from. The time is short (the app says it, seconds), and every write
through this server empties it, so that nobody misses their own change.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass

from shared.http.call import Call
from shared.identity import GUEST_COOKIE

SHARED_FOR = "x-zhigai-shared-for"
"""Response header between an app and this server: for how many seconds the page is everybody's. Never sent on."""
MOST_BYTES = 32 * 1024 * 1024
LARGEST_PAGE = 512 * 1024
_LONGEST_KEY = 2048
_PLAIN_X = ("x-request-id", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip")
_VARY = ("host", "accept", "accept-language")


@dataclass(frozen=True, slots=True)
class KeptPage:
    pairs: tuple[tuple[str, str], ...]
    body: bytes
    until: float


class PageCache:
    """Used on the event loop only."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._pages: OrderedDict[str, KeptPage] = OrderedDict()
        self._bytes = 0
        self._emptied = 0

    @property
    def generation(self) -> int:
        """Grows with each write; a page whose rendering began before the last one is not kept."""
        return self._emptied

    @staticmethod
    def key_of(call: Call) -> str:
        """Empty when the call may not share an answer."""
        headers = call.headers
        if call.method != "GET" or "authorization" in headers or GUEST_COOKIE in headers.get("cookie", ""):
            return ""
        # Keys, guests and whatever else an app may read from a header of its own.
        if any(name.startswith("x-") and name not in _PLAIN_X for name in headers):
            return ""
        key = "\n".join((call.path, call.query, *(headers.get(name, "") for name in _VARY)))
        return key if len(key) <= _LONGEST_KEY else ""

    def find(self, key: str) -> KeptPage | None:
        kept = self._pages.get(key) if key else None
        if kept is not None and kept.until < time.monotonic():
            self._drop(key)
            return None
        return kept

    def keep(self, key: str, pairs: list[tuple[str, str]], body: bytes, seconds: float, generation: int) -> None:
        if not key or generation != self._emptied or len(body) > LARGEST_PAGE:
            return
        if key in self._pages:
            self._drop(key)
        self._pages[key] = KeptPage(tuple(pairs), body, time.monotonic() + seconds)
        self._bytes += len(body)
        while self._bytes > self._most_bytes:
            self._drop(next(iter(self._pages)))

    def empty(self) -> None:
        self._pages.clear()
        self._bytes = 0
        self._emptied += 1

    def _drop(self, key: str) -> None:
        self._bytes -= len(self._pages.pop(key).body)


def seconds_shared(pairs: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], float]:
    """The headers without the mark, and its seconds; 0 when the page is not everybody's."""
    seconds = 0.0
    rest = []
    for name, value in pairs:
        if name == SHARED_FOR:
            seconds = float(value)
        else:
            rest.append((name, value))
    return rest, 0.0 if any(name == "set-cookie" for name, _ in rest) else seconds
