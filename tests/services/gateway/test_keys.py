"""Keys: shown once, wrong ones refused, revoked ones refused everywhere; in both modes."""

from __future__ import annotations

import logging
import stat
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from services.gateway.parts import Parts
from services.gateway.store.tables import Base
from shared.settings import Settings
from tests.services.gateway.conftest import Door


@pytest.fixture
def door(gateway_settings: Settings, open_gateway: Callable[..., Door]) -> Door:
    return open_gateway(gateway_settings)


def parts_of(door: Door) -> Parts:
    found: Parts = door.gateway.flask.extensions["zhigai"].parts["gateway"]
    return found


def test_migrations_make_what_the_models_declare(door: Door) -> None:
    with parts_of(door).database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    assert [each for each in differences if "alembic_version" not in str(each)] == []


def test_the_first_start_leaves_an_admin_key_that_works_and_a_second_start_leaves_it_alone(
    door: Door, open_gateway: Callable[..., Door]
) -> None:
    path = door.settings.home / "admin.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    key = door.admin_key
    me = door("GET", "/api/v1/me", key=key).body
    assert (me["role"], me["organisation"]["id"]) == ("admin", "platform")
    again = open_gateway(door.settings)
    assert again.admin_key == key
    assert again("GET", "/api/v1/keys", key=key).body["total"] == 1


