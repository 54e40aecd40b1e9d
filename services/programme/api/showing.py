"""How estimates and rules are shown: plain JSON in the caller's language, amounts as decimal strings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from services.programme.logic.estimates import Estimate
from services.programme.rules.changes import Change
from services.programme.rules.engine import FEN, Computed, Walked
from services.programme.rules.rule import Rule
from shared.fields import localised, yuan_text

_WORDS = {
    "zh": {True: "是", False: "否", None: "未提供", "from": "{low} 至 {high}", "since": "{low} 起"},
    "en": {True: "yes", False: "no", None: "not given", "from": "{low} to {high}", "since": "since {low}"},
}
_SET = {
    "money": {"zh": "{title}增加 {extra} 元，到 {value} 元", "en": "{title}: {extra} yuan more, {value} yuan in all"},
    "other": {"zh": "{title}：{value}", "en": "{title}: {value}"},
}
_IN_FORCE = {"zh": "规则在计算日有效", "en": "The rule is in force on the day of the calculation"}
_CLAUSE = {"zh": "《{document}》{article}：{text}", "en": "{document}, {article}: {text}"}
_PLAN_OVER = {
    "zh": "没有给出日期，而这条规则的有效期到 {day} 为止，因此按 {day} 计算。现在是否仍可申请，请向主管部门核实。",
    "en": "No date was given and this rule was in force until {day}, so it was computed as of {day}. "
    "Ask the authority whether an application is still possible.",
}


def estimate_shown(found: Estimate, speech: str) -> dict[str, Any]:
    computed = found.computed
    rule = computed.rule
    notices = [_PLAN_OVER[speech].format(day=computed.as_of)] if found.plan_over else []
    return {
        "amount": yuan_text(computed.amount),
        "payable": None if computed.payable is None else yuan_text(computed.payable),
        "parts": [
            {
                "rule": rule.id,
                "id": each.part.id,
                "title": localised(each.part.title, speech),
                "base": _plain(each.base) if _is_money(rule, each.part.base) else str(each.base),
                "rate": str(each.part.rate),
                "amount": _plain(each.amount),
            }
            for each in computed.parts
        ],
        "uncapped": _plain(computed.uncapped),
        "cap": None if rule.cap is None else yuan_text(rule.cap),
        "capped": computed.capped,
        "verdict": computed.verdict.value,
        "conditions": [_condition_shown(computed, each, speech) for each in computed.conditions],
        "missing": list(computed.missing),
        "questions": [_question_shown(rule, name, speech) for name in computed.missing],
        "changes": [_change_shown(computed, each, speech) for each in found.changes],
        "rules": [_rule_short(rule, speech)],
        "as_of": computed.as_of.isoformat(),
        "notices": notices,
        "open_points": [localised(each, speech) for each in rule.open_points],
        "ruleset": found.ruleset,
    }


def _condition_shown(computed: Computed, walked: Walked, speech: str) -> dict[str, Any]:
    values = [_json_value(value) for value in walked.values.values()]
    shown = [_value_text(value, speech) for value in walked.values.values()]
    clause = _clause_shown(computed.rule, speech)
    if walked.condition is None:
        text, needed = _IN_FORCE[speech], _validity(computed.rule, speech)
    else:
        text, needed = localised(walked.condition.text, speech), localised(walked.condition.needs, speech)
    return {
        "id": walked.id,
        "text": text,
        "clause": clause,
        "clause_text": _CLAUSE[speech].format(**clause),
        "state": walked.state.value,
        "value": values[0] if len(values) == 1 else dict(zip(walked.values, values, strict=True)),
        "value_text": "、".join(shown) if speech == "zh" else ", ".join(shown),
        "needed": needed,
    }


def _change_shown(now: Computed, change: Change, speech: str) -> dict[str, Any]:
    return {
        "effect": change.effect,
        "set": {name: _json_value(value) for name, value in change.set.items()},
        "text": _change_text(now, change, speech),
        "verdict": change.outcome.verdict.value,
        "amount": yuan_text(change.outcome.amount),
        "extra_investment": yuan_text(change.extra_yuan),
        "extra_amount": yuan_text(change.outcome.amount - now.amount),
    }


def _change_text(now: Computed, change: Change, speech: str) -> str:
    said = []
    for name, value in change.set.items():
        found = now.rule.input(name)
        form = _SET["money" if found.kind == "money" else "other"][speech]
        extra = yuan_text(change.extra_yuan)
        said.append(form.format(title=localised(found.title, speech), extra=extra, value=_value_text(value, speech)))
    return ("；" if speech == "zh" else "; ").join(said)


def _rule_short(rule: Rule, speech: str) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": localised(rule.title, speech),
        "level": localised(rule.level, speech),
        "beneficiary": localised(rule.beneficiary, speech),
        "clause": _clause_shown(rule, speech),
        "valid_from": rule.valid_from.isoformat(),
        "valid_to": rule.valid_to.isoformat() if rule.valid_to else None,
        "validity_note": localised(rule.validity_note, speech),
        "open_points": [localised(each, speech) for each in rule.open_points],
    }


def rule_shown(rule: Rule, speech: str) -> dict[str, Any]:
    return {
        **_rule_short(rule, speech),
        "supersedes": rule.supersedes,
        "inputs": [_question_shown(rule, each.name, speech) for each in rule.inputs],
        "conditions": [
            {"id": each.id, "text": localised(each.text, speech), "needed": localised(each.needs, speech)}
            for each in rule.conditions
        ],
        "parts": [
            {
                "rule": rule.id,
                "id": each.id,
                "title": localised(each.title, speech),
                "base": each.base or "1",
                "rate": str(each.rate),
            }
            for each in rule.parts
        ],
        "cap": None if rule.cap is None else yuan_text(rule.cap),
        "cases": [
            {
                "given": {name: _json_value(value) for name, value in case["given"].items()},
                "verdict": case["verdict"],
                "amount": yuan_text(case["amount"]),
            }
            for case in rule.cases
        ],
    }


def _clause_shown(rule: Rule, speech: str) -> dict[str, str]:
    clause: Mapping[str, Any] = rule.clause
    return {
        "document": localised(clause["document"], speech),
        "article": localised(clause["article"], speech),
        "text": localised(clause["paraphrase"], speech),
        "issued": str(clause["issued"]),
        "status": clause["status"],
    }


def _question_shown(rule: Rule, name: str, speech: str) -> dict[str, str]:
    found = rule.input(name)
    return {
        "name": name,
        "kind": found.kind,
        "unit": found.unit,
        "title": localised(found.title, speech),
        "question": localised(found.question, speech),
    }


def _validity(rule: Rule, speech: str) -> str:
    form = _WORDS[speech]["from" if rule.valid_to else "since"]
    return form.format(low=rule.valid_from, high=rule.valid_to)


def _is_money(rule: Rule, name: str | None) -> bool:
    return name is not None and rule.input(name).kind == "money"


def _plain(amount: Decimal) -> str:
    """Exact decimal digits, at least two places: parts add up without a rounding in between."""
    text = f"{amount.normalize():f}"
    return text if "." in text and len(text.split(".")[1]) > 2 else f"{amount.quantize(FEN):f}"


def _json_value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return yuan_text(value)
    return value.isoformat() if isinstance(value, date) else value


def _value_text(value: Any, speech: str) -> str:
    if value is None or isinstance(value, bool):
        return _WORDS[speech][value]
    return str(_json_value(value))
