"""Solutions as a reader, a program and the index see them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from services.catalog import app as catalog
from services.catalog.search import document_of
from services.catalog.store.schema import TABLES
from shared.identity import PRINCIPAL_HEADER
from shared.settings import Settings
from tests.services.callers import Callers
from tests.services.catalog.conftest import solution

SOLUTIONS = "/api/v1/solutions"


@pytest.fixture
def stocked(settings: Settings, app: Any, callers: Callers, shelf: Callable[..., Path]) -> Callers:
    catalog.seed(
        settings,
        shelf(
            solution("dyeing-a"),
            solution("dyeing-b", directions=["workshop"], last_confirmed="2026-10-01", confirm_by="2026-10-02"),
            solution(
                "paper-c",
                "paper",
                industries=["paper", "dyeing"],
                components=[],
                investment={
                    "low": 10,
                    "high": 20,
                    "unit": "万元",
                    "status": "sourced",
                    "source": "某年报",
                    "year": 2020,
                },
            ),
        ),
    )
    return callers


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.json
    return [each["id"] for each in answer.json["items"]]


def test_a_list_is_filtered_by_industry_direction_and_component(stocked: Callers) -> None:
    assert ids(stocked.get(SOLUTIONS)) == ["dyeing-a", "dyeing-b", "paper-c"]
    assert ids(stocked.get(f"{SOLUTIONS}?industry=dyeing")) == ["dyeing-a", "dyeing-b", "paper-c"]
    assert ids(stocked.get(f"{SOLUTIONS}?industry=paper")) == ["paper-c"]
    assert ids(stocked.get(f"{SOLUTIONS}?industry=dyeing&direction=workshop")) == ["dyeing-b"]
    assert ids(stocked.get(f"{SOLUTIONS}?component=stenter-heat-balance")) == ["dyeing-a", "dyeing-b"]


def test_a_list_shows_changed_content_at_once(settings: Settings, stocked: Callers, shelf: Callable[..., Path]) -> None:
    before = stocked.get(f"{SOLUTIONS}?industry=paper").json["items"][0]
    assert stocked.get(f"{SOLUTIONS}?industry=paper").json["items"] == [before]
    titled = {"zh": "另一个题目", "en": "Another title"}
    catalog.seed(settings, shelf(solution("paper-c", "paper", components=[], title=titled)))
    for language, title in titled.items():
        after = stocked.get(f"{SOLUTIONS}?industry=paper", headers={"Accept-Language": language}).json["items"][0]
        assert after["title"] == title
        assert after["version"] > before["version"]


def test_every_page_of_a_list_says_the_same_total(stocked: Callers) -> None:
    for page, found in ((1, ["dyeing-a", "dyeing-b"]), (2, ["paper-c"]), (3, [])):
        answer = stocked.get(f"{SOLUTIONS}?size=2&page={page}")
        assert ids(answer) == found
        assert answer.json["total"] == 3
    assert stocked.get(f"{SOLUTIONS}?industry=wood").json["total"] == 0


def test_a_list_is_filtered_by_scale_and_by_step_of_the_main_industrys_chain(
    settings: Settings, callers: Callers, shelf: Callable[..., Path]
) -> None:
    catalog.seed(
        settings,
        shelf(
            solution("dyeing-a", scale="low_cost", steps=["washing", "heat-setting"]),
            solution("dyeing-b", scale="single", steps=["washing"], industries=["dyeing", "textile"]),
            solution("textile-c", "textile", scale="single", steps=["washing"]),
            solution("textile-d", "textile"),
        ),
    )
    assert ids(callers.get(f"{SOLUTIONS}?scale=single")) == ["dyeing-b", "textile-c"]
    assert ids(callers.get(f"{SOLUTIONS}?step=washing")) == ["dyeing-a", "dyeing-b", "textile-c"]
    assert ids(callers.get(f"{SOLUTIONS}?industry=dyeing&step=washing")) == ["dyeing-a", "dyeing-b"]
    assert ids(callers.get(f"{SOLUTIONS}?industry=textile&step=washing")) == ["textile-c"]
    assert ids(callers.get(f"{SOLUTIONS}?industry=dyeing&scale=low_cost&step=heat-setting")) == ["dyeing-a"]
    assert callers.get(f"{SOLUTIONS}?scale=huge").status_code == 422


def test_a_solution_says_its_scale_its_equipment_and_how_it_is_connected(
    settings: Settings, app: Any, callers: Callers, shelf: Callable[..., Path]
) -> None:
    joint = {"with": "定型机控制柜", "protocol": "Modbus RTU", "how": "只读车速"}
    whole = {"scale": "single", "steps": ["heat-setting"], "equipment": ["高温含湿探头"], "integration": [joint]}
    catalog.seed(settings, shelf(solution("dyeing-a", **whole), solution("dyeing-b")))
    body = callers.get(f"{SOLUTIONS}/dyeing-a").json
    assert {name: body[name] for name in whole} == whole
    assert callers.get(f"{SOLUTIONS}/dyeing-b").status_code == 200  # written before there were such fields
    with app.extensions["zhigai"].parts["database"].read() as session:
        document = document_of(session, "solution", "dyeing-a")
    assert document is not None
    assert "高温含湿探头" in document.body
    assert "Modbus RTU" in document.body


def test_a_list_comes_in_pages(stocked: Callers) -> None:
    body = stocked.get(f"{SOLUTIONS}?page=2&size=2").json
    assert (body["total"], body["page"], body["size"], len(body["items"])) == (3, 2, 2, 1)
    assert ids(stocked.get(f"{SOLUTIONS}?order=recent&size=2")) == ["dyeing-a", "paper-c"]


@pytest.mark.parametrize("query", ["industry=steel", "direction=roof", "size=101", "page=0", "size=x", "order=best"])
def test_an_unknown_filter_is_refused_with_what_is_possible(stocked: Callers, query: str) -> None:
    answer = stocked.get(f"{SOLUTIONS}?{query}")
    assert answer.status_code == 422
    assert answer.json["errors"][query.split("=")[0]]


def test_a_figure_never_stands_without_its_status(stocked: Callers) -> None:
    for item in stocked.get(SOLUTIONS).json["items"]:
        assert all(effect["status"] and effect["source"] for effect in item["effects"])
        assert item["investment"] is None or item["investment"]["source"]


def test_a_solution_is_read_whole_in_the_readers_language(stocked: Callers) -> None:
    body = stocked.get(f"{SOLUTIONS}/dyeing-a", headers={"Accept-Language": "en"}).json
    assert body["title"] == "Heat recovery dyeing-a"
    assert stocked.get(f"{SOLUTIONS}/dyeing-a?lang=zh").json["title"] == "定型机余热回收 dyeing-a"
    assert body["terms"] == [
        {"id": "stenter", "zh": "定型机", "en": "stenter", "url": "/terms/stenter"},
        {"id": None, "zh": "没有这个词", "en": "", "url": None},
    ]
    assert len(body["measures"]) == 3
    assert body["acceptance"] == ["单位产品能耗降下来"]


def test_an_entry_past_its_date_says_so(stocked: Callers) -> None:
    assert stocked.get(f"{SOLUTIONS}/dyeing-b").json["overdue"] is True
    assert stocked.get(f"{SOLUTIONS}/dyeing-a").json["overdue"] is False


def test_what_has_not_changed_is_not_sent_again(stocked: Callers) -> None:
    first = stocked.get(f"{SOLUTIONS}/dyeing-a")
    again = stocked.get(f"{SOLUTIONS}/dyeing-a", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_an_unknown_solution_is_a_problem_that_names_it(stocked: Callers) -> None:
    answer = stocked.get(f"{SOLUTIONS}/nowhere")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert "nowhere" in answer.json["detail"]


def test_without_a_signed_principal_nothing_is_answered(stocked: Callers) -> None:
    assert stocked.client.get(SOLUTIONS).status_code == 401
    assert stocked.client.get(SOLUTIONS, headers={PRINCIPAL_HEADER: "forged"}).status_code == 401


def test_loading_again_touches_only_what_changed(
    stocked: Callers, settings: Settings, shelf: Callable[..., Path], app: Any
) -> None:
    unchanged = shelf(
        solution("dyeing-a"),
        solution("dyeing-b", directions=["workshop"], last_confirmed="2026-10-01", confirm_by="2026-10-02"),
        solution("dyeing-d"),
    )
    loaded = catalog.seed(settings, unchanged)
    assert (loaded.added, loaded.changed, loaded.removed, loaded.unchanged) == (1, 0, 1, 2)
    loaded = catalog.seed(settings, shelf(solution("dyeing-a", suits="新写法"), solution("dyeing-d")))
    assert (loaded.added, loaded.changed, loaded.removed, loaded.unchanged) == (0, 1, 1, 1)
    assert stocked.get(f"{SOLUTIONS}/dyeing-a").json["version"] == 2
    assert stocked.get(f"{SOLUTIONS}/dyeing-b").status_code == 404
    database = app.extensions["zhigai"].parts["database"]
    with database.read() as session:
        revisions = session.execute(
            sa.select(TABLES.revision.c.row_id, TABLES.revision.c.version).order_by(TABLES.revision.c.seq)
        ).all()
    assert ("dyeing-a", 2) in revisions


def test_a_solution_that_comes_back_is_newer_than_the_one_removed(
    stocked: Callers, settings: Settings, shelf: Callable[..., Path]
) -> None:
    catalog.seed(settings, shelf())
    catalog.seed(settings, shelf(solution("dyeing-a")))
    assert stocked.get(f"{SOLUTIONS}/dyeing-a").json["version"] == 3


def test_the_index_holds_what_the_database_holds(
    stocked: Callers, settings: Settings, app: Any, shelf: Callable[..., Path]
) -> None:
    parts = app.extensions["zhigai"].parts
    parts["relay"].drain_all()
    assert parts["index"].versions() == {"dyeing-a": 1, "dyeing-b": 1, "paper-c": 1}
    catalog.seed(settings, shelf(solution("dyeing-a", suits="新写法")))
    parts["relay"].drain_all()
    assert parts["index"].versions() == {"dyeing-a": 2}
    assert catalog.reindex(app) == 1
    assert parts["index"].versions() == {"dyeing-a": 2}


def test_readiness_names_each_dependency(stocked: Callers) -> None:
    body = stocked.client.get("/readyz").json
    assert body["status"] == "ready"
    assert set(body["dependencies"]) == {"database", "search", "relay"}


def test_the_shipped_solutions_load(settings: Settings, app: Any, callers: Callers) -> None:
    loaded = catalog.seed(settings)
    assert loaded.added == callers.get(SOLUTIONS).json["total"] >= 30  # three for each of ten industries


@pytest.mark.parametrize("strange", ["%00", "a%00b", "%ff%fe", "%F0%9F%98%80", "x" * 3000, "'%20OR%201=1--", "%25"])
@pytest.mark.parametrize("path", [SOLUTIONS, "/api/v1/providers", "/api/v1/enquiries"])
def test_a_strange_id_is_only_not_found(callers: Callers, path: str, strange: str) -> None:
    assert callers.get(f"{path}/{strange}").status_code == 404


@pytest.mark.parametrize("name", ["industry", "direction", "component", "order", "page"])
def test_a_strange_filter_is_refused(callers: Callers, name: str) -> None:
    assert callers.get(f"{SOLUTIONS}?{name}=a%00b").status_code == 422
