"""A service in the same process: its WSGI app is called as a function, with no socket between."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from shared.http.upstream.port import HOP_BY_HOP, Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class MountedUpstream:
    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def call(self, request: Request) -> Response:
        body = io.BytesIO(request.body) if isinstance(request.body, bytes) else request.body
        length = len(request.body) if isinstance(request.body, bytes) else request.body_length
        head: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            if exc_info is not None and "status" in head:
                raise exc_info[1].with_traceback(exc_info[2])
            head["status"], head["headers"] = int(status.split(" ", 1)[0]), headers
            return lambda data: None

        parts = self._app(_environ(request, body, length), start_response)
        stream = _first_chunk_read(parts)
        headers: dict[str, str] = {}
        for name, value in head["headers"]:
            if name.lower() not in HOP_BY_HOP:
                headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return Response(status=head["status"], headers=headers, body=stream)

    def close(self) -> None:
        return


def _first_chunk_read(parts: Iterable[bytes]) -> Iterator[bytes]:
    """WSGI lets an app call start_response as late as its first chunk, so that one is read before we look."""
    iterator = iter(parts)
    first = next(iterator, b"")

    def stream() -> Iterator[bytes]:
        try:
            if first:
                yield first
            yield from iterator
        finally:
            close = getattr(parts, "close", None)
            if close is not None:
                close()

    return stream()


def _environ(request: Request, body: Any, length: int | None) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "QUERY_STRING": request.query,
        "SERVER_NAME": "mounted",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.address,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "HTTP_HOST": "mounted",
    }
    if length is not None and (length or request.method in ("POST", "PUT", "PATCH")):
        environ["CONTENT_LENGTH"] = str(length)
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        environ["CONTENT_TYPE" if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return environ
