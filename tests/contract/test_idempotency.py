"""Writes that are sent again have one effect; changes do not overwrite. Through a Flask app, on both databases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import flask
import pytest
import sqlalchemy as sa

from shared.database import Database, Idempotency, utc_now
from shared.errors import BadInput
from shared.http.service_app import context, new_service_app
from shared.http.writes import answer_with_etag, etag_of, idempotent, require_match
from shared.identity import PRINCIPAL_HEADER, Principal, sign
from shared.settings import Settings
from tests.contract import sample
from tests.contract.sample import TABLES, Note

OURS = Principal(organisation="org-a", key_id="k1", role="sme")
THEIRS = Principal(organisation="org-b", key_id="k2", role="sme")


def sample_app(settings: Settings, database: Database) -> flask.Flask:
    app = new_service_app(sample.SERVICE, settings)
    app.extensions["zhigai"].parts.update(database=database, tables=TABLES)

    @app.post("/notes")
    @idempotent
    def make_note() -> Any:
        title = flask.request.get_json()["title"]
        if not title:
            raise BadInput(errors={"title": ["empty"]})
        note_id = f"n{utc_now().timestamp()}"
        sample.write_note(context().parts["database"], note_id, title)
        if title == "break":
            raise ZeroDivisionError
        return {"id": note_id, "标题": title}, 201, {"Location": f"/notes/{note_id}"}

    @app.get("/notes/<note_id>")
    def read_note(note_id: str) -> Any:
        with context().parts["database"].read() as session:
            note = session.get_one(Note, note_id)
        return answer_with_etag({"title": note.title}, note.id, note.version)

    @app.put("/notes/<note_id>")
    def change_note(note_id: str) -> Any:
        with context().parts["database"].write() as session:
            note = session.get_one(Note, note_id)
            require_match(note.id, note.version)
            note.title = flask.request.get_json()["title"]
        return {"version": note.version}

    return app


@pytest.fixture
def post(store_settings: Settings, database: Database) -> Iterator[Callable[..., Any]]:
    app = sample_app(store_settings, database)

    def send(title: str, key: str | None = "key-1", principal: Principal = OURS) -> Any:
        headers = {PRINCIPAL_HEADER: sign(principal, store_settings.secret)}
        if key is not None:
            headers["Idempotency-Key"] = key
        with app.test_client() as client:
            return client.post("/notes", json={"title": title}, headers=headers)

    yield send


def notes(database: Database) -> int:
    with database.read() as session:
        return int(session.execute(sa.select(sa.func.count()).select_from(Note)).scalar_one())


def test_fifty_parallel_posts_of_one_key_have_one_effect(post: Callable[..., Any], database: Database) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: post("空压机"), range(50)))
    statuses = Counter(answer.status_code for answer in answers)
    assert notes(database) == 1
    assert statuses[201] >= 1
    assert set(statuses) <= {201, 409}
    assert len({answer.data for answer in answers if answer.status_code == 201}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers if answer.status_code == 201) == 1


def test_the_second_answer_is_the_first_with_its_headers(post: Callable[..., Any], database: Database) -> None:
    first, second = post("a"), post("a")
    assert (second.status_code, second.data) == (201, first.data)
    assert second.headers["Location"] == first.headers["Location"]
    assert second.content_type == first.content_type
    assert notes(database) == 1


def test_another_body_under_the_same_key_is_refused(post: Callable[..., Any], database: Database) -> None:
    post("a")
    assert post("b").status_code == 422
    assert notes(database) == 1


def test_another_owner_has_keys_of_its_own(post: Callable[..., Any], database: Database) -> None:
    assert post("a").data != post("a", principal=THEIRS).data
    assert notes(database) == 2


def test_a_caller_without_identity_is_never_answered_with_anothers_answer(
    post: Callable[..., Any], database: Database
) -> None:
    nobody = Principal()
    assert post("a", principal=nobody).data != post("a", principal=nobody).data


def test_without_a_key_each_post_is_its_own(post: Callable[..., Any], database: Database) -> None:
    post("a", key=None)
    post("a", key=None)
    assert notes(database) == 2


def test_a_refused_request_may_use_its_key_again(post: Callable[..., Any], database: Database) -> None:
    assert post("").status_code == 422
    assert post("a").status_code == 201


def test_a_crash_after_the_effect_leaves_neither_effect_nor_key(post: Callable[..., Any], database: Database) -> None:
    assert post("break").status_code == 500
    assert notes(database) == 0
    assert post("a").status_code == 201


def test_a_key_that_is_too_long_is_named(post: Callable[..., Any], database: Database) -> None:
    answer = post("a", key="k" * 256)
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.get_json()["errors"]


def test_answers_are_kept_a_day(post: Callable[..., Any], database: Database) -> None:
    post("a")
    kept = Idempotency(database, TABLES)
    assert kept.prune(utc_now() + timedelta(hours=23)) == 0
    assert kept.prune(utc_now() + timedelta(hours=25)) == 1


def test_a_change_needs_the_version_it_was_made_from(store_settings: Settings, database: Database) -> None:
    sample.write_note(database, "n1", "first")
    client = sample_app(store_settings, database).test_client()
    headers = {PRINCIPAL_HEADER: sign(OURS, store_settings.secret)}
    read = client.get("/notes/n1", headers=headers)
    assert read.headers["ETag"] == etag_of("n1", 1)
    assert client.get("/notes/n1", headers={**headers, "If-None-Match": read.headers["ETag"]}).status_code == 304
    assert client.put("/notes/n1", json={"title": "x"}, headers=headers).status_code == 428
    match = {**headers, "If-Match": read.headers["ETag"]}
    assert client.put("/notes/n1", json={"title": "second"}, headers=match).get_json() == {"version": 2}
    stale = client.put("/notes/n1", json={"title": "third"}, headers=match)
    assert stale.status_code == 412
    assert client.get("/notes/n1", headers=headers).get_json() == {"title": "second"}
