"""A service in the same process: its WSGI app is called as a function, with no socket between."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes

from shared.errors import DependencyDown, Refused
from shared.http.upstream.body import Counted, body_of
from shared.http.upstream.port import Request, Response, end_to_end

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = logging.getLogger(__name__)

_ASCII = "".join(map(chr, range(33, 127)))


class MountedUpstream:
    def __init__(self, app: WSGIApplication, name: str = "service") -> None:
        self._app = app
        self._name = name

    def call(self, request: Request) -> Response:
        answer = _Answer(self._name, request)
        answer.start(self._app)
        return Response(
            status=answer.status, headers=end_to_end(answer.headers), body=iter(answer), _close=answer.close
        )

    def close(self) -> None:
        return


class _Answer:
    """One call of the app."""

    def __init__(self, name: str, request: Request) -> None:
        self._name, self._request = name, request
        self._body = body_of(request)
        self._parts: Iterable[bytes] = ()
        self._iterator: Iterator[bytes] = iter(())
        self._first = b""
        self._closed = False
        self.status = 0
        self.headers: dict[str, str] = {}

    def start(self, app: WSGIApplication) -> None:
        """Runs the app up to its first part: WSGI lets it call start_response as late as that."""
        try:
            self._parts = app(_environ(self._request, self._body), self._start_response)
            self._iterator = iter(self._parts)
            self._first = next(self._iterator, b"")
            if not self.status:
                raise RuntimeError("the app did not start a response")
        except Exception as wrong:
            self.close()
            if isinstance(wrong, Refused):
                raise
            log.exception("the mounted service %s failed", self._name)
            raise DependencyDown(dependency=self._name) from wrong
        if isinstance(self._body, Counted) and self._body.was_cut:
            self.close()
            raise self._body.cut()

    def _start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        if exc_info is not None and self.status:
            raise exc_info[1].with_traceback(exc_info[2])
        self.status = int(status.split(" ", 1)[0])
        self.headers = {}
        for name, value in headers:
            self.headers[name] = f"{self.headers[name]}, {value}" if name in self.headers else value
        return lambda data: None

    def __iter__(self) -> Iterator[bytes]:
        announced = next((value for name, value in self.headers.items() if name.lower() == "content-length"), None)
        size = 0
        try:
            for part in self._all_parts():
                size += len(part)
                yield part
        except Exception as wrong:
            log.exception("the mounted service %s failed while it answered", self._name)
            raise DependencyDown(dependency=self._name) from wrong
        finally:
            self.close()
        if announced is not None and size < int(announced) and self._request.method != "HEAD" and self.status != 304:
            raise DependencyDown(dependency=self._name)

    def _all_parts(self) -> Iterator[bytes]:
        if self._first:
            yield self._first
        if not self._closed:
            yield from (part for part in self._iterator if part)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        close = getattr(self._parts, "close", None)
        if close is not None:
            close()


def _environ(request: Request, body: Any) -> dict[str, Any]:
    length = len(body) if isinstance(body, bytes) else request.body_length
    stream = io.BytesIO(body) if isinstance(body, bytes) else body
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "QUERY_STRING": quote(request.query, safe=_ASCII),
        "SERVER_NAME": "mounted",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.address,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BufferedReader(stream) if isinstance(stream, Counted) else stream,
        # Without it a framework gives an app an empty body when no length was announced.
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "HTTP_HOST": "mounted",
    }
    if length is not None and (length or request.method in ("POST", "PUT", "PATCH")):
        environ["CONTENT_LENGTH"] = str(length)
    for name, value in end_to_end(request.headers).items():
        key = name.upper().replace("-", "_")
        if key != "CONTENT_LENGTH":
            environ["CONTENT_TYPE" if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return environ
