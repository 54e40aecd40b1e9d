"""The portal's way to the platform: the public API, through the gateway, as the browser's guest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import flask

from shared.errors import DependencyDown, Refused
from shared.http.upstream import Request, Response, Upstream
from shared.http.upstream.port import Readable
from shared.identity import GUEST_HEADER

UPLOAD_S = 120.0


@dataclass(frozen=True)
class ApiAnswer:
    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Api:
    """Calls the public API. A gateway that is away is an answer too, never an exception of a library."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    def get(self, path: str, **query: object) -> ApiAnswer:
        """A read. A page that has to do without its answer is not shared for long."""
        pairs = urlencode({name: str(value) for name, value in query.items() if value not in (None, "")})
        answer = self._call("GET", path, pairs, None)
        if not answer.ok:
            flask.g.lacking = True
        return answer

    def post(self, path: str, body: Mapping[str, Any]) -> ApiAnswer:
        return self._call("POST", path, "", json.dumps(body, ensure_ascii=False).encode("utf-8"))

    def send(self, path: str, file: Readable, size: int, headers: Mapping[str, str]) -> ApiAnswer:
        """A file as the body of a POST, read while it is sent."""
        return self._call("POST", path, "", file, headers, size)

    def stream(self, path: str) -> Response:
        """An answer that is passed on piece by piece, such as a file. Raises `DependencyDown`."""
        headers = {"Accept-Language": flask.g.language}
        if flask.g.get("guest"):
            headers[GUEST_HEADER] = flask.g.guest
        return self._upstream.call(
            Request(method="GET", path=path, headers=headers, address=flask.request.remote_addr or "")
        )

    def delete(self, path: str) -> ApiAnswer:
        return self._call("DELETE", path, "", None)

    def _call(
        self,
        method: str,
        path: str,
        query: str,
        body: bytes | Readable | None,
        more: Mapping[str, str] | None = None,
        size: int | None = None,
    ) -> ApiAnswer:
        headers = {"Accept": "application/json", "Accept-Language": flask.g.language}
        if body is not None:
            headers["Content-Type"] = "application/json"
        headers.update(more or {})
        if flask.g.get("guest"):
            headers[GUEST_HEADER] = flask.g.guest
        address = flask.request.remote_addr or ""
        request = Request(method=method, path=path, query=query, headers=headers, body=body or b"", address=address)
        if size is not None:
            request.body_length, request.timeout_s = size, UPLOAD_S
        try:
            answer = self._upstream.call(request)
            raw = answer.read()
        except Refused as refused:
            if isinstance(refused, DependencyDown):
                return ApiAnswer(503, {"title": "", "detail": "", "status": 503}, {})
            raise
        try:
            parsed = json.loads(raw) if raw else {}
        except ValueError:
            parsed = {}
        return ApiAnswer(answer.status, parsed if isinstance(parsed, dict) else {"items": parsed}, answer.headers)


def api() -> Api:
    found: Api = flask.current_app.extensions["zhigai.portal.api"]
    return found
