"""Diagnosis add-ons: what to ask a firm of one industry beyond the general questions, with the measures that help."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import marshmallow as ma

from shared.fields import INDUSTRIES, STATUSES
from shared.industry_files import content_of

FOLDER = Path(__file__).parents[1] / "content" / "diagnosis"
_SLUG = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"


def _line(maximum: int, **kwargs: Any) -> ma.fields.String:
    return ma.fields.String(validate=ma.validate.Length(min=1, max=maximum), **kwargs)


class Text(ma.Schema):
    zh = _line(400, required=True)
    en = _line(800, required=True)


class Option(ma.Schema):
    level = ma.fields.Integer(required=True, strict=True, validate=ma.validate.Range(1, 5))
    zh = _line(200, required=True)
    en = _line(400, required=True)


class Question(ma.Schema):
    id = ma.fields.String(required=True, validate=ma.validate.Regexp(_SLUG))
    text = ma.fields.Nested(Text, required=True)
    why = ma.fields.Nested(Text, required=True)
    step = ma.fields.String(required=True)
    options = ma.fields.List(ma.fields.Nested(Option), required=True, validate=ma.validate.Length(equal=4))
    measures = ma.fields.List(ma.fields.String(), required=True, validate=ma.validate.Length(min=1, max=6))

    @ma.validates_schema
    def _rising(self, data: dict[str, Any], **_: Any) -> None:
        levels = [each["level"] for each in data["options"]]
        if any(later <= earlier for earlier, later in pairwise(levels)):
            raise ma.ValidationError("the levels rise from option to option", "options")


class DiagnosisFile(ma.Schema):
    """The questions of one industry; anything else in the file is refused."""

    industry = ma.fields.String(required=True, validate=ma.validate.OneOf(INDUSTRIES))
    status = ma.fields.String(required=True, validate=ma.validate.OneOf(STATUSES))
    questions = ma.fields.List(ma.fields.Nested(Question), required=True, validate=ma.validate.Length(min=6, max=8))

    @ma.validates_schema
    def _ids_once(self, data: dict[str, Any], **_: Any) -> None:
        ids = [each["id"] for each in data["questions"]]
        twice = sorted({each for each in ids if ids.count(each) > 1})
        if twice:
            raise ma.ValidationError(f"used twice: {', '.join(twice)}", "questions")


@dataclass(frozen=True)
class ReadDiagnosis:
    industry: str
    path: Path
    content: dict[str, Any]


def read_one(path: Path) -> ReadDiagnosis:
    """The questions in a file. Raises `marshmallow.ValidationError` by field, `yaml.YAMLError` for no YAML at all."""
    content = content_of(path, DiagnosisFile, "diagnosis")
    return ReadDiagnosis(content["industry"], path, content)


def paths(folder: Path = FOLDER) -> list[Path]:
    return sorted(folder.glob("*.yaml"))


def read(folder: Path = FOLDER) -> list[ReadDiagnosis]:
    return [read_one(path) for path in paths(folder)]
