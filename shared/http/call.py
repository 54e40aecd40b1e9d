"""A call as policy sees it, on the event loop and in threads alike; and the answer that goes back.

Policy steps are plain functions over a `Call`. They may refuse, they never wait, and a step that takes something
registers its release with `at_end`, run in reverse order, each once, whatever happened.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from shared.errors import Refused
from shared.identity import ANONYMOUS, Principal

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Call:
    method: str
    path: str
    headers: Mapping[str, str]
    """Lower-case names; of a name given twice the values are joined by a comma, as HTTP allows."""
    address: str
    query: str = ""
    request_id: str = ""
    body_length: int | None = None
    """As declared; None when the body is chunked."""
    principal: Principal = ANONYMOUS
    principal_token: str = ""
    """The signed principal for the service behind, once a policy step has identified the caller."""
    route: str = ""
    """Route class for limits and metering, such as `read`, `search`, `predict`, `write`."""
    upstream: str = ""
    answer_headers: dict[str, str] = field(default_factory=dict)
    """Headers that policy adds to whatever answer follows (limits, deprecation)."""
    status: int = 0
    """Set before `end`, so that metering and breakers see how the call went."""
    _ends: list[Callable[[], None]] = field(default_factory=list)

    def at_end(self, release: Callable[[], None]) -> None:
        self._ends.append(release)

    def end(self) -> None:
        """Runs the releases in reverse. One that fails is logged and the others still run. Harmless to call twice."""
        while self._ends:
            release = self._ends.pop()
            try:
                release()
            except Exception:
                log.exception("a policy step's release failed")


@dataclass(slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes | AsyncIterator[bytes] = b""


Admit = Callable[[Call], Refused | None]
"""Policy as an argument: fills the call's principal and headers, or says why not."""

ReadBody = Callable[[], Awaitable[bytes]]
"""Gives the whole body within the server's limits, or raises `Refused` (cut short, too large, too slow)."""


class HotRoute(Protocol):
    """A route answered on the event loop, beside the Flask apps."""

    def wants(self, method: str, path: str) -> bool:
        """Whether this call is ours. Cheap: asked for every request."""
        ...

    async def answer(self, call: Call, body: ReadBody) -> Answer:
        """Answers the call. Whatever is raised becomes a problem; the server runs `call.end()` in every case."""
        ...
