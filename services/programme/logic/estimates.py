"""What the plan pays for one case, whether that is known, and what would change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import marshmallow as ma

from services.programme.rules.changes import Change, changes
from services.programme.rules.engine import Computed, compute
from services.programme.rules.rule import Input, Rule, RuleSet
from shared.errors import BadInput, NotFound
from shared.fields import Yuan

ENTERPRISE_RULE = "demo_project_grant"
MOST_COUNTED = 1_000_000


@dataclass(frozen=True)
class Estimate:
    computed: Computed
    changes: tuple[Change, ...]
    ruleset: str
    plan_over: bool
    """No date was given and the rule is no longer in force, so the last day on which it was is taken."""


def estimate(rules: RuleSet, *, rule_id: str, given: Mapping[str, Any], as_of: date | None, today: date) -> Estimate:
    """Computes `rule_id` for what is `given` (plain JSON values by input name) on `as_of`.

    Without a date the rule in force today is used; when none is any more, the newest one on its last day, and the
    estimate says so. Raises `NotFound` for an unknown rule and `BadInput` for inputs that are wrong or lacking.
    """
    if rule_id not in rules.rules:
        raise NotFound(kind="subsidy rule", id=rule_id[:120])
    day = as_of or today
    rule = rules.in_force(rule_id, day)
    plan_over = as_of is None and rule.valid_to is not None and rule.valid_to < today
    if plan_over and rule.valid_to is not None:
        day = rule.valid_to
    values = _read(rule, given)
    computed = compute(rule, values, day)
    return Estimate(computed, tuple(changes(computed, values)), rules.hash, plan_over)


def _read(rule: Rule, given: Mapping[str, Any]) -> dict[str, Any]:
    wrong: dict[str, list[str]] = {}
    values: dict[str, Any] = {}
    known = {each.name: each for each in rule.inputs}
    for name, value in given.items():
        if name not in known:
            allowed = ", ".join(known)
            wrong[_path(name)] = [f"此规则没有这一项，可用 / this rule has no such input, use: {allowed}"]
            continue
        try:
            values[name] = None if value is None else _value(known[name], value)
        except ma.ValidationError as refused:
            wrong[_path(name)] = [str(message) for message in refused.messages]
    for name, each in known.items():
        if each.required and given.get(name) is None:
            wrong[_path(name)] = [f"缺少{each.title['zh']}（元） / {each.title['en']} in yuan is missing"]
    if wrong:
        raise BadInput(errors=wrong)
    return values


def _path(name: str) -> str:
    return name[:80] if name in ("equipment_investment", "technology_investment") else f"facts.{name[:80]}"


def _value(wanted: Input, value: Any) -> Any:
    """The value as the engine takes it. Raises `marshmallow.ValidationError`."""
    if wanted.kind == "money":
        # Adding zero turns a negative zero into a plain one.
        return Yuan().deserialize(value) + Decimal(0)
    if wanted.kind == "count":
        return ma.fields.Integer(strict=True, validate=ma.validate.Range(min=0, max=MOST_COUNTED)).deserialize(
            _not_flag(value)
        )
    if wanted.kind == "flag":
        if not isinstance(value, bool):
            raise ma.ValidationError("须为 true、false 或 null（不知道） / must be true, false or null (not known)")
        return value
    return ma.fields.String(validate=ma.validate.OneOf(wanted.choices)).deserialize(value)


def _not_flag(value: Any) -> Any:
    if isinstance(value, bool):
        raise ma.ValidationError("须为整数 / must be a whole number")
    return value
