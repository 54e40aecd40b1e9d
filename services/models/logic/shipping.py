"""Component folders: read for the database, and checked by the same rules on a laptop and on the server."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import marshmallow as ma

from services.models.inference.release import (
    SHIPPED,
    VERSION,
    ReleaseFolder,
    component_names,
    open_release,
    versions_of,
)
from services.models.inference.signature import CELL_DATATYPES, DATATYPES, Feature
from shared.fields import DIRECTIONS, INDUSTRIES, Said

KINDS = ("model", "tool", "http")
FEWEST_EXAMPLES = 3
METRICS = {
    "mae": ("平均绝对误差", "Mean absolute error"),
    "rmse": ("均方根误差", "Root mean square error"),
    "wape_percent": ("加权百分误差", "Weighted percentage error"),
    "accuracy": ("准确率", "Accuracy"),
    "macro_f1": ("宏平均 F1", "Macro F1"),
    "interval_coverage": ("区间覆盖率", "Coverage of the intervals"),
    "set_coverage": ("集合覆盖率", "Coverage of the sets"),
}


class Both(ma.Schema):
    zh = ma.fields.String(required=True, validate=ma.validate.Length(min=1, max=600))
    en = ma.fields.String(required=True, validate=ma.validate.Length(min=1, max=1200))


class ComponentFile(ma.Schema):
    """`component.yaml`; anything else in it is refused."""

    name = ma.fields.String(required=True, validate=ma.validate.Regexp(r"^[a-z0-9][a-z0-9-]{1,62}$"))
    kind = ma.fields.String(required=True, validate=ma.validate.OneOf(KINDS))
    title = ma.fields.Nested(Both, required=True)
    answers = ma.fields.Nested(Both, required=True)
    summary = ma.fields.Nested(Both, required=True)
    valid_for = ma.fields.Nested(Both, required=True)
    source = ma.fields.Nested(Both, required=True)
    licence = ma.fields.Nested(Both, required=True)
    naive = ma.fields.Nested(Both)
    industries = ma.fields.List(ma.fields.String(validate=ma.validate.OneOf(INDUSTRIES)), required=True)
    directions = ma.fields.List(ma.fields.String(validate=ma.validate.OneOf(DIRECTIONS)), required=True)
    keywords = ma.fields.List(ma.fields.String(), required=True)
    said = Said()
    articles = ma.fields.List(ma.fields.String(), load_default=list)
    solutions = ma.fields.List(ma.fields.String(), load_default=list)
    owner = ma.fields.String(required=True)
    organisation = ma.fields.String(allow_none=True)
    """Of a private component; who else asks for it is told that there is none."""
    provider = ma.fields.String(allow_none=True)
    """The organisation whose runner it runs in; absent of what the platform made itself."""
    public = ma.fields.Boolean(required=True)
    aliases = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String(), required=True)
    implementation = ma.fields.String()
    features = ma.fields.String()
    cost = ma.fields.String(validate=ma.validate.OneOf(["formula", "job"]))


@dataclass(frozen=True)
class Finding:
    rule: str
    place: str
    message: str


def findings(roots: Sequence[Path], name: str) -> Iterator[Finding]:
    """What keeps a component from being published, by its written parts; `logic.reproducing` runs its examples."""
    folder = next((root / name for root in roots if (root / name / "component.yaml").is_file()), None)
    if folder is None:
        yield Finding("component-file", name, "component.yaml is missing")
        return
    about = open_release(roots, name)
    for path, said in _flat(ComponentFile(unknown=ma.RAISE).validate(dict(about.component))):
        yield Finding("component-file", f"component.yaml {path}", said)
    if about.component.get("name") != name:
        yield Finding("component-name", "component.yaml name", f"differs from its folder {name}")
    for version in versions_of(folder):
        yield from _release_findings(open_release(roots, name, version))


def _release_findings(about: ReleaseFolder) -> Iterator[Finding]:
    place = f"releases/{about.version}"
    if not VERSION.match(about.version):
        yield Finding("release-version", place, "must be like 1.0.0")
    for feature in about.signature.inputs:
        where = f"{place}/signature.yaml {feature.name}"
        if feature.datatype not in DATATYPES:
            yield Finding("signature-datatype", where, f"use one of {', '.join(DATATYPES)}")
        if not feature.title_zh or not feature.title_en:
            yield Finding("signature-title", where, "needs a title in both languages")
        if feature.numeric and (feature.minimum is None or feature.maximum is None):
            yield Finding("signature-range", where, "a number needs minimum and maximum")
        yield from _column_findings(feature, where)
    if len(about.examples) < FEWEST_EXAMPLES:
        yield Finding("examples", f"{place}/examples.yaml", f"needs at least {FEWEST_EXAMPLES} named examples")
    for example in about.examples:
        if not example.get("answer"):
            yield Finding("examples", f"{place}/examples.yaml {example.get('name')}", "has no stored answer")
    for file, text in (("card.md", about.card), ("card.en.md", about.card_en)):
        if not text.strip():
            yield Finding("card", f"{place}/{file}", "is missing")
    if about.kind == "http":
        yield from _endpoint_findings(about, place)
    if about.kind in ("model", "http") and not about.lineage.get("metrics", {}).get("naive"):
        yield Finding("naive", f"{place}/release.json", "metrics must stand beside a naive rule's")
    if about.kind == "model" and not (about.folder / "model.onnx").is_file():
        yield Finding("artefact", f"{place}/model.onnx", "is missing")
    yield from _names_of_examples(about, place)


def _endpoint_findings(about: ReleaseFolder, place: str) -> Iterator[Finding]:
    if about.endpoint is None:
        yield Finding("endpoint", f"{place}/endpoint.json", "is missing")
    elif about.signature.history or not all(
        each.numeric or each.datatype == "BYTES" for each in about.signature.inputs
    ):
        yield Finding("endpoint", f"{place}/signature.yaml", "an endpoint takes single numbers and words")


def _names_of_examples(about: ReleaseFolder, place: str) -> Iterator[Finding]:
    names = [example.get("name") for example in about.examples]
    for name in sorted({str(each) for each in names if names.count(each) > 1}):
        yield Finding("examples", f"{place}/examples.yaml {name}", "is named twice")


def _column_findings(feature: Feature, where: str) -> Iterator[Finding]:
    if (feature.datatype == "TABLE") != bool(feature.columns):
        yield Finding("signature-columns", where, "a TABLE, and nothing else, has columns")
    for column in feature.columns:
        place = f"{where}.{column.name}"
        if column.datatype not in CELL_DATATYPES:
            yield Finding("signature-datatype", place, f"use one of {', '.join(CELL_DATATYPES)}")
        if not column.title_zh or not column.title_en:
            yield Finding("signature-title", place, "needs a title in both languages")
        if column.numeric and (column.minimum is None or column.maximum is None):
            yield Finding("signature-range", place, "a number needs minimum and maximum")


def _flat(messages: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            yield from _flat(inner, f"{path}.{name}".strip("."))
    else:
        yield path, " ".join(str(each) for each in messages)


@dataclass(frozen=True)
class ReadRelease:
    version: str
    content: dict[str, Any]
    fingerprint: str


@dataclass(frozen=True)
class ReadComponent:
    name: str
    content: dict[str, Any]
    stable: str
    fingerprint: str
    releases: list[ReadRelease]


def read(root: Path = SHIPPED) -> list[ReadComponent]:
    """The components of a folder as the database keeps them."""
    return [read_one([root], name) for name in component_names([root])]


def read_one(roots: Sequence[Path], name: str) -> ReadComponent:
    stable = open_release(roots, name)
    folder = stable.folder.parent.parent
    content = dict(stable.component)
    releases = []
    for version in versions_of(folder):
        about = open_release(roots, name, version)
        release = {
            "signature": about.signature.as_json(),
            "examples": about.examples,
            "card": about.card,
            "card_en": about.card_en,
            "lineage": about.lineage,
            "metrics": metrics_of(about),
        }
        fingerprint = _digest(release)
        if about.reference:
            # Stands beside the release: it changes no answer.
            release["reference"] = about.reference
        releases.append(ReadRelease(version, release, fingerprint))
    return ReadComponent(name, content, stable.version, _digest(content), releases)


def metrics_of(about: ReleaseFolder) -> list[dict[str, Any]]:
    """The card's figures beside the naive rule's."""
    metrics = about.lineage.get("metrics", {})
    unit = about.signature.outputs[0].unit
    found = []
    for name, (zh, en) in METRICS.items():
        if name in metrics:
            of_error = "%" if name.endswith("percent") else unit if name in ("mae", "rmse") else ""
            found.append(
                {"name": name, "title_zh": zh, "title_en": en, "unit": of_error, "value": metrics[name],
                 "naive": metrics.get("naive", {}).get(name)}
            )  # fmt: skip
    return found


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
