"""A service at another address, over HTTP with a keep-alive pool (urllib3)."""

from __future__ import annotations

from collections.abc import Iterator

import urllib3
from urllib3.exceptions import HTTPError, TimeoutError

from shared.errors import DependencyDown, UpstreamTimeout
from shared.http.upstream.port import HOP_BY_HOP, Request, Response

CHUNK = 64 * 1024


class HttpUpstream:
    def __init__(self, name: str, url: str) -> None:
        self._name = name
        self._pool = urllib3.connection_from_url(url, maxsize=32, block=False, retries=False)

    def call(self, request: Request) -> Response:
        headers = dict(request.headers)
        if request.body_length is not None and not isinstance(request.body, bytes):
            headers["Content-Length"] = str(request.body_length)
        if request.address:
            headers["X-Forwarded-For"] = request.address
        url = f"{request.path}?{request.query}" if request.query else request.path
        try:
            answer = self._pool.urlopen(
                request.method,
                url,
                body=request.body or None,
                headers=headers,
                timeout=urllib3.Timeout(connect=2.0, read=request.timeout_s),
                retries=urllib3.Retry(total=False, connect=1, redirect=False, read=False),
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        except TimeoutError as late:
            if isinstance(late, urllib3.exceptions.ConnectTimeoutError):
                raise DependencyDown(dependency=self._name) from late
            raise UpstreamTimeout(upstream=self._name, seconds=request.timeout_s) from late
        except (HTTPError, OSError) as wrong:
            raise DependencyDown(dependency=self._name) from wrong
        passed = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
        return Response(status=answer.status, headers=passed, body=self._stream(answer))

    def _stream(self, answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        whole = False
        try:
            yield from answer.stream(CHUNK, decode_content=False)
            whole = True
        except (HTTPError, OSError) as cut:
            raise DependencyDown(dependency=self._name) from cut
        finally:
            # A connection with an unread rest cannot be used again.
            if whole:
                answer.release_conn()
            else:
                answer.close()

    def close(self) -> None:
        self._pool.close()
