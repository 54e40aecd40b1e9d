"""The industries at a glance, put together from the real services."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.settings import Settings
from tests.services.gateway.conftest import Door
from tests.services.industry_samples import Behind

INDUSTRIES = "/api/v1/industries"


@pytest.fixture
def behind(embedded_settings: Callable[..., Settings], tmp_path: Path) -> Iterator[Behind]:
    made = Behind(embedded_settings(), tmp_path)
    yield made
    made.close()


def test_the_ten_industries_are_listed_with_what_serves_them(behind: Behind) -> None:
    body = Door(behind.gateway(), behind.settings)("GET", INDUSTRIES).body
    assert (body["total"], len(body["items"]), body["warnings"]) == (10, 10, [])
    counts = {each["id"]: (each["solutions"], each["articles"]) for each in body["items"]}
    assert counts["dyeing"] == (3, 3)
    assert counts["textile"] == (1, 1)
    assert counts["paper"] == (0, 1)
    assert next(each for each in body["items"] if each["id"] == "dyeing")["title"] == "印染"


def test_an_industry_shows_solutions_and_articles_at_each_step(behind: Behind) -> None:
    body = Door(behind.gateway(), behind.settings)("GET", f"{INDUSTRIES}/dyeing").body
    steps = {step["id"]: step for step in body["chain"]["steps"]}
    assert [each["id"] for each in steps["washing"]["solutions"]] == ["dyeing-a"]  # not the one of the textile chain
    assert [each["id"] for each in steps["heat-setting"]["solutions"]] == ["dyeing-a", "dyeing-b"]
    assert [each["id"] for each in steps["washing"]["articles"]] == ["dyeing-x-fault", "dyeing-y"]
    assert body["counts"] == {
        "solutions": 3,
        "by_direction": {"equipment": 2, "workshop": 1},
        "by_scale": {"low_cost": 1, "single": 2},
        "articles": 2,
        "by_kind": {"fault": 1, "parameter": 1},
    }
    assert len(body["starter_pack"]["measures"]) == 3
    assert [each["scale"] for each in body["solutions"]] == ["low_cost", "single", "single"]
    english = Door(behind.gateway(), behind.settings)(
        "GET", f"{INDUSTRIES}/dyeing", headers={"Accept-Language": "en"}
    ).body
    assert english["chain"]["steps"][0]["title"] == "Step 1"
    assert english["title"] == "Dyeing and printing"


def test_an_industry_without_a_chain_or_a_pack_is_shown_without(behind: Behind) -> None:
    body = Door(behind.gateway(), behind.settings)("GET", f"{INDUSTRIES}/paper").body
    assert (body["chain"], body["starter_pack"], body["solutions"], body["warnings"]) == (None, None, [], [])


def test_an_unknown_industry_is_not_found(behind: Behind) -> None:
    door = Door(behind.gateway(), behind.settings)
    assert door("GET", f"{INDUSTRIES}/steel").status == 404
    assert door("GET", f"{INDUSTRIES}/{'x' * 300}").status == 404


@pytest.mark.parametrize("service", ["catalog", "knowledge"])
def test_a_service_that_is_away_is_named_and_the_rest_is_shown(behind: Behind, service: str) -> None:
    door = Door(behind.gateway(without=service), behind.settings)
    answer = door("GET", f"{INDUSTRIES}/dyeing")
    assert answer.status == 200
    assert [service in each for each in answer.body["warnings"]] == [True]
    assert (answer.body["chain"] is None) is (service == "knowledge")
    assert (answer.body["solutions"] == []) is (service == "catalog")
    listed = door("GET", INDUSTRIES).body
    assert [service in each for each in listed["warnings"]] == [True]
    assert listed["items"][0]["solutions" if service == "catalog" else "articles"] is None


def test_each_part_is_reached_by_itself_and_described(behind: Behind) -> None:
    door = Door(behind.gateway(), behind.settings)
    for path in ("/api/v1/chains/dyeing", "/api/v1/starter-packs/dyeing"):
        assert door("GET", path).status == 200
    assert door("GET", "/api/v1/diagnosis-add-ons/dyeing").status == 404
    described = door("GET", "/openapi.json").body["paths"]
    for path in ("industries", "industries/{industry}", "chains/{industry}", "starter-packs/{industry}"):
        assert "get" in described[f"/api/v1/{path}"], path
    names = {each["name"] for each in described["/api/v1/solutions"]["get"]["parameters"]}
    assert {"scale", "step"} <= names
