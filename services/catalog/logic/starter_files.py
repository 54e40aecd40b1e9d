"""Starter-pack files: for each industry, three measures for a firm with few people and little money, and what can wait."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import marshmallow as ma

from services.catalog.logic.solution_files import Text
from shared.fields import INDUSTRIES
from shared.industry_files import content_of

FOLDER = Path(__file__).parents[1] / "content" / "starter_packs"


class FirstMeasure(ma.Schema):
    solution = ma.fields.String(required=True)
    why_first = ma.fields.Nested(Text, required=True)
    first_week = ma.fields.Nested(Text, required=True)
    proof = ma.fields.Nested(Text, required=True)
    component = ma.fields.String(required=True, allow_none=True)


class StarterPackFile(ma.Schema):
    """The starter pack of one industry; anything else in the file is refused."""

    industry = ma.fields.String(required=True, validate=ma.validate.OneOf(INDUSTRIES))
    title = ma.fields.Nested(Text, required=True)
    audience = ma.fields.Nested(Text, required=True, data_key="for", attribute="for")
    measures = ma.fields.List(ma.fields.Nested(FirstMeasure), required=True, validate=ma.validate.Length(equal=3))
    not_yet = ma.fields.List(ma.fields.Nested(Text), required=True, validate=ma.validate.Length(min=2, max=3))


@dataclass(frozen=True)
class ReadStarterPack:
    industry: str
    path: Path
    content: dict[str, Any]


def read_one(path: Path) -> ReadStarterPack:
    """The pack in a file. Raises `marshmallow.ValidationError` by field, `yaml.YAMLError` for no YAML at all."""
    content = content_of(path, StarterPackFile, "starter pack")
    return ReadStarterPack(content["industry"], path, content)


def paths(folder: Path = FOLDER) -> list[Path]:
    return sorted(folder.glob("*.yaml"))


def read(folder: Path = FOLDER) -> list[ReadStarterPack]:
    return [read_one(path) for path in paths(folder)]
