"""A service at another address, over HTTP with a keep-alive pool (urllib3)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, ProtocolError, TimeoutError

from shared.errors import BodyCut, DependencyDown, UpstreamTimeout
from shared.http.upstream.body import body_of, parts_of
from shared.http.upstream.port import Request, Response, end_to_end

CHUNK = 64 * 1024
CONNECT_S = 2.0
CONNECTIONS = 32


class HttpUpstream:
    def __init__(self, name: str, url: str) -> None:
        self._name = name
        # Neither redirects nor proxies of the environment are followed; connections beyond the pool are closed after.
        self._pool = urllib3.connection_from_url(url, maxsize=CONNECTIONS, block=False, retries=False)

    def call(self, request: Request) -> Response:
        try:
            answer = self._sent(request)
        except BodyCut:
            raise
        except TimeoutError as late:
            if isinstance(late, ConnectTimeoutError):
                raise DependencyDown(dependency=self._name) from late
            raise UpstreamTimeout(upstream=self._name, seconds=request.timeout_s) from late
        except (HTTPError, OSError) as wrong:
            raise DependencyDown(dependency=self._name) from wrong
        body = _Body(self._name, answer)
        headers = end_to_end(dict(answer.headers.itermerged()))
        return Response(status=answer.status, headers=headers, body=body, _close=body.close)

    def _sent(self, request: Request) -> urllib3.BaseHTTPResponse:
        body: Any = body_of(request)
        headers = end_to_end(request.headers)
        if not isinstance(body, bytes):
            if request.body_length is not None:
                headers["Content-Length"] = str(request.body_length)
            body = parts_of(body, CHUNK)
        if request.address:
            headers["X-Forwarded-For"] = request.address
        url = f"{request.path}?{request.query}" if request.query else request.path

        def send() -> urllib3.BaseHTTPResponse:
            return self._pool.urlopen(
                request.method,
                url,
                body=body or None,
                headers=headers,
                timeout=urllib3.Timeout(connect=CONNECT_S, read=request.timeout_s),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )

        if request.method in ("GET", "HEAD") and isinstance(body, bytes):
            # A kept connection may have been closed in the moment we took it.
            with contextlib.suppress(ProtocolError):
                return send()
        return send()

    def close(self) -> None:
        self._pool.close()


class _Body:
    """The answer's parts as they come. Its connection goes back to the pool only once all of it was read."""

    def __init__(self, name: str, answer: urllib3.BaseHTTPResponse) -> None:
        self._name, self._answer = name, answer
        self._open = True

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if not self._open:
            raise StopIteration
        try:
            # One read of the socket at a time: an event must not wait until a chunk is full.
            part = self._answer.read1(CHUNK, decode_content=False)
        except (HTTPError, OSError) as cut:
            self.close()
            raise DependencyDown(dependency=self._name) from cut
        if not part:
            self._open = False
            self._answer.release_conn()
            raise StopIteration
        return part

    def close(self) -> None:
        if self._open:
            self._open = False
            self._answer.close()
