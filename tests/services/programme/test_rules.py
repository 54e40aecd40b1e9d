"""The engine by itself: Kleene's tables, each form of test, and the cases that every rule file carries."""

from __future__ import annotations

import itertools
from datetime import date
from decimal import Decimal
from typing import Any

import marshmallow as ma
import pytest
import yaml

from services.programme.rules import conditions, rule
from services.programme.rules.engine import compute
from services.programme.rules.verdict import Verdict, all_of, any_of, negation

YES, NO, UNKNOWN = Verdict.YES, Verdict.NO, Verdict.UNKNOWN
_ORDER = {NO: 0, UNKNOWN: 1, YES: 2}
CASES = [(each, case) for each in rule.load().rules.values() for case in each.cases]


@pytest.mark.parametrize(("one", "other"), list(itertools.product(Verdict, Verdict)))
def test_kleenes_tables(one: Verdict, other: Verdict) -> None:
    assert all_of([one, other]) is min(one, other, key=_ORDER.__getitem__)
    assert any_of([one, other]) is max(one, other, key=_ORDER.__getitem__)
    assert negation(all_of([one, other])) is any_of([negation(one), negation(other)])


def test_a_verdict_is_never_taken_for_true_or_false() -> None:
    with pytest.raises(TypeError):
        bool(UNKNOWN)


@pytest.mark.parametrize(
    ("test", "values", "expected"),
    [
        ({"is_true": "a"}, {"a": True}, YES),
        ({"is_true": "a"}, {"a": False}, NO),
        ({"is_true": "a"}, {}, UNKNOWN),
        ({"is_false": "a"}, {"a": False}, YES),
        ({"is_false": "a"}, {"a": None}, UNKNOWN),
        ({"at_least": {"input": "a", "value": 3}}, {"a": 3}, YES),
        ({"at_least": {"input": "a", "value": "0.1"}}, {"a": Decimal("0.09")}, NO),
        ({"at_most": {"input": "a", "value": 3}}, {"a": 4}, NO),
        ({"between": {"input": "a", "low": 1, "high": 10}}, {"a": 10}, YES),
        ({"between": {"input": "a", "low": 1, "high": 10}}, {"a": 0}, NO),
        ({"one_of": {"input": "a", "values": ["nanhu"]}}, {"a": "haining"}, NO),
        ({"not": {"is_true": "a"}}, {}, UNKNOWN),
        ({"not": {"is_true": "a"}}, {"a": True}, NO),
        ({"all": [{"is_true": "a"}, {"is_true": "b"}]}, {"a": False}, NO),
        ({"any": [{"is_true": "a"}, {"is_true": "b"}]}, {"a": True}, YES),
        ({"any": [{"is_true": "a"}, {"is_true": "b"}]}, {"a": False}, UNKNOWN),
        ({"positive": ["a", "b"]}, {"a": 0}, UNKNOWN),
        ({"positive": ["a", "b"]}, {"a": 0, "b": 2}, YES),
    ],
)
def test_each_form_of_test(test: dict[str, Any], values: dict[str, Any], expected: Verdict) -> None:
    assert conditions.evaluate(test, values) is expected
    for way in conditions.ways(test, values):
        if expected is NO or not set(conditions.inputs_of(test)) - set(way) - set(values):
            assert conditions.evaluate(test, {**values, **way}) is YES


@pytest.mark.parametrize("bad", [{"eval": "1"}, {}, {"is_true": "a", "not": {}}, "recognised"])
def test_an_unknown_form_is_refused(bad: Any) -> None:
    with pytest.raises(conditions.UnknownFormError):
        conditions.evaluate(bad, {})


@pytest.mark.parametrize(("found", "case"), CASES, ids=[f"{each.id}-{n}" for n, (each, _) in enumerate(CASES)])
def test_each_rule_file_gives_its_own_cases(found: rule.Rule, case: dict[str, Any]) -> None:
    given = dict(case["given"])
    as_of = given.pop("as_of")
    money = {each.name for each in found.inputs if each.kind == "money"}
    values = {name: Decimal(value) if name in money else value for name, value in given.items()}
    computed = compute(found, values, as_of)
    assert (computed.verdict.value, computed.amount) == (case["verdict"], case["amount"])


def test_a_rule_file_with_a_slip_is_refused() -> None:
    raw = yaml.safe_load((rule.FOLDER / "demo_project_grant.yaml").read_text(encoding="utf-8"))
    for slip in (
        {**raw, "capp": 1},
        {**raw, "conditions": [{**raw["conditions"][0], "test": {"is_true": "recognized"}}]},
        {**raw, "amount": {**raw["amount"], "parts": [{**raw["amount"]["parts"][0], "base": "equipment"}]}},
        {**raw, "valid_from": "yesterday"},
        {**raw, "cases": []},
    ):
        with pytest.raises(ma.ValidationError):
            rule.parse(slip)


def test_an_older_rule_of_the_same_line_answers_for_its_own_time() -> None:
    raw = yaml.safe_load((rule.FOLDER / "demo_project_grant.yaml").read_text(encoding="utf-8"))
    older = rule.parse(raw)
    newer = rule.parse({**raw, "id": "later_grant", "supersedes": raw["id"], "valid_from": date(2022, 1, 1),
                        "valid_to": None})  # fmt: skip
    rules = rule.RuleSet({older.id: older, newer.id: newer}, "sha256:test")
    for asked in (older.id, newer.id):
        assert rules.in_force(asked, date(2020, 6, 1)) is older
        assert rules.in_force(asked, date(2026, 1, 1)) is newer
