"""Writes that can be repeated and changes that cannot overwrite: `Idempotency-Key`, `ETag` and `If-Match`."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import flask
import sqlalchemy as sa

from shared.database import CommonTables, Database
from shared.database.rows import utc_now
from shared.errors import (
    BadInput,
    IdempotencyInProgress,
    IdempotencyMismatch,
    PreconditionRequired,
    Refused,
    VersionConflict,
)
from shared.http.service_app import caller, context

View = TypeVar("View", bound=Callable[..., Any])
KEPT = timedelta(hours=24)
STALE = timedelta(seconds=60)
"""A pending entry older than this belonged to a process that died; the next caller takes it over."""


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
    """A POST that may be sent again: with `Idempotency-Key`, one effect and the same answer.

    The first request leaves a pending row before it works; a second one meanwhile gets 409 with Retry-After, another
    body under the same key 422. Refusals before anything happened are not kept, so a corrected request may reuse it.
    """

    @functools.wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        key = flask.request.headers.get("Idempotency-Key", "").strip()
        if not key:
            return view(*args, **kwargs)
        if len(key) > 255:
            raise BadInput(errors={"Idempotency-Key": ["最多 255 个字符 / at most 255 characters"]})
        parts = context().parts
        store = _Kept(parts["database"], parts["tables"], caller().owner or caller().actor, key)
        kept = store.begin(_request_hash())
        if kept is not None:
            return kept
        try:
            response = flask.make_response(view(*args, **kwargs))
        except BaseException:
            store.forget()
            raise
        store.finish(response)
        return response

    return wrapped  # type: ignore[return-value]


def _request_hash() -> str:
    request = flask.request
    digest = hashlib.sha256(f"{request.method} {request.full_path}\n".encode())
    digest.update(request.get_data(cache=True))
    return digest.hexdigest()


class _Kept:
    def __init__(self, database: Database, tables: CommonTables, owner: str, key: str) -> None:
        self._database, self._table = database, tables.idempotency
        self._owner, self._key = owner, key

    @property
    def _mine(self) -> sa.ColumnElement[bool]:
        return sa.and_(self._table.c.owner == self._owner, self._table.c.key == self._key)

    def begin(self, request_hash: str) -> flask.Response | None:
        """The answer kept for this key, or None after the key has been taken for this request."""
        now = utc_now()
        try:
            with self._database.write() as session:
                found = session.execute(sa.select(self._table).where(self._mine)).mappings().one_or_none()
                if found is not None and found["at"] < now - (KEPT if found["status"] is not None else STALE):
                    session.execute(sa.delete(self._table).where(self._mine))
                    found = None
                if found is None:
                    session.execute(
                        self._table.insert().values(owner=self._owner, key=self._key, request_hash=request_hash, at=now)
                    )
                    return None
        except sa.exc.IntegrityError:
            raise IdempotencyInProgress(key=self._key) from None
        if found["request_hash"] != request_hash:
            raise IdempotencyMismatch(key=self._key)
        if found["status"] is None:
            raise IdempotencyInProgress(key=self._key)
        response = flask.Response(found["body"], status=found["status"])
        response.headers.update(found["headers"])
        response.headers["Idempotent-Replayed"] = "true"
        return response

    def finish(self, response: flask.Response) -> None:
        names = ("Content-Type", "Location", "ETag")
        headers = {name: response.headers[name] for name in names if name in response.headers}
        with self._database.write() as session:
            session.execute(
                sa.update(self._table)
                .where(self._mine)
                .values(status=response.status_code, headers=headers, body=response.get_data())
            )

    def forget(self) -> None:
        try:
            with self._database.write() as session:
                session.execute(sa.delete(self._table).where(self._mine))
        except Refused:
            # The database is away: the pending row goes stale by itself.
            return
