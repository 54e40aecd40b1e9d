"""What a firm is told about money: exact, with reasons, and never more certain than it is."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

ESTIMATE = "/api/v1/subsidies/estimate"
PERSONAS = yaml.safe_load((Path(__file__).parent / "personas.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("persona", PERSONAS, ids=[each["who"] for each in PERSONAS])
def test_each_persona_is_told_the_expected_amount_and_verdict(programme: FlaskClient, persona: dict[str, Any]) -> None:
    answer = programme.post(ESTIMATE, json=persona["send"])
    if "refused" in persona:
        assert answer.status_code == 422
        assert sorted(answer.json["errors"]) == sorted(persona["refused"])
        return
    assert answer.status_code == 200, answer.json
    assert {name: answer.json[name] for name in persona["expect"]} == persona["expect"]


@pytest.mark.parametrize("persona", [each for each in PERSONAS if "expect" in each], ids=lambda each: each["who"])
def test_the_parts_add_up_to_the_amount_to_the_fen(programme: FlaskClient, persona: dict[str, Any]) -> None:
    body = programme.post(ESTIMATE, json=persona["send"]).json
    for part in body["parts"]:
        assert Decimal(part["base"]) * Decimal(part["rate"]) == Decimal(part["amount"])
    total = sum(Decimal(part["amount"]) for part in body["parts"])
    assert total == Decimal(body["uncapped"])
    paid = total if body["cap"] is None else min(total, Decimal(body["cap"]))
    assert abs(paid - Decimal(body["amount"])) < Decimal("0.01")


@pytest.mark.parametrize("persona", [each for each in PERSONAS if "expect" in each], ids=lambda each: each["who"])
def test_every_suggested_change_does_what_it_says(programme: FlaskClient, persona: dict[str, Any]) -> None:
    before = programme.post(ESTIMATE, json=persona["send"]).json
    for change in before["changes"]:
        after = programme.post(ESTIMATE, json=_with(persona["send"], change["set"])).json
        assert (after["verdict"], after["amount"]) == (change["verdict"], change["amount"])
        if change["effect"] == "verdict":
            assert before["verdict"] != "yes"
            assert after["verdict"] == "yes"
        else:
            assert Decimal(after["amount"]) > Decimal(before["amount"])


def test_the_suggested_investment_is_the_least_that_reaches_the_cap(programme: FlaskClient) -> None:
    send = {"equipment_investment": "20000000", "technology_investment": "5000000", "as_of": "2020-06-01"}
    (change,) = [each for each in programme.post(ESTIMATE, json=send).json["changes"] if each["effect"] == "amount"]
    # 12,000,000 yuan are missing to the cap; technology pays 20 %, equipment 10 %: 60,000,000 more is the cheapest way.
    assert change["set"] == {"technology_investment": "65000000.00"}
    assert change["extra_investment"] == "60000000.00"
    less = programme.post(ESTIMATE, json={**send, "technology_investment": "64999999.99"}).json
    assert Decimal(less["uncapped"]) < Decimal(less["cap"])


def test_every_condition_is_walked_even_after_the_first_no(programme: FlaskClient) -> None:
    facts = {"selected_as_pilot": False, "digital_workshop_projects": 0, "smart_factory_projects": 0}
    body = programme.post(ESTIMATE, json={"rule": "pilot_service_reward", "as_of": "2020-01-01", "facts": facts}).json
    states = {each["id"]: each["state"] for each in body["conditions"]}
    assert states == {"in_force": "yes", "selected_as_pilot": "no", "results_clear": "unknown", "some_project": "no"}
    assert body["verdict"] == "no"
    (either, _) = body["changes"]
    assert either["set"] == {"selected_as_pilot": True, "results_clear": True, "digital_workshop_projects": 1}
    for condition in body["conditions"]:
        assert condition["clause"]["document"]
        assert condition["needed"]


def test_without_a_date_the_answer_says_that_the_plan_is_over(programme: FlaskClient) -> None:
    body = programme.post(ESTIMATE, json={"equipment_investment": 1, "technology_investment": 1}).json
    assert body["as_of"] == "2021-12-31"
    assert "2021-12-31" in body["notices"][0]


def test_the_same_question_gives_the_same_answer_with_the_same_rules(programme: FlaskClient) -> None:
    send = {"equipment_investment": "1", "technology_investment": "1", "as_of": "2020-01-01"}
    first, second = (programme.post(ESTIMATE, json=send).json for _ in range(2))
    assert first == second
    assert first["ruleset"].startswith("sha256:")
    assert first["ruleset"] == programme.get("/api/v1/subsidies/rules").json["ruleset"]


def test_the_answer_speaks_the_callers_language(programme: FlaskClient) -> None:
    send = {"equipment_investment": 1, "technology_investment": 1}
    body = programme.post(ESTIMATE, json=send, headers={"Accept-Language": "en"}).json
    assert body["rules"][0]["title"] == "Grant for smart-retrofit demonstration projects"
    assert body["conditions"][1]["needed"] == "recognised"


def test_rules_are_listed_with_clause_rates_caps_and_cases(programme: FlaskClient) -> None:
    body = programme.get("/api/v1/subsidies/rules").json
    assert [each["id"] for each in body["items"]] == [
        "demo_project_grant",
        "pilot_service_reward",
        "top_provider_grant",
    ]
    assert all(
        each["clause"]["status"] == "sourced" and each["cases"] and each["open_points"] for each in body["items"]
    )
    assert body["items"][0]["cap"] == "15000000.00"


def test_an_unknown_rule_is_not_found(programme: FlaskClient) -> None:
    assert programme.post(ESTIMATE, json={"rule": "county_addon"}).status_code == 404


def _with(send: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    facts = {**send.get("facts", {}), **{name: value for name, value in changed.items() if "_investment" not in name}}
    money = {name: value for name, value in changed.items() if "_investment" in name}
    return {**send, **money, "facts": facts}
