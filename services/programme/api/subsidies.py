"""Subsidy estimates and the rules behind them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import marshmallow as ma

from services.programme.api.showing import estimate_shown, rule_shown
from services.programme.logic import estimates
from services.programme.rules import rule as rule_files
from services.programme.rules.verdict import Verdict
from shared.fields import Yuan
from shared.http.service_app import language
from shared.http.views import ServiceBlueprint

blueprint = ServiceBlueprint("subsidies", __name__, url_prefix="/api/v1/subsidies")

_VERDICTS = [each.value for each in Verdict]


class EstimateIn(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    equipment_investment = Yuan(metadata={"example": "20000000", "description": "Actual equipment investment, yuan"})
    technology_investment = Yuan(metadata={"example": "5000000", "description": "Technology and IT spending, yuan"})
    as_of = ma.fields.Date(
        error_messages={"invalid": "不是日期，应写作 YYYY-MM-DD / not a date, write YYYY-MM-DD"},
        metadata={"description": "The day for which to compute; by default today"},
    )
    rule = ma.fields.String(
        load_default=estimates.ENTERPRISE_RULE, validate=ma.validate.Length(max=80), metadata={"description": "Rule id"}
    )
    facts = ma.fields.Dict(
        keys=ma.fields.String(validate=ma.validate.Length(max=80)),
        validate=ma.validate.Length(max=40),
        load_default=dict,
        metadata={
            "description": "The rule's other inputs by name; null means not known",
            "example": {"recognised": True},
        },
    )


class ClauseOut(ma.Schema):
    document = ma.fields.String()
    article = ma.fields.String()
    text = ma.fields.String()
    issued = ma.fields.String()
    status = ma.fields.String()


class PartOut(ma.Schema):
    rule = ma.fields.String()
    id = ma.fields.String()
    title = ma.fields.String()
    base = ma.fields.String()
    rate = ma.fields.String()
    amount = ma.fields.String()


class RuleShort(ma.Schema):
    id = ma.fields.String()
    title = ma.fields.String()
    level = ma.fields.String()
    beneficiary = ma.fields.String()
    clause = ma.fields.Nested(ClauseOut)
    valid_from = ma.fields.String()
    valid_to = ma.fields.String(allow_none=True)
    validity_note = ma.fields.String()
    open_points = ma.fields.List(ma.fields.String())


class ConditionOut(ma.Schema):
    id = ma.fields.String()
    text = ma.fields.String()
    clause = ma.fields.Nested(ClauseOut)
    clause_text = ma.fields.String()
    state = ma.fields.String(validate=ma.validate.OneOf(_VERDICTS))
    value = ma.fields.Raw(allow_none=True)
    value_text = ma.fields.String()
    needed = ma.fields.String()


class ChangeOut(ma.Schema):
    effect = ma.fields.String(validate=ma.validate.OneOf(["verdict", "amount"]))
    set = ma.fields.Dict(keys=ma.fields.String())
    text = ma.fields.String()
    verdict = ma.fields.String(validate=ma.validate.OneOf(_VERDICTS))
    amount = ma.fields.String()
    extra_investment = ma.fields.String()
    extra_amount = ma.fields.String()


class QuestionOut(ma.Schema):
    name = ma.fields.String()
    kind = ma.fields.String()
    unit = ma.fields.String()
    title = ma.fields.String()
    question = ma.fields.String()


class EstimateOut(ma.Schema):
    amount = ma.fields.String(metadata={"description": "What the plan pays if every condition holds, yuan"})
    payable = ma.fields.String(
        allow_none=True,
        metadata={"description": "The amount when the verdict is yes, 0.00 when no, null while unknown"},
    )
    parts = ma.fields.List(ma.fields.Nested(PartOut))
    uncapped = ma.fields.String()
    cap = ma.fields.String(allow_none=True)
    capped = ma.fields.Boolean()
    verdict = ma.fields.String(validate=ma.validate.OneOf(_VERDICTS))
    conditions = ma.fields.List(ma.fields.Nested(ConditionOut))
    missing = ma.fields.List(ma.fields.String())
    questions = ma.fields.List(ma.fields.Nested(QuestionOut))
    changes = ma.fields.List(ma.fields.Nested(ChangeOut))
    rules = ma.fields.List(ma.fields.Nested(RuleShort))
    as_of = ma.fields.String()
    notices = ma.fields.List(ma.fields.String())
    open_points = ma.fields.List(ma.fields.String())
    ruleset = ma.fields.String()


class NeedOut(ma.Schema):
    id = ma.fields.String()
    text = ma.fields.String()
    needed = ma.fields.String()


class RateOut(ma.Schema):
    rule = ma.fields.String()
    id = ma.fields.String()
    title = ma.fields.String()
    base = ma.fields.String()
    rate = ma.fields.String()


class RuleOut(RuleShort):
    supersedes = ma.fields.String(allow_none=True)
    inputs = ma.fields.List(ma.fields.Nested(QuestionOut))
    conditions = ma.fields.List(ma.fields.Nested(NeedOut))
    parts = ma.fields.List(ma.fields.Nested(RateOut))
    cap = ma.fields.String(allow_none=True)
    cases = ma.fields.List(ma.fields.Dict())


class RulesOut(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(RuleOut))
    total = ma.fields.Integer()
    page = ma.fields.Integer()
    size = ma.fields.Integer()
    ruleset = ma.fields.String()


@blueprint.post("/estimate")
@blueprint.arguments(EstimateIn)
@blueprint.response(200, EstimateOut)
def estimate(body: dict[str, Any]) -> dict[str, Any]:
    """What the plan pays, whether that is known, which conditions decide it and what would change it."""
    given = {**body["facts"], **{name: body[name] for name in body if name.endswith("_investment")}}
    found = estimates.estimate(
        rule_files.load(),
        rule_id=body["rule"],
        given=given,
        as_of=body.get("as_of"),
        today=datetime.now(UTC).date(),
    )
    return estimate_shown(found, language())


@blueprint.get("/rules")
@blueprint.response(200, RulesOut)
def list_rules() -> dict[str, Any]:
    """All rules with clause, inputs, conditions, rates, caps, open points and worked cases."""
    rules = rule_files.load()
    items = [rule_shown(each, language()) for each in rules.rules.values()]
    return {"items": items, "total": len(items), "page": 1, "size": len(items), "ruleset": rules.hash}
