"""Chain files: the process steps of an industry, in order, each with what it takes and what can go wrong in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import marshmallow as ma

from services.knowledge.logic.article_files import SLUG, Text
from shared.fields import INDUSTRIES, STATUSES
from shared.industry_files import content_of

FOLDER = Path(__file__).parents[1] / "content" / "chains"


def _line(maximum: int, **kwargs: Any) -> ma.fields.String:
    return ma.fields.String(validate=ma.validate.Length(min=1, max=maximum), **kwargs)


def _lines(minimum: int, maximum: int, length: int) -> ma.fields.List[Any]:
    return ma.fields.List(_line(length), required=True, validate=ma.validate.Length(min=minimum, max=maximum))


class Parameter(ma.Schema):
    name = _line(60, required=True)
    unit = ma.fields.String(required=True, validate=ma.validate.Length(max=30))
    window = _line(200, required=True, allow_none=True)
    status = ma.fields.String(required=True, validate=ma.validate.OneOf(STATUSES))


class Step(ma.Schema):
    id = ma.fields.String(required=True, validate=ma.validate.Regexp(SLUG))
    zh = _line(40, required=True)
    en = _line(80, required=True)
    equipment = _lines(0, 12, 80)
    parameters = ma.fields.List(ma.fields.Nested(Parameter), required=True, validate=ma.validate.Length(max=12))
    quality = _lines(0, 12, 120)
    energy = _lines(0, 8, 40)
    next = ma.fields.List(ma.fields.String(), required=True, metadata={"description": "Ids of the steps that follow"})


class ChainFile(ma.Schema):
    """The chain of one industry; anything else in the file is refused."""

    industry = ma.fields.String(required=True, validate=ma.validate.OneOf(INDUSTRIES))
    title = ma.fields.Nested(Text, required=True)
    source = _line(400, required=True)
    status = ma.fields.String(required=True, validate=ma.validate.OneOf(STATUSES))
    steps = ma.fields.List(ma.fields.Nested(Step), required=True, validate=ma.validate.Length(min=8, max=14))

    @ma.validates_schema
    def _whole(self, data: dict[str, Any], **_: Any) -> None:
        ids = [step["id"] for step in data["steps"]]
        twice = sorted({each for each in ids if ids.count(each) > 1})
        if twice:
            raise ma.ValidationError(f"used twice: {', '.join(twice)}", "steps")
        for place, step in enumerate(data["steps"]):
            unknown = [each for each in step["next"] if each not in ids]
            if unknown or step["id"] in step["next"]:
                wrong = ", ".join(unknown) or step["id"]
                raise ma.ValidationError({"steps": {place: {"next": [f"no other step of this chain: {wrong}"]}}})


@dataclass(frozen=True)
class ReadChain:
    industry: str
    path: Path
    content: dict[str, Any]

    @property
    def steps(self) -> dict[str, dict[str, Any]]:
        """By id, in the order of the process."""
        return {step["id"]: step for step in self.content["steps"]}


def read_one(path: Path) -> ReadChain:
    """The chain in a file. Raises `marshmallow.ValidationError` by field, `yaml.YAMLError` for no YAML at all."""
    content = content_of(path, ChainFile, "chain")
    return ReadChain(content["industry"], path, content)


def paths(folder: Path = FOLDER) -> list[Path]:
    return sorted(folder.glob("*.yaml"))


def read(folder: Path = FOLDER) -> list[ReadChain]:
    return [read_one(path) for path in paths(folder)]