def test_a_key_is_shown_once_and_found_nowhere_afterwards(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    made = door.new_key(organisation=door.new_organisation())
    text = made["key"]
    assert door("GET", "/api/v1/me", headers={"Authorization": f"Bearer {text}"}).body["key"]["id"] == made["id"]
    assert "key" not in door("GET", f"/api/v1/keys/{made['id']}", key=door.admin_key).body
    listed = door("GET", "/api/v1/keys", key=door.admin_key)
    everything = listed.raw.decode() + caplog.text + _dump(parts_of(door).database.engine)
    for start in range(len("zg_live_") + 8, len(text) - 16):
        assert text[start : start + 16] not in everything


def _dump(engine: sa.Engine) -> str:
    lines = []
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            lines += [str(row) for row in connection.execute(sa.select(table))]
    return "\n".join(lines)


def test_a_wrong_key_is_refused_with_the_two_headers_named_also_where_none_is_needed(door: Door) -> None:
    for path in ("/api/v1/me", "/api/v1/search", "/docs", "/api/v1/keys"):
        refused = door("GET", path, key="zg_live_wrong")
        assert refused.status == 401
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert "Authorization: Bearer" in refused.body["detail"]
        assert "X-API-Key" in refused.body["detail"]
        assert refused.body["error"] == refused.body["detail"]
        assert refused.body["request_id"] == refused.headers["x-request-id"]


def test_a_revoked_key_is_refused_at_once_here_and_within_two_seconds_elsewhere(
    door: Door, open_gateway: Callable[..., Door], until: Callable[..., None]
) -> None:
    elsewhere = open_gateway(door.settings)
    made = door.new_key()
    until(lambda: elsewhere("GET", "/api/v1/me", key=made["key"]).status == 200, 2.0)
    assert door("DELETE", f"/api/v1/keys/{made['id']}", key=door.admin_key).status == 204
    assert door("GET", "/api/v1/me", key=made["key"]).status == 401
    until(lambda: elsewhere("GET", "/api/v1/me", key=made["key"]).status == 401, 2.0)
    assert door("DELETE", f"/api/v1/keys/{made['id']}", key=door.admin_key).status == 204
    assert door("GET", f"/api/v1/keys/{made['id']}", key=door.admin_key).body["revoked_at"]


def test_the_keys_of_a_closed_organisation_are_refused_until_it_is_opened_again(door: Door) -> None:
    organisation = door.new_organisation()
    made = door.new_key(organisation=organisation)
    path = f"/api/v1/organisations/{organisation}"
    for active, status in ((False, 401), (True, 200)):
        etag = door("GET", path, key=door.admin_key).headers["etag"]
        changed = door("PATCH", path, key=door.admin_key, headers={"If-Match": etag}, body={"active": active})
        assert changed.status == 200, changed.raw
        assert changed.headers["etag"] != etag
        assert door("GET", "/api/v1/me", key=made["key"]).status == status


def test_a_change_names_the_version_it_is_of(door: Door) -> None:
    path = f"/api/v1/organisations/{door.new_organisation()}"
    assert door("PATCH", path, key=door.admin_key, body={"name": "x"}).status == 428
    assert door("PATCH", path, key=door.admin_key, headers={"If-Match": '"x.1"'}, body={"name": "x"}).status == 412


def test_an_organisation_sees_and_manages_only_its_own(door: Door) -> None:
    ours, theirs = door.new_organisation(), door.new_organisation()
    mine = door.new_key(organisation=ours, scopes=["keys", "write"])
    other = door.new_key(organisation=theirs)
    listed = door("GET", "/api/v1/keys", key=mine["key"]).body
    assert [each["id"] for each in listed["items"]] == [mine["id"]]
    assert [each["id"] for each in door("GET", "/api/v1/organisations", key=mine["key"]).body["items"]] == [ours]
    for method, path in (
        ("GET", f"/api/v1/keys/{other['id']}"),
        ("DELETE", f"/api/v1/keys/{other['id']}"),
        ("GET", f"/api/v1/organisations/{theirs}"),
    ):
        refused = door(method, path, key=mine["key"])
        nothing = door(method, path[:-1] + "~", key=mine["key"])
        assert (refused.status, nothing.status) == (404, 404)
        assert refused.body["title"] == nothing.body["title"]
    assert door("GET", "/api/v1/me", key=other["key"]).status == 200


def test_nobody_gives_away_more_than_they_have(door: Door) -> None:
    ours, theirs = door.new_organisation(), door.new_organisation()
    key = door.new_key(organisation=ours, scopes=["keys", "write"])["key"]

    def status(**fields: Any) -> int:
        return door("POST", "/api/v1/keys", key=key, body={"name": "x", **fields}).status

    assert status() == 201
    assert status(scopes=["write"]) == 201
    assert status(scopes=["predict"]) == 403
    assert status(scopes=["*"]) == 403
    assert status(role="admin") == 403
    assert status(organisation=theirs) == 404
    assert status(per_minute=10**6) == 403
    assert status(expires_at="2001-01-01T00:00:00Z") == 422
    assert status(digest="0" * 64) == 422
    assert door("POST", "/api/v1/organisations", key=key, body={"name": "x", "role": "admin"}).status == 403
    narrow = door.new_key(organisation=ours, scopes=["write"])["key"]
    refused = door("POST", "/api/v1/keys", key=narrow, body={"name": "x"})
    assert (refused.status, refused.body["type"]) == (403, "/problems/scope-missing")
    inherited = door("POST", "/api/v1/keys", key=key, body={"name": "x"}).body
    assert set(inherited["scopes"]) <= {"keys", "write"}


def test_repeating_a_write_with_its_key_makes_one_organisation(door: Door) -> None:
    body = {"name": "只建一次", "role": "sme"}
    sent = {"Idempotency-Key": "once"}
    first = door("POST", "/api/v1/organisations", key=door.admin_key, headers=sent, body=body)
    second = door("POST", "/api/v1/organisations", key=door.admin_key, headers=sent, body=body)
    assert (first.status, second.status) == (201, 201)
    assert first.body == second.body
    assert door("GET", first.headers["location"], key=door.admin_key).body["name"] == "只建一次"


def test_people_belong_to_their_organisation(door: Door) -> None:
    ours = door.new_organisation()
    key = door.new_key(organisation=ours, scopes=["keys"])["key"]
    made = door("POST", "/api/v1/users", key=key, body={"name": "王工", "email": "wang@example.com"})
    assert (made.status, made.body["organisation"]) == (201, ours)
    assert door("POST", "/api/v1/users", key=key, body={"name": "x", "organisation": "platform"}).status == 404
    assert door("GET", "/api/v1/users", key=key).body["total"] == 1


def test_what_was_called_is_counted_by_key_and_route_exactly(door: Door, open_gateway: Callable[..., Door]) -> None:
    elsewhere = open_gateway(door.settings)
    made = door.new_key(organisation=door.new_organisation())
    parts_of(elsewhere).refresher.load_keys()
    for _ in range(20):
        assert door("GET", "/api/v1/me", key=made["key"]).status == 200
        assert elsewhere("GET", "/api/v1/me", key=made["key"]).status == 200
    assert door("GET", "/api/v1/keys/none", key=made["key"]).status == 404
    parts_of(elsewhere).flusher.flush()
    usage = door("GET", "/api/v1/usage", key=made["key"]).body
    assert (usage["calls"], usage["errors"]) == (40, 1)
    assert {line["key_id"] for line in usage["items"]} == {made["id"]}
    assert door("GET", "/api/v1/usage").status == 401


def test_a_flush_that_is_sent_again_is_counted_once(door: Door) -> None:
    flusher, meter = parts_of(door).flusher, door.gateway.state.meter
    meter.count("someKey1", "read", 200, 0.0)
    flusher.flush()
    batch = flusher._next()
    assert batch is None
    meter.count("someKey1", "read", 200, 0.0)
    batch = flusher._next()
    for _ in range(3):
        # As after an answer that was lost: nobody knows whether it was stored.
        flusher._unsure = batch
        flusher.flush()
    usage = door("GET", "/api/v1/usage", key=door.admin_key).body
    assert sum(line["calls"] for line in usage["items"] if line["key_id"] == "someKey1") == 2


def test_a_quota_of_a_month_ends_and_says_until_when(door: Door, until: Callable[..., None]) -> None:
    made = door.new_key(organisation=door.new_organisation(), monthly_quota=3)
    until(lambda: door.gateway.state.quota_left.get(made["id"]) == 3)
    answers = [door("GET", "/api/v1/search", key=made["key"]) for _ in range(4)]
    assert [each.status for each in answers] == [200, 200, 200, 429]
    assert answers[-1].body["type"] == "/problems/quota-used-up"
    assert 0 < int(answers[-1].headers["retry-after"]) <= 31 * 86_400
    assert door("GET", "/api/v1/me", key=made["key"]).body["key"]["monthly_quota"] == 3


def test_with_the_database_away_known_keys_stay_good_and_counts_wait(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = door.new_key(organisation=door.new_organisation())
    database = parts_of(door).database
    parts_of(door).flusher.flush()
    with monkeypatch.context() as away:
        away.setattr(database, "_reading", sa.create_engine("sqlite:////nowhere/at/all"))
        away.setattr(database, "_writing", sa.create_engine("sqlite:////nowhere/at/all"))
        for _ in range(5):
            assert door("GET", "/api/v1/suggest", key=made["key"]).status == 200
        parts_of(door).refresher.turn()
        ready = door("GET", "/readyz")
        assert (ready.status, ready.body["status"]) == (503, "not_ready")
    usage = door("GET", "/api/v1/usage", key=made["key"]).body
    assert usage["calls"] == 5
