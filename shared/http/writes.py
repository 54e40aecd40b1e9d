"""Writes that can be repeated and changes that cannot overwrite: `Idempotency-Key`, `ETag` and `If-Match`."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

import flask

from shared.database.idempotency import Idempotency, KeptAnswer
from shared.errors import BadInput, PreconditionRequired, VersionConflict
from shared.http.service_app import caller, context
from shared.identity import Principal

View = TypeVar("View", bound=Callable[..., Any])
_KEPT_HEADERS = ("Content-Type", "Location", "ETag")


def etag_of(row_id: str, version: int) -> str:
    return f'"{row_id}.{version}"'


def answer_with_etag(body: Any, row_id: str, version: int) -> flask.Response:
    """A JSON answer with its ETag; 304 when the caller already has this version in this language."""
    response = flask.jsonify(body)
    response.headers["ETag"] = etag_of(row_id, version)
    response.headers["Vary"] = "Accept-Language"
    if flask.request.headers.get("If-None-Match") == response.headers["ETag"]:
        return flask.Response(status=304, headers={"ETag": response.headers["ETag"], "Vary": "Accept-Language"})
    return response


def require_match(row_id: str, version: int) -> None:
    """Refuses a change whose `If-Match` is missing (428) or names another version (412)."""
    given = flask.request.headers.get("If-Match", "").strip()
    if not given:
        raise PreconditionRequired()
    if given != etag_of(row_id, version):
        raise VersionConflict(id=row_id, current=etag_of(row_id, version), given=given[:100])


def idempotent(view: View) -> View:
    """A POST that may be sent again: with `Idempotency-Key`, one effect and the same answer for 24 hours.

    Everything the view writes is one transaction with the kept answer, so slow work belongs in a job. The same key
    with another request gets 422; refusals are not kept, so a corrected request may use its key again. A caller
    without an identity of its own has no keys: nobody could tell two of them apart.
    """

    @functools.wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return answer_once(lambda: view(*args, **kwargs), _request_hash)

    return wrapped  # type: ignore[return-value]


def answer_once(view: Callable[[], Any], request_hash: Callable[[], str]) -> Any:
    """What `idempotent` does, for a view that reads its body itself and says what the request was by a hash."""
    key = flask.request.headers.get("Idempotency-Key", "").strip()
    owner = _owner_of(caller())
    if not key or owner is None:
        return view()
    if len(key) > 255:
        raise BadInput(errors={"Idempotency-Key": ["最多 255 个字符 / at most 255 characters"]})

    def act() -> KeptAnswer:
        made = flask.make_response(view())
        headers = {name: made.headers[name] for name in _KEPT_HEADERS if name in made.headers}
        return KeptAnswer(made.status_code, headers, made.get_data())

    parts = context().parts
    kept = Idempotency(parts["database"], parts["tables"]).once(owner, key, request_hash(), act)
    response = flask.Response(kept.body, status=kept.status, headers=dict(kept.headers))
    if kept.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _owner_of(principal: Principal) -> str | None:
    return principal.owner or principal.key_id


def _request_hash() -> str:
    request = flask.request
    digest = hashlib.sha256(f"{request.method} {request.full_path}\n".encode())
    digest.update(request.get_data(cache=True))
    return digest.hexdigest()
