"""The gateway's door: policy over each call, then its own routes or a service behind, streamed."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from services.gateway import nginx
from services.gateway.policy import State, admit, for_inference
from services.gateway.policy.enter_upstream import guard_of
from services.gateway.policy.limit_size import size_of
from services.gateway.upstreams import Services
from shared.errors import BadRequest, DependencyDown, Refused, TooLarge, UpstreamTimeout
from shared.fields import language_of
from shared.http.call import Admit, Call
from shared.http.upstream import Request, Response
from shared.http.upstream.port import Readable, outside_headers
from shared.identity import PRINCIPAL_HEADER
from shared.problems import ProblemTable
from shared.telemetry import request_id_of

if TYPE_CHECKING:
    import flask
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

TIMEOUTS = {"search": 10.0, "read": 10.0, "account": 10.0, "estimate": 10.0, "upload": 60.0, "wait": 40.0}
TIMEOUT_S = 20.0
_ASCII = "".join(map(chr, range(33, 127)))
_ODD_PATH = re.compile(r"//|;|\\|[\x00-\x1f\x7f]|/\.\.?(/|$)|[\ud800-\udfff]|%")
"""In a decoded path: what two parsers could read differently."""
_OURS = {"/readyz": "/internal/readyz", "/openapi.json": "/internal/openapi.json"}
_CREDENTIALS = ("authorization", "x-api-key", "cookie")
"""Services know callers by the signed principal; a key goes no further than here."""
_NOT_PASSED_BACK = ("x-zhigai-", "server", "x-request-id")


@dataclass(eq=False)
class Gateway:
    """A WSGI application. `flask` holds the context of its own routes; `for_inference` is policy as an argument."""

    flask: flask.Flask
    state: State
    services: Services
    problems: ProblemTable
    asked_by_proxy: bool = False
    """Whether a proxy passes inference on by itself and asks here first."""

    def for_inference(self) -> Admit:
        return for_inference(self.state)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        call = call_of(environ)
        try:
            if call.path == nginx.PATH and self.asked_by_proxy:
                return self._decide(call, start_response)
            refusal = self._odd(call) or admit(call, self.state)
            if refusal is not None:
                return self._refuse(call, refusal, start_response)
            response = self._forward(call, environ)
        except Refused as refused:
            return self._refuse(call, refused, start_response)
        except Exception as wrong:
            log.exception("the gateway failed")
            return self._refuse(call, wrong, start_response)
        call.status = response.status
        headers = [
            (name, value) for name, value in response.headers.items() if not name.lower().startswith(_NOT_PASSED_BACK)
        ]
        start_response(f"{response.status} ", [*headers, *self._added(call)])
        return _Streamed(call, response)

    def _forward(self, call: Call, environ: WSGIEnvironment) -> Response:
        headers = {name: value for name, value in outside_headers(call.headers).items() if name not in _CREDENTIALS}
        headers[PRINCIPAL_HEADER] = call.principal_token
        headers["X-Request-Id"] = call.request_id
        body, length = _body_of(call, environ)
        request = Request(
            method=call.method,
            path=_OURS.get(call.path, call.path) if call.upstream == "gateway" else call.path,
            query=call.query,
            headers=headers,
            body=body,
            body_length=length,
            address=call.address,
            timeout_s=TIMEOUTS.get(call.route, TIMEOUT_S),
        )
        guard = self.state.guards.get(guard_of(call))
        try:
            response = self.services.upstream(call.upstream).call(request)
        except (DependencyDown, UpstreamTimeout):
            if guard is not None:
                guard.answered(call, ok=False)
            raise
        if guard is not None:
            guard.answered(call, ok=response.status != 500)
        return response

    def _odd(self, call: Call) -> Refused | None:
        if _ODD_PATH.search(call.path):
            return BadRequest(reason="地址中有含义不明的字符 / the path has ambiguous characters")
        return None

    def _decide(self, call: Call, start_response: StartResponse) -> Iterable[bytes]:
        status, headers = nginx.decide(call, self.state)
        start_response(f"{status} ", [*headers.items(), ("X-Request-Id", call.request_id), ("Content-Length", "0")])
        return []

    def _refuse(self, call: Call, refused: BaseException, start_response: StartResponse) -> Iterable[bytes]:
        chosen = re.search(r"(?:^|&)lang=(\w+)", call.query)
        language = language_of(call.headers.get("accept-language"), chosen[1] if chosen else None)
        problem = self.problems.problem(refused, language=language, request_id=call.request_id)
        body = b"" if call.method == "HEAD" else problem.encoded()
        call.status = problem.status
        headers = [*problem.headers.items(), *self._added(call), ("Content-Length", str(len(problem.encoded())))]
        call.end()
        start_response(f"{problem.status} ", headers)
        return [body]

    @staticmethod
    def _added(call: Call) -> list[tuple[str, str]]:
        return [*call.answer_headers.items(), ("X-Request-Id", call.request_id)]


class _Streamed:
    """An answer on its way. The call ends with it, whether it was read to its end or the client hung up."""

    def __init__(self, call: Call, response: Response) -> None:
        self._call, self._response = call, response

    def __iter__(self) -> Iterator[bytes]:
        return self._response.body

    def close(self) -> None:
        try:
            self._response.close()
        finally:
            self._call.end()


def call_of(environ: WSGIEnvironment) -> Call:
    headers = {
        name[5:].lower().replace("_", "-"): str(value) for name, value in environ.items() if name.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        headers["content-type"] = environ["CONTENT_TYPE"]
    length = environ.get("CONTENT_LENGTH") or ""
    return Call(
        method=environ["REQUEST_METHOD"].upper(),
        # Bytes that are no UTF-8 become surrogates, which no path of ours has.
        path=environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "surrogateescape") or "/",
        query=_query_of(environ),
        headers=headers,
        address=environ.get("REMOTE_ADDR") or "",
        request_id=request_id_of(headers.get("x-request-id")),
        body_length=int(length) if length.isascii() and length.isdigit() else None,
    )


def _query_of(environ: WSGIEnvironment) -> str:
    """In ASCII, whatever bytes a client sent unescaped."""
    given = environ.get("QUERY_STRING", "")
    try:
        return given if given.isascii() else quote(given.encode("latin-1"), safe=_ASCII)
    except UnicodeEncodeError:
        return quote(given, safe=_ASCII, errors="replace")


def _body_of(call: Call, environ: WSGIEnvironment) -> tuple[bytes | Readable, int | None]:
    if call.body_length is not None:
        return (environ["wsgi.input"], call.body_length) if call.body_length else (b"", 0)
    if environ.get("wsgi.input_terminated") and "transfer-encoding" in call.headers:
        return _AtMost(environ["wsgi.input"], size_of(call.route)), None
    return b"", 0


class _AtMost:
    """A body without an announced length, counted while it passes."""

    def __init__(self, source: Any, limit: int) -> None:
        self._source, self._limit, self._left = source, limit, limit

    def read(self, size: int = -1, /) -> bytes:
        part: bytes = self._source.read(size if size >= 0 else self._left + 1)
        self._left -= len(part)
        if self._left < 0:
            raise TooLarge(limit_bytes=self._limit)
        return part


__all__ = ["Gateway", "call_of"]
