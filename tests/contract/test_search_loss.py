"""Search survives the loss of its index: the database answers meanwhile, marked as degraded, and the relay mends it."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flask
import pytest

from services.catalog import app as catalog
from services.gateway.search.run import clauses_of, understood
from shared.identity import ANONYMOUS, PRINCIPAL_HEADER, sign
from shared.relay import Relay
from shared.search import AnalysedQuery
from shared.settings import Secret, Settings

Make = Callable[..., Settings]


@pytest.fixture(params=["embedded", "distributed"])
def settings(request: pytest.FixtureRequest) -> Settings:
    if request.param == "embedded":
        made: Settings = request.getfixturevalue("embedded_settings")()
        return made
    found: Settings = request.getfixturevalue("distributed_settings")(without=("postgres", "redis"))
    return found


@pytest.fixture
def service(settings: Settings) -> Iterator[flask.Flask]:
    catalog.migrate(settings)
    catalog.seed(settings)
    app = catalog.create_app(settings)
    catalog.reindex(app)
    yield app
    app.extensions["zhigai"].close()


def ask(service: flask.Flask, settings: Settings, text: str) -> dict[str, Any]:
    query, _ = understood(text)
    body = {
        "query": AnalysedQuery(text, clauses_of(query), query.marks).to_json(),
        "types": [],
        "industries": [],
        "directions": [],
        "offset": 0,
        "limit": 10,
    }
    headers = {PRINCIPAL_HEADER: sign(ANONYMOUS, settings.secret)}
    answer = service.test_client().post("/internal/search", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def lose(settings: Settings) -> None:
    """What a full disk or a wrong command does: the index is gone while everything runs."""
    if settings.elasticsearch_url is None:
        # What the engine or a mending relay writes back meanwhile stays.
        shutil.rmtree(settings.home / "index", ignore_errors=True)
        return
    from elasticsearch import Elasticsearch

    client = Elasticsearch(settings.elasticsearch_url.reveal())
    for name in client.indices.get_alias(name=f"{settings.index_prefix}-catalog"):
        client.indices.delete(index=name)
    client.close()


def test_a_lost_index_costs_order_and_no_answer_and_is_mended(service: flask.Flask, settings: Settings) -> None:
    before = ask(service, settings, "定型机余热回收")
    assert before["degraded"] is False and before["hits"][0]["id"] == "dyeing-stenter-heat-recovery"
    lose(settings)
    meanwhile = ask(service, settings, "定型机余热回收")
    assert meanwhile["degraded"] is True
    assert meanwhile["hits"][0]["id"] == "dyeing-stenter-heat-recovery"
    assert meanwhile["hits"][0]["body"] or meanwhile["hits"][0]["matched"]
    relay: Relay = service.extensions["zhigai"].parts["relay"]
    assert relay.mend() is True
    after = ask(service, settings, "定型机余热回收")
    assert after["degraded"] is False
    assert [hit["id"] for hit in after["hits"]] == [hit["id"] for hit in before["hits"]]
    assert relay.mend() is False


@pytest.mark.parametrize("suffix", ["pos", "idx", "term", "store", "fast", "fieldnorm"])
def test_an_index_that_lost_some_of_its_files_is_away_and_is_mended(embedded_settings: Make, suffix: str) -> None:
    settings = embedded_settings()
    catalog.migrate(settings)
    catalog.seed(settings)
    app = catalog.create_app(settings)
    catalog.reindex(app)
    app.extensions["zhigai"].close()
    for path in (settings.home / "index").rglob(f"*.{suffix}"):
        path.unlink()
    again = catalog.create_app(settings)
    try:
        found = ask(again, settings, "定型机余热回收")
        assert found["degraded"] is True and found["hits"][0]["id"] == "dyeing-stenter-heat-recovery"
        assert again.extensions["zhigai"].parts["relay"].mend() is True
        assert ask(again, settings, "定型机余热回收")["degraded"] is False
    finally:
        again.extensions["zhigai"].close()


def test_an_index_begun_by_single_writes_after_a_loss_is_not_taken_for_the_whole(
    service: flask.Flask, settings: Settings
) -> None:
    parts = service.extensions["zhigai"].parts
    lose(settings)
    with parts["database"].read() as session:
        document = next(iter(parts["relay"].all_documents(session)))
    parts["index"].put([document])
    assert not parts["index"].is_current()
    found = ask(service, settings, "定型机余热回收")
    assert found["degraded"] is True and found["hits"][0]["id"] == "dyeing-stenter-heat-recovery"


def test_searches_go_on_while_a_running_relay_mends(service: flask.Flask, settings: Settings) -> None:
    relay: Relay = service.extensions["zhigai"].parts["relay"]
    failed: list[str] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            try:
                if not ask(service, settings, "定型机余热回收")["hits"]:
                    failed.append("nothing")
            except AssertionError as wrong:
                failed.append(str(wrong)[:200])

    looking = threading.Thread(target=look)
    looking.start()
    relay.start()
    try:
        lose(settings)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and ask(service, settings, "定型机")["degraded"]:
            relay.ring()
            stop.wait(0.1)
        assert ask(service, settings, "定型机")["degraded"] is False
    finally:
        stop.set()
        looking.join(timeout=30)
        relay.stop()
    assert failed == []


def test_an_engine_that_does_not_answer_is_asked_again_only_after_a_while(embedded_settings: Make) -> None:
    settings = embedded_settings()
    catalog.migrate(settings)
    catalog.seed(settings)
    # Nothing listens there: what a killed node looks like.
    app = catalog.create_app(settings.with_(elasticsearch_url=Secret("http://127.0.0.1:9")))
    try:
        for _ in range(3):
            found = ask(app, settings, "定型机余热回收")
            assert found["degraded"] is True and found["hits"][0]["id"] == "dyeing-stenter-heat-recovery"
    finally:
        app.extensions["zhigai"].close()


def test_the_database_search_filters_counts_and_keeps_owners_apart(tmp_path: Path) -> None:
    from shared.database import Database
    from shared.search import Document, SearchRequest
    from shared.search.database_search import DatabaseSearch

    settings = Settings(home=tmp_path, secret=Secret("x" * 64), port=0)
    catalog.migrate(settings)
    database = Database.open(settings, "catalog", catalog.MIGRATIONS)
    entries = [
        Document("a", "solution", 1, "空压机漏气", industries=["paper"], directions=["equipment"]),
        Document("b", "solution", 1, "空压机", body="漏气", industries=["dyeing"], organisation="org-a"),
        Document("c", "provider", 1, "疏水阀", industries=["dyeing"]),
    ]
    search = DatabaseSearch(database, lambda session: entries)
    query = AnalysedQuery("空压机漏气", clauses_of(understood("空压机漏气")[0]))
    page = search.search(SearchRequest(query))
    assert [hit.id for hit in page.hits] == ["a"] and page.facets["industry"] == {"paper": 1}
    mine = search.search(SearchRequest(query, owner="org-a", industries=["dyeing"]))
    assert [hit.id for hit in mine.hits] == ["b"] and mine.facets["industry"] == {"paper": 1, "dyeing": 1}
    assert set(search.entries(["a", "b", "c"], None)) == {"a", "c"}
    database.close()
