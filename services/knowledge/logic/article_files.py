"""Article files: YAML front matter, then Markdown. `zhigai content check` and the seed read them through here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import marshmallow as ma

from services.knowledge.store.articles import ALL
from shared import safe_yaml
from shared.fields import DIRECTIONS, INDUSTRIES, STATUSES, Said

FOLDER = Path(__file__).parents[1] / "content" / "articles"
KINDS = ("process", "fault", "parameter", "energy", "quality", "standard", "method", "policy", "finding", "example")
SLUG = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"


def _line(maximum: int = 400, **kwargs: Any) -> ma.fields.String:
    return ma.fields.String(validate=ma.validate.Length(min=1, max=maximum), **kwargs)


def _one_of(choices: tuple[str, ...]) -> ma.fields.String:
    return ma.fields.String(required=True, validate=ma.validate.OneOf(choices))


class Text(ma.Schema):
    zh = _line(600, required=True)
    en = _line(1200, required=True)


class Source(ma.Schema):
    text = _line(400, required=True)
    status = _one_of(STATUSES)


class Cause(ma.Schema):
    """One possible cause of a fault: what to look at the same day, and what helps."""

    cause = _line(200, required=True)
    check = _line(400, required=True)
    remedy = _line(400, required=True)


class Quoted(ma.Schema):
    """A figure of the text that a component gives."""

    output = _line(80, required=True, metadata={"description": "`value`, the name of an output, or a dotted path"})
    text = _line(20, required=True, metadata={"description": "The number as it stands in the text"})
    unit = ma.fields.String(required=True, validate=ma.validate.Length(max=30))
    against = _line(40, metadata={"description": "An earlier call: the figure is how far the two lie apart"})
    relative = ma.fields.Boolean(metadata={"description": "With `against`: in per cent of the earlier call's figure"})


class Worked(ma.Schema):
    """A call of a component with the figures that the text quotes from its answer."""

    id = ma.fields.String(required=True, validate=ma.validate.Regexp(SLUG))
    component = _line(80, required=True)
    request = ma.fields.Dict(keys=ma.fields.String(), required=True, metadata={"description": "Body of its predict"})
    quoted = ma.fields.List(ma.fields.Nested(Quoted), required=True, validate=ma.validate.Length(min=1, max=20))


class ArticleFile(ma.Schema):
    """The front matter of one article; anything else in it is refused."""

    id = _line(100, required=True)
    kind = _one_of(KINDS)
    industries = ma.fields.List(_one_of((*INDUSTRIES, ALL)), required=True, validate=ma.validate.Length(min=1))
    directions = ma.fields.List(_one_of(DIRECTIONS), required=True)
    steps = ma.fields.List(
        ma.fields.String(validate=ma.validate.Regexp(SLUG)), metadata={"description": "Of the main industry's chain"}
    )
    causes = ma.fields.List(
        ma.fields.Nested(Cause),
        validate=ma.validate.Length(min=3, max=8),
        metadata={"description": "Of a fault, in the order in which to look"},
    )
    worked = ma.fields.List(
        ma.fields.Nested(Worked),
        validate=ma.validate.Length(min=1, max=12),
        metadata={"description": "Calls of components whose figures stand in the text; a test computes them again"},
    )
    title = ma.fields.Nested(Text, required=True)
    summary = ma.fields.Nested(Text, required=True)
    keywords = ma.fields.List(_line(60), required=True, validate=ma.validate.Length(max=30))
    said = Said()
    status = _one_of(STATUSES)
    sources = ma.fields.List(ma.fields.Nested(Source), required=True, validate=ma.validate.Length(min=1))
    standards = ma.fields.List(ma.fields.String(), required=True)
    components = ma.fields.List(ma.fields.String(), required=True)
    related = ma.fields.List(ma.fields.String(), required=True)
    terms = ma.fields.List(ma.fields.String(), required=True)
    owner = _line(60, required=True)
    last_confirmed = ma.fields.Raw(required=True)
    confirm_by = ma.fields.Raw(required=True)

    @ma.validates_schema
    def _whole(self, data: dict[str, Any], **_: Any) -> None:
        if ALL in data["industries"] and len(data["industries"]) > 1:
            raise ma.ValidationError("`all` stands alone", "industries")
        if ALL in data["industries"] and data.get("steps"):
            raise ma.ValidationError("an entry for all industries belongs to no chain: leave the list empty", "steps")
        if "causes" in data and data["kind"] != "fault":
            raise ma.ValidationError("only entries of kind fault have causes", "causes")
        for name in ("last_confirmed", "confirm_by"):
            if not isinstance(data[name], date):
                raise ma.ValidationError("not a date", name)
        if data["last_confirmed"] >= data["confirm_by"]:
            raise ma.ValidationError("must be after last_confirmed", "confirm_by")


@dataclass(frozen=True)
class ReadArticle:
    id: str
    path: Path
    content: dict[str, Any]
    text: str
    fingerprint: str


def read_one(path: Path) -> ReadArticle:
    """The article in a file. Raises `marshmallow.ValidationError` by field, `yaml.YAMLError` for no YAML at all."""
    whole = path.read_text(encoding="utf-8")
    opening, _, rest = whole.partition("---\n")
    matter, closing, text = rest.partition("\n---\n")
    if opening or not closing:
        raise ma.ValidationError("an article starts with front matter between two lines of ---")
    raw = safe_yaml.loads(matter)
    if not isinstance(raw, Mapping):
        raise ma.ValidationError("the front matter holds one mapping")
    loaded = ArticleFile(unknown=ma.RAISE).load(dict(raw))
    content = {**loaded, **{name: loaded[name].isoformat() for name in ("last_confirmed", "confirm_by")}}
    text = text.strip() + "\n"
    digest = hashlib.sha256(json.dumps([content, text], sort_keys=True, ensure_ascii=False).encode("utf-8"))
    return ReadArticle(content["id"], path, content, text, digest.hexdigest())


def paths(folder: Path = FOLDER) -> list[Path]:
    return sorted(folder.glob("*.md"))


def read(folder: Path = FOLDER) -> list[ReadArticle]:
    return [read_one(path) for path in paths(folder)]
