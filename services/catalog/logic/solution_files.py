"""Solution files: what one holds, read and checked. `zhigai content check` and the seed read them through here."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import marshmallow as ma

from shared.fields import DIRECTIONS, INDUSTRIES, STATUSES, Said
from shared.industry_files import content_of

FOLDER = Path(__file__).parents[1] / "content" / "solutions"
SCALES = ("low_cost", "single", "integrated", "full_factory")
"""低成本起步, 单点单机, 成线成片, 全厂."""
SLUG = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"


def _line(maximum: int = 400, **kwargs: Any) -> ma.fields.String:
    return ma.fields.String(validate=ma.validate.Length(min=1, max=maximum), **kwargs)


def _one_of(choices: tuple[str, ...]) -> ma.fields.String:
    return ma.fields.String(required=True, validate=ma.validate.OneOf(choices))


def _lines(minimum: int, maximum: int, length: int = 400) -> ma.fields.List[Any]:
    return ma.fields.List(_line(length), required=True, validate=ma.validate.Length(min=minimum, max=maximum))


class Text(ma.Schema):
    zh = _line(600, required=True)
    en = _line(1200, required=True)


class Measure(ma.Schema):
    direction = _one_of(DIRECTIONS)
    title = _line(80, required=True)
    text = _line(2000, required=True)


class DataPoint(ma.Schema):
    name = _line(60, required=True)
    unit = ma.fields.String(required=True, validate=ma.validate.Length(max=30))
    why = _line(300, required=True)


class Verify(ma.Schema):
    text = _line(600, required=True)
    component = ma.fields.String(allow_none=True)


class Effect(ma.Schema):
    kpi = _line(80, required=True)
    unit = ma.fields.String(required=True, validate=ma.validate.Length(max=30))
    change = _one_of(("lower", "higher"))
    low = ma.fields.Float(required=True, allow_none=True)
    high = ma.fields.Float(required=True, allow_none=True)
    status = _one_of(STATUSES)
    source = _line(300, required=True)
    year = ma.fields.Integer(required=True, allow_none=True, validate=ma.validate.Range(1990, 2100))
    verify = ma.fields.Nested(Verify, required=True)

    @ma.validates_schema
    def _range(self, data: dict[str, Any], **_: Any) -> None:
        low, high = data["low"], data["high"]
        if (low is None) != (high is None):
            raise ma.ValidationError("low and high stand together or not at all", "low")
        if low is not None and high is not None and low > high:
            raise ma.ValidationError("low is above high", "low")


class Investment(ma.Schema):
    low = ma.fields.Float(required=True)
    high = ma.fields.Float(required=True)
    unit = _line(20, required=True)
    status = _one_of(STATUSES)
    source = _line(300, required=True)
    year = ma.fields.Integer(required=True, validate=ma.validate.Range(1990, 2100))


class Effort(ma.Schema):
    months_low = ma.fields.Float(required=True, validate=ma.validate.Range(min=0))
    months_high = ma.fields.Float(required=True, validate=ma.validate.Range(min=0, max=60))
    status = _one_of(STATUSES)


class Role(ma.Schema):
    who = _line(60, required=True)
    does = _line(300, required=True)


class Integration(ma.Schema):
    """How the solution meets a machine or system that stands there already."""

    existing = _line(120, required=True, data_key="with", attribute="with")
    protocol = _line(80, required=True)
    how = _line(400, required=True)


class SolutionFile(ma.Schema):
    """One solution; anything else in the file is refused."""

    id = _line(100, required=True)
    industries = ma.fields.List(_one_of(INDUSTRIES), required=True, validate=ma.validate.Length(min=1))
    directions = ma.fields.List(_one_of(DIRECTIONS), required=True, validate=ma.validate.Length(min=1))
    scale = ma.fields.String(validate=ma.validate.OneOf(SCALES))
    steps = ma.fields.List(
        ma.fields.String(validate=ma.validate.Regexp(SLUG)), metadata={"description": "Of the main industry's chain"}
    )
    title = ma.fields.Nested(Text, required=True)
    summary = ma.fields.Nested(Text, required=True)
    keywords = _lines(1, 30, 60)
    said = Said()
    problem = _line(3000, required=True)
    suits = _line(1000, required=True)
    measures = ma.fields.List(ma.fields.Nested(Measure), required=True, validate=ma.validate.Length(min=3, max=6))
    data_points = ma.fields.List(ma.fields.Nested(DataPoint), required=True, validate=ma.validate.Length(max=12))
    equipment = ma.fields.List(_line(200), validate=ma.validate.Length(min=1, max=8))
    integration = ma.fields.List(ma.fields.Nested(Integration), validate=ma.validate.Length(min=1, max=6))
    effects = ma.fields.List(ma.fields.Nested(Effect), required=True, validate=ma.validate.Length(min=1, max=4))
    investment = ma.fields.Nested(Investment, required=True, allow_none=True)
    effort = ma.fields.Nested(Effort, required=True, allow_none=True)
    prerequisites = _lines(0, 12)
    risks = _lines(0, 12)
    roles = ma.fields.List(ma.fields.Nested(Role), required=True, validate=ma.validate.Length(max=10))
    ask_provider = _lines(0, 12)
    acceptance = _lines(1, 12)
    subsidy_rule = ma.fields.String(required=True, allow_none=True)
    components = ma.fields.List(ma.fields.String(), required=True)
    articles = ma.fields.List(ma.fields.String(), required=True)
    terms = ma.fields.List(ma.fields.String(), required=True)
    standards = ma.fields.List(ma.fields.String(), required=True)
    owner = _line(60, required=True)
    last_confirmed = ma.fields.Raw(required=True)
    confirm_by = ma.fields.Raw(required=True)

    @ma.validates_schema
    def _dates(self, data: dict[str, Any], **_: Any) -> None:
        for name in ("last_confirmed", "confirm_by"):
            if not isinstance(data[name], date):
                raise ma.ValidationError("not a date", name)
        if data["last_confirmed"] >= data["confirm_by"]:
            raise ma.ValidationError("must be after last_confirmed", "confirm_by")


@dataclass(frozen=True)
class ReadSolution:
    id: str
    path: Path
    content: dict[str, Any]
    fingerprint: str


def read_one(path: Path) -> ReadSolution:
    """The solution in a file. Raises `marshmallow.ValidationError` by field, `yaml.YAMLError` for no YAML at all."""
    loaded = content_of(path, SolutionFile, "solution")
    content = {**loaded, **{name: loaded[name].isoformat() for name in ("last_confirmed", "confirm_by")}}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode("utf-8")).hexdigest()
    return ReadSolution(content["id"], path, content, digest)


def paths(folder: Path = FOLDER) -> list[Path]:
    return sorted(folder.glob("*/*.yaml"))


def read(folder: Path = FOLDER) -> list[ReadSolution]:
    return [read_one(path) for path in paths(folder)]
