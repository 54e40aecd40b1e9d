"""The upstream port: a page of promises. Adapters stand in their own files; one contract suite runs on each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding",
     "upgrade", "proxy-connection", "expect"}
)  # fmt: skip
SPOKEN_FOR = ("x-zhigai-", "x-authenticated-", "x-forwarded-", "forwarded", "x-real-ip", "x-original-", "x-rewrite-")
"""Identity and origin of a call are said by the platform alone; a client that says them is not heard."""
_SAID_OTHERWISE = frozenset({"host", "content-length"})


class Readable(Protocol):
    """A request body that is read while it is sent."""

    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(slots=True, kw_only=True)
class Request:
    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Readable = b""
    body_length: int | None = None
    """Of a stream that announced its length; None for one that ends when it ends."""
    address: str = ""
    """Of the client; the service learns it as X-Forwarded-For or REMOTE_ADDR."""
    timeout_s: float = 30.0


@dataclass(slots=True, kw_only=True)
class Response:
    status: int
    headers: Mapping[str, str]
    """Without hop-by-hop headers; names as the upstream wrote them, of several with one name the values joined."""
    body: Iterator[bytes]
    """Streams: a part can be read as soon as the upstream has sent it."""
    _close: Callable[[], None] = lambda: None

    def read(self) -> bytes:
        """The whole rest of the body."""
        try:
            return b"".join(self.body)
        finally:
            self.close()

    def close(self) -> None:
        """Tells the upstream to stop, whether or not anything was read. Harmless to call twice."""
        self._close()


class Upstream(Protocol):
    def call(self, request: Request) -> Response:
        """Sends the request and returns as soon as the answer's head is there.

        Raises `DependencyDown` when nobody answers, `UpstreamTimeout` when no byte comes for `timeout_s` (a mounted
        service works in our thread, where nothing can cut it off), `BodyCut` when the request's body ends before its
        announced length: the service never takes such a body for a whole one. An answer that breaks off raises
        `DependencyDown` from the iterator, never ends as if it were whole. Hop-by-hop headers pass in neither
        direction. Redirects are passed on. Only GET and HEAD are ever sent twice, and only over a connection that
        turned out to be closed.
        """
        ...

    def close(self) -> None: ...


def outside_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers of a client that may be passed on: no hop-by-hop ones, none that the platform speaks for.

    Underscores are read as hyphens first, since some servers fold one into the other, and what Connection names goes.
    """
    return {
        name: value
        for name, value in end_to_end(headers).items()
        if "_" not in name and not name.lower().startswith(SPOKEN_FOR) and name.lower() not in _SAID_OTHERWISE
    }


def end_to_end(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers without those that belong to one connection, among them what its `Connection` header names."""
    named: set[str] = set()
    for name, value in headers.items():
        if name.lower() == "connection":
            named.update(part.strip().lower() for part in value.split(","))
    return {
        name: value
        for name, value in headers.items()
        if (plain := name.lower().replace("_", "-")) not in HOP_BY_HOP and plain not in named
    }
