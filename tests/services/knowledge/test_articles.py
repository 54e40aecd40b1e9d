"""Articles as a reader and the index see them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from services.knowledge import app as knowledge
from shared.settings import Settings
from tests.services.knowledge.conftest import article

ARTICLES = "/api/v1/articles"


@pytest.fixture
def stocked(settings: Settings, client: FlaskClient, shelf: Callable[..., Path]) -> FlaskClient:
    knowledge.seed(
        settings,
        shelf(
            article("dyeing-a", related=["general-b", "gone"]),
            article("general-b", industries=["all"], kind="method", directions=[], components=[]),
            article(
                "paper-c", industries=["paper"], kind="fault", last_confirmed="2026-01-01", confirm_by="2026-02-01"
            ),
        ),
    )
    return client


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.json
    return [each["id"] for each in answer.json["items"]]


def test_a_list_is_filtered_and_an_industry_finds_what_holds_for_all(stocked: FlaskClient) -> None:
    assert ids(stocked.get(ARTICLES)) == ["dyeing-a", "general-b", "paper-c"]
    assert ids(stocked.get(f"{ARTICLES}?industry=dyeing")) == ["dyeing-a", "general-b"]
    assert ids(stocked.get(f"{ARTICLES}?industry=paper&kind=fault")) == ["paper-c"]
    assert ids(stocked.get(f"{ARTICLES}?direction=equipment&component=stenter-heat-balance")) == ["dyeing-a", "paper-c"]
    assert ids(stocked.get(f"{ARTICLES}?order=recent&size=1&page=3")) == ["paper-c"]


@pytest.mark.parametrize("query", ["industry=steel", "kind=news", "direction=roof", "size=0", "component=a%00"])
def test_an_unknown_filter_is_refused_with_what_is_possible(stocked: FlaskClient, query: str) -> None:
    answer = stocked.get(f"{ARTICLES}?{query}")
    assert answer.status_code == 422
    assert query.split("=")[0] in answer.json["errors"]


def test_an_article_is_read_with_sources_status_and_relations(stocked: FlaskClient) -> None:
    body = stocked.get(f"{ARTICLES}/dyeing-a").json
    assert "<strong>“含湿量”</strong>越低" in body["html"]
    assert body["status"] == "experience"
    assert body["sources"] == [{"text": "行业通行工程经验", "status": "experience"}]
    assert body["related"] == ["general-b"]
    assert body["related_articles"] == [
        {"id": "general-b", "title": "排风含湿 general-b", "url": "/articles/general-b"}
    ]
    assert body["terms"][0]["url"] == "/terms/stenter"
    assert stocked.get(f"{ARTICLES}/dyeing-a?lang=en").json["title"] == "Exhaust humidity dyeing-a"
    assert stocked.get(f"{ARTICLES}/paper-c").json["overdue"] is True


def test_several_articles_are_asked_for_by_their_ids(stocked: FlaskClient) -> None:
    assert ids(stocked.get(f"{ARTICLES}?id=paper-c,dyeing-a,nothing")) == ["dyeing-a", "paper-c"]
    refused = stocked.get(f"{ARTICLES}?id=a,,b")
    assert refused.status_code == 422 and "commas" in refused.text


def test_how_people_put_it_is_kept_and_found_by(
    settings: Settings, app: Any, client: FlaskClient, shelf: Callable[..., Path]
) -> None:
    said = ["烘出来的布摸着潮", "汽费一个月比一个月高"]
    knowledge.seed(settings, shelf(article("dyeing-x", said=said)))
    assert client.get(f"{ARTICLES}/dyeing-x").json["said"] == said
    parts = app.extensions["zhigai"].parts
    with parts["database"].read() as session:
        document = parts["documents"].of(session, "article", "dyeing-x")
    assert document is not None and list(document.said) == said


def test_a_fault_lists_its_causes_in_order_and_is_found_by_them(
    settings: Settings, app: Any, client: FlaskClient, shelf: Callable[..., Path]
) -> None:
    causes = [{"cause": f"原因{n}", "check": f"先量第{n}处压差", "remedy": f"清第{n}段"} for n in range(3)]
    knowledge.seed(settings, shelf(article("dyeing-x", kind="fault", steps=["washing"], causes=causes)))
    body = client.get(f"{ARTICLES}/dyeing-x").json
    assert (body["causes"], body["steps"]) == (causes, ["washing"])
    assert ids(client.get(f"{ARTICLES}?industry=dyeing&step=washing")) == ["dyeing-x"]
    assert ids(client.get(f"{ARTICLES}?industry=paper&step=washing")) == []
    parts = app.extensions["zhigai"].parts
    with parts["database"].read() as session:
        document = parts["documents"].of(session, "article", "dyeing-x")
    assert document is not None
    assert "先量第2处压差" in document.body
    assert "清第0段" in document.body


def test_an_example_gives_programs_the_calls_that_its_figures_come_from(
    settings: Settings, client: FlaskClient, shelf: Callable[..., Path]
) -> None:
    quoted = [{"output": "heat_kw", "text": "987", "unit": "kW"}]
    request = {"instances": [{"fabric_kg_h": 900, "exhaust_kg_h": 12000}]}
    worked = [{"id": "before", "component": "stenter-heat-balance", "request": request, "quoted": quoted}]
    knowledge.seed(settings, shelf(article("dyeing-x", kind="example", worked=worked)))
    assert client.get(f"{ARTICLES}/dyeing-x").json["worked"] == worked
    assert ids(client.get(f"{ARTICLES}?kind=example")) == ["dyeing-x"]


def test_an_article_with_raw_html_shows_it_as_text(
    settings: Settings, client: FlaskClient, shelf: Callable[..., Path]
) -> None:
    knowledge.seed(settings, shelf(article("dyeing-x", text="<script>alert(1)</script> [看](javascript:alert(1))\n")))
    html = client.get(f"{ARTICLES}/dyeing-x").json["html"]
    assert "<script" not in html
    assert "href" not in html


def test_what_has_not_changed_is_not_sent_again(stocked: FlaskClient) -> None:
    etag = stocked.get(f"{ARTICLES}/dyeing-a").headers["ETag"]
    assert stocked.get(f"{ARTICLES}/dyeing-a", headers={"If-None-Match": etag}).status_code == 304
    assert stocked.get(f"{ARTICLES}/nowhere").status_code == 404


def test_loading_again_touches_only_what_changed(
    stocked: FlaskClient, settings: Settings, shelf: Callable[..., Path]
) -> None:
    folder = shelf(article("dyeing-a", related=["general-b", "gone"]), article("paper-c", text="改过的正文。\n"))
    articles, terms = knowledge.seed(settings, folder)
    assert (articles.added, articles.changed, articles.removed, articles.unchanged) == (0, 1, 1, 1)
    assert (terms.added, terms.changed, terms.removed, terms.unchanged) == (0, 0, 0, 465)
    assert stocked.get(f"{ARTICLES}/paper-c").json["version"] == 2
    assert stocked.get(f"{ARTICLES}/general-b").status_code == 404


def test_the_index_holds_what_the_database_holds(stocked: FlaskClient, app: Any) -> None:
    parts = app.extensions["zhigai"].parts
    parts["relay"].drain_all()
    held = parts["index"].versions()
    assert len(held) == 3 + 465
    assert held["dyeing-a"] == held["stenter"] == 1
    assert knowledge.reindex(app) == 3 + 465
    assert parts["index"].versions() == held


def test_the_shipped_articles_load(settings: Settings, client: FlaskClient) -> None:
    articles, terms = knowledge.seed(settings)
    assert articles.added == client.get(ARTICLES).json["total"] >= 40
    assert terms.added == 465
