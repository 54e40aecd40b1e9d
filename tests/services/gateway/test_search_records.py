"""Queries that found nothing and results that were opened: counted without who asked, shown to the operator only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from services.gateway.logic.search_records import KEPT
from services.gateway.parts import Parts
from services.gateway.store.search_record import SearchRecord
from shared.database import utc_now
from shared.http.upstream import MountedUpstream
from shared.settings import Settings
from tests.services.gateway.conftest import Door, Echo


@pytest.fixture
def door(gateway_settings: Settings, open_gateway: Callable[..., Door]) -> Door:
    return open_gateway(gateway_settings)


def parts_of(door: Door) -> Parts:
    found: Parts = door.gateway.flask.extensions["zhigai"].parts["gateway"]
    return found


def records(door: Door) -> dict[str, Any]:
    parts_of(door).records.turn()
    answer = door("GET", "/api/v1/search/records", key=door.admin_key)
    assert answer.status == 200, answer.raw
    found: dict[str, Any] = answer.body
    return found


def test_clicks_are_counted_by_query_and_entry_for_anybody(door: Door) -> None:
    for _ in range(3):
        answer = door("POST", "/api/v1/search/clicks", body={"q": " 断纸 ", "id": "paper-web-break-fault"})
        assert answer.status == 204, answer.raw
    door("POST", "/api/v1/search/clicks", body={"q": "断纸", "id": "paper-output"})
    parts_of(door).records.turn()
    door("POST", "/api/v1/search/clicks", body={"q": "断纸", "id": "paper-output"})
    found = records(door)["clicks"]
    assert [(line["text"], line["id"], line["times"]) for line in found] == [
        ("断纸", "paper-web-break-fault", 3),
        ("断纸", "paper-output", 2),
    ]


@pytest.mark.parametrize(
    "body", [{"q": "断纸"}, {"q": "", "id": "a"}, {"q": "断纸", "id": "<script>"}, {"q": "x" * 301, "id": "a"}]
)
def test_what_is_no_click_is_refused(door: Door, body: Mapping[str, str]) -> None:
    assert door("POST", "/api/v1/search/clicks", body=body).status == 422
    assert records(door)["clicks"] == []


def test_only_the_operator_reads_the_list(door: Door) -> None:
    assert door("GET", "/api/v1/search/records").status in (401, 403)
    key = door.new_key(organisation=door.new_organisation())["key"]
    assert door("GET", "/api/v1/search/records", key=key).status == 403


def test_what_is_older_than_thirty_days_is_forgotten(door: Door) -> None:
    parts = parts_of(door)
    today = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
    with parts.database.write() as session:
        for age in (timedelta(days=0), KEPT, KEPT + timedelta(days=1)):
            session.add(SearchRecord(day=today - age, text="断纸", entry="-", times=1))
    parts.records._forgot = None
    assert [line["times"] for line in records(door)["misses"]] == [2]
    with parts.database.read() as session:
        assert session.execute(sa.select(sa.func.count()).select_from(SearchRecord)).scalar_one() == 2


def test_a_query_that_finds_nothing_is_recorded_and_one_with_a_service_away_is_not(
    embedded_settings: Callable[..., Settings], open_gateway: Callable[..., Door], echo: Echo
) -> None:
    nothing = _Nothing()
    mounted = MountedUpstream(nothing, "nothing")
    door = open_gateway(embedded_settings(), dict.fromkeys(("catalog", "knowledge", "models"), mounted))
    assert door("GET", "/api/v1/search", query="q=%E6%96%AD%E7%BA%B8").body["total"] == 0
    assert [(line["text"], line["id"]) for line in records(door)["misses"]] == [("断纸", None)]
    away = open_gateway(embedded_settings(), {"catalog": mounted})
    found = away("GET", "/api/v1/search", query="q=%E6%96%AD%E7%BA%B8").body
    assert len(found["warnings"]) == 2 and records(away)["misses"] == []


class _Nothing:
    """A service that holds nothing."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = b'{"total": 0, "hits": [], "facets": {}, "degraded": false, "version": ""}'
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]
