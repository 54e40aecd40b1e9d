"""A rule as its file says it, checked when it is read: a typing slip in a rule must never become an amount."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import marshmallow as ma
import yaml

from services.programme.rules import conditions
from shared.fields import STATUSES

FOLDER = Path(__file__).parent
KINDS = ("money", "count", "flag", "choice")
Localised = Mapping[str, str]


class _Text(ma.Schema):
    zh = ma.fields.String(required=True)
    en = ma.fields.String(required=True)


class _Clause(ma.Schema):
    document = ma.fields.Nested(_Text, required=True)
    article = ma.fields.Nested(_Text, required=True)
    paraphrase = ma.fields.Nested(_Text, required=True)
    issued = ma.fields.Raw(required=True)
    status = ma.fields.String(required=True, validate=ma.validate.OneOf(STATUSES))


class _Input(ma.Schema):
    name = ma.fields.String(required=True)
    kind = ma.fields.String(required=True, validate=ma.validate.OneOf(KINDS))
    unit = ma.fields.String(required=True)
    required = ma.fields.Boolean(required=True)
    changeable = ma.fields.Boolean(required=True)
    title = ma.fields.Nested(_Text, required=True)
    question = ma.fields.Nested(_Text, required=True)
    choices = ma.fields.List(ma.fields.String())


class _Condition(ma.Schema):
    id = ma.fields.String(required=True)
    text = ma.fields.Nested(_Text, required=True)
    needs = ma.fields.Nested(_Text, required=True)
    test = ma.fields.Dict(required=True)


class _Part(ma.Schema):
    id = ma.fields.String(required=True)
    title = ma.fields.Nested(_Text, required=True)
    base = ma.fields.String(required=True, allow_none=True)
    rate = ma.fields.Decimal(required=True)


class _Amount(ma.Schema):
    parts = ma.fields.List(ma.fields.Nested(_Part), required=True, validate=ma.validate.Length(min=1))
    cap = ma.fields.Decimal(required=True, allow_none=True)
    excludes = ma.fields.List(ma.fields.String(), required=True)


class _Case(ma.Schema):
    given = ma.fields.Dict(required=True)
    verdict = ma.fields.String(required=True, validate=ma.validate.OneOf(("yes", "no", "unknown")))
    amount = ma.fields.Decimal(required=True)


class RuleFile(ma.Schema):
    """What a rule file holds; anything else in it is refused."""

    id = ma.fields.String(required=True)
    title = ma.fields.Nested(_Text, required=True)
    level = ma.fields.Nested(_Text, required=True)
    beneficiary = ma.fields.Nested(_Text, required=True)
    clause = ma.fields.Nested(_Clause, required=True)
    valid_from = ma.fields.Raw(required=True)
    valid_to = ma.fields.Raw(required=True, allow_none=True)
    validity_note = ma.fields.Nested(_Text, required=True)
    supersedes = ma.fields.String(required=True, allow_none=True)
    inputs = ma.fields.List(ma.fields.Nested(_Input), required=True)
    conditions = ma.fields.List(ma.fields.Nested(_Condition), required=True)
    amount = ma.fields.Nested(_Amount, required=True)
    open_points = ma.fields.List(ma.fields.Nested(_Text), required=True)
    cases = ma.fields.List(ma.fields.Nested(_Case), required=True, validate=ma.validate.Length(min=2))

    @ma.validates_schema
    def _whole(self, data: dict[str, Any], **_: Any) -> None:
        names = {each["name"] for each in data["inputs"]}
        for each in data["conditions"]:
            try:
                read = set(conditions.inputs_of(each["test"]))
            except (conditions.UnknownFormError, KeyError, TypeError) as wrong:
                raise ma.ValidationError(f"condition {each['id']}: {wrong}") from wrong
            if read - names:
                raise ma.ValidationError(f"condition {each['id']} reads {sorted(read - names)}, which are no inputs")
        for part in data["amount"]["parts"]:
            if part["base"] is not None and part["base"] not in names:
                raise ma.ValidationError(f"part {part['id']} has the base {part['base']}, which is no input")
        for case in data["cases"]:
            if set(case["given"]) - names - {"as_of"}:
                raise ma.ValidationError(f"a case gives {sorted(set(case['given']) - names)}, which are no inputs")
        for name in ("valid_from", "valid_to"):
            if data[name] is not None and not isinstance(data[name], date):
                raise ma.ValidationError(f"{name} is not a date", name)


@dataclass(frozen=True)
class Input:
    name: str
    kind: str
    unit: str
    required: bool
    changeable: bool
    title: Localised
    question: Localised
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Condition:
    id: str
    text: Localised
    needs: Localised
    test: Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    id: str
    title: Localised
    base: str | None
    """Name of the input that is multiplied, or None for a fixed amount."""
    rate: Decimal


@dataclass(frozen=True)
class Rule:
    id: str
    title: Localised
    level: Localised
    beneficiary: Localised
    clause: Mapping[str, Any]
    valid_from: date
    valid_to: date | None
    validity_note: Localised
    supersedes: str | None
    inputs: tuple[Input, ...]
    conditions: tuple[Condition, ...]
    parts: tuple[Part, ...]
    cap: Decimal | None
    excludes: tuple[str, ...]
    open_points: tuple[Localised, ...]
    cases: tuple[Mapping[str, Any], ...]

    def input(self, name: str) -> Input:
        return next(each for each in self.inputs if each.name == name)

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True)
class RuleSet:
    rules: Mapping[str, Rule]
    hash: str
    """Of the content of all rule files: two calculations with the same hash used the same rules."""

    def in_force(self, rule_id: str, day: date) -> Rule:
        """The rule of this line (it, what it superseded, what superseded it) that held on `day`, else the newest."""
        line = self._line(rule_id)
        for rule in line:
            if rule.holds_on(day):
                return rule
        return line[0]

    def _line(self, rule_id: str) -> list[Rule]:
        newest = self.rules[rule_id]
        while (later := next((each for each in self.rules.values() if each.supersedes == newest.id), None)) is not None:
            newest = later
        line = [newest]
        while line[-1].supersedes is not None:
            line.append(self.rules[line[-1].supersedes])
        return line


def parse(raw: Mapping[str, Any]) -> Rule:
    """The rule in a file's content. Raises `marshmallow.ValidationError` by field."""
    data = RuleFile(unknown=ma.RAISE).load(dict(raw))
    return Rule(
        id=data["id"],
        title=data["title"],
        level=data["level"],
        beneficiary=data["beneficiary"],
        clause=data["clause"],
        valid_from=data["valid_from"],
        valid_to=data["valid_to"],
        validity_note=data["validity_note"],
        supersedes=data["supersedes"],
        inputs=tuple(Input(**{**each, "choices": tuple(each.get("choices", ()))}) for each in data["inputs"]),
        conditions=tuple(Condition(**each) for each in data["conditions"]),
        parts=tuple(Part(**each) for each in data["amount"]["parts"]),
        cap=data["amount"]["cap"],
        excludes=tuple(data["amount"]["excludes"]),
        open_points=tuple(data["open_points"]),
        cases=tuple(data["cases"]),
    )


def read(folder: Path) -> RuleSet:
    """All rules of a folder."""
    rules: dict[str, Rule] = {}
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.yaml")):
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        rule = parse(raw)
        rules[rule.id] = rule
        digest.update(json.dumps(raw, sort_keys=True, ensure_ascii=False, default=str).encode("utf-8"))
    return RuleSet(rules, f"sha256:{digest.hexdigest()}")


@cache
def load() -> RuleSet:
    """The rules as shipped."""
    return read(FOLDER)
