"""The support rules give what their cases say, and the annex of the plan adds up as printed."""

from __future__ import annotations

from decimal import Decimal

from services.programme.logic import targets
from services.programme.rules.engine import compute
from services.programme.rules.rule import Rule
from zhigai.content_rules.files import PLAN, RULES, Content


def check_plan(content: Content) -> None:
    for rule in content.rules.values():
        _check_rule(content, rule)
    _check_annex(content)


def _check_rule(content: Content, rule: Rule) -> None:
    file = content.root / RULES / f"{rule.id}.yaml"
    older = [rule.supersedes] if rule.supersedes else []
    content.known(file, "supersedes", older, content.rules, "rule")
    content.known(file, "amount.excludes", rule.excludes, content.rules, "rule")
    money = {each.name for each in rule.inputs if each.kind == "money"}
    for number, case in enumerate(rule.cases):
        given = dict(case["given"])
        as_of = given.pop("as_of", rule.valid_from)
        values = {name: Decimal(value) if name in money else value for name, value in given.items()}
        computed = compute(rule, values, as_of)
        if (computed.verdict.value, computed.amount) != (case["verdict"], case["amount"]):
            said = f"gives {computed.verdict.value} and {computed.amount}"
            content.find(
                file, f"cases.{number}", "case", f"{said}, the case says {case['verdict']} and {case['amount']}"
            )


def _check_annex(content: Content) -> None:
    """Districts add up to the city, years of additions to the three-year goal."""
    file = content.root / PLAN
    plan = targets.read(file)
    values = {(each.indicator, each.year, each.district): each for each in plan.targets}
    districts = [each["id"] for each in plan.districts if each["id"] != "city"]
    for (indicator, year, district), target in values.items():
        if district == "city" and sum(values[indicator, year, each].value for each in districts) != target.value:
            content.find(file, f"{indicator}.{year}", "sum", "the districts do not add up to the city")
        if year == "2019-2021":
            years = ("2019", "2020", "2021")
            if sum(values[indicator, single, district].value for single in years) != target.value:
                content.find(file, f"{indicator}.{district}", "sum", "the years do not add up to the goal")
