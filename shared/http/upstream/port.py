"""The upstream port: a page of promises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Protocol

HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding",
     "upgrade", "proxy-connection", "expect"}
)  # fmt: skip
SPOKEN_FOR = ("x-zhigai-", "x-authenticated-", "x-forwarded-", "forwarded", "x-real-ip", "x-original-")
"""Identity and origin of a call are said by the platform alone; a client that says them is not heard."""


@dataclass(slots=True, kw_only=True)
class Request:
    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | IO[bytes] = b""
    body_length: int | None = None
    """Needed when `body` is a stream."""
    address: str = ""
    timeout_s: float = 30.0


@dataclass(slots=True, kw_only=True)
class Response:
    status: int
    headers: Mapping[str, str]
    """Without hop-by-hop headers; names as the upstream wrote them."""
    body: Iterator[bytes]
    """Streams. Closing it early tells the upstream to stop."""

    def read(self) -> bytes:
        try:
            return b"".join(self.body)
        finally:
            self.close()

    def close(self) -> None:
        close = getattr(self.body, "close", None)
        if close is not None:
            close()


class Upstream(Protocol):
    def call(self, request: Request) -> Response:
        """Sends the request and returns as soon as the answer's head is there.

        Raises `DependencyDown` when nobody answers, `UpstreamTimeout` after `timeout_s` without an answer. A body that
        breaks off raises `DependencyDown` from the iterator, never ends as if it were whole. Redirects are passed on.
        """
        ...

    def close(self) -> None: ...


def outside_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers of a client that may be passed on: no hop-by-hop ones, none that the platform speaks for.

    Underscores are read as hyphens first, since some servers fold one into the other, and what Connection names goes.
    """
    named = {part.strip().lower() for part in headers.get("connection", "").split(",") if part.strip()}
    return {
        name: value
        for name, value in headers.items()
        if (plain := name.lower().replace("_", "-")) not in HOP_BY_HOP
        and plain not in named
        and "_" not in name
        and not plain.startswith(SPOKEN_FOR)
        and plain not in ("host", "content-length")
    }
