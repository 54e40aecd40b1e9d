"""The plan's targets as printed."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

TARGETS = "/api/v1/targets"


def _rows(programme: FlaskClient, query: str) -> dict[tuple[str, str, str], int]:
    first = programme.get(f"{TARGETS}?{query}").json
    items = list(first["items"])
    while len(items) < first["total"]:
        items += programme.get(f"{TARGETS}?{query}&page={len(items) // 100 + 1}").json["items"]
    return {(each["indicator"], each["district"], each["year"]): each["value"] for each in items}


def test_all_districts_add_up_to_the_city_in_every_row(programme: FlaskClient) -> None:
    rows = _rows(programme, "")
    assert len(rows) == 120  # twelve printed rows of the city and nine districts
    for indicator, year in {(indicator, year) for indicator, _, year in rows}:
        parts = [
            value for (i, district, y), value in rows.items() if (i, y) == (indicator, year) and district != "city"
        ]
        assert len(parts) == 9
        assert sum(parts) == rows[indicator, "city", year]


def test_yearly_additions_add_up_to_the_three_year_goal(programme: FlaskClient) -> None:
    rows = _rows(programme, "")
    for (indicator, district, year), value in rows.items():
        if year == "2019-2021":
            assert sum(rows[indicator, district, single] for single in ("2019", "2020", "2021")) == value


def test_a_falling_target_is_kept_as_printed_and_explained(programme: FlaskClient) -> None:
    items = programme.get(f"{TARGETS}?district=jxport").json["items"]
    robots = {each["year"]: each for each in items if each["indicator"] == "robots_in_service"}
    assert [robots[year]["value"] for year in ("2019", "2020", "2021")] == [500, 450, 520]
    assert any("450" in note for note in robots["2020"]["notes"])


@pytest.mark.parametrize("name", ["haining", "海宁", "海宁市"])
def test_a_district_is_known_by_its_names(programme: FlaskClient, name: str) -> None:
    items = programme.get(TARGETS, query_string={"year": "2019-2021", "district": name}).json["items"]
    assert [(each["indicator"], each["value"]) for each in items] == [
        ("smart_retrofit_investment", 206),
        ("demo_smart_factories", 15),
    ]


@pytest.mark.parametrize("query", ["year=2022", "district=hangzhou", "size=101", "page=0"])
def test_what_the_plan_does_not_have_is_refused_with_what_it_has(programme: FlaskClient, query: str) -> None:
    answer = programme.get(f"{TARGETS}?{query}")
    assert answer.status_code == 422
    assert answer.json["detail"]


def test_city_wide_goals_stand_beside_the_rows(programme: FlaskClient) -> None:
    body = programme.get(f"{TARGETS}?year=2021&lang=en").json
    goals = {each["id"]: (each["comparison"], each["value"]) for each in body["goals"]}
    assert goals["robots"] == (">=", 18000)
    assert goals["diagnosis_coverage"] == ("=", 100)
    assert body["plan"]["status"] == "sourced"
