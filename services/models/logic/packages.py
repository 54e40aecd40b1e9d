"""A release as it is sent: one JSON document that becomes a release folder. Kept as a blob, so that every machine can
write the folder for its runner."""

from __future__ import annotations

import base64
import binascii
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import marshmallow as ma
import yaml

from services.models.inference.release import VERSION
from services.models.inference.signature import NUMERIC
from services.models.logic.shipping import FEWEST_EXAMPLES, Both

FOLDER = "components"
MOST_FEATURES = 500


def _text(maximum: int, **kwargs: Any) -> ma.fields.String:
    return ma.fields.String(validate=ma.validate.Length(min=1, max=maximum), **kwargs)


class _Strict(ma.Schema):
    class Meta:
        unknown = ma.RAISE


class FeatureIn(_Strict):
    name = ma.fields.String(required=True, validate=ma.validate.Regexp(r"^[A-Za-z_][A-Za-z0-9_]{0,79}$"))
    title_zh = _text(80, required=True)
    title_en = _text(80, required=True)
    unit = ma.fields.String(load_default="", validate=ma.validate.Length(max=20))
    quantity = ma.fields.String(load_default="", validate=ma.validate.Length(max=40))
    datatype = ma.fields.String(load_default="FP32", validate=ma.validate.OneOf(NUMERIC))
    minimum = ma.fields.Float(required=True)
    maximum = ma.fields.Float(required=True)
    default = ma.fields.Float(load_default=None, allow_none=True)
    typical = ma.fields.Float(load_default=None, allow_none=True)
    meaning = ma.fields.String(load_default="", validate=ma.validate.Length(max=300))

    @ma.validates_schema
    def _range(self, data: dict[str, Any], **_: Any) -> None:
        if data["minimum"] > data["maximum"]:
            raise ma.ValidationError("大于 maximum / is above maximum", "minimum")


class OutputIn(_Strict):
    name = ma.fields.String(required=True, validate=ma.validate.Regexp(r"^[A-Za-z_][A-Za-z0-9_]{0,79}$"))
    title_zh = _text(80, required=True)
    title_en = _text(80, required=True)
    unit = ma.fields.String(load_default="", validate=ma.validate.Length(max=20))


class SignatureIn(_Strict):
    task = ma.fields.String(required=True, validate=ma.validate.OneOf(["regression", "classification"]))
    inputs = ma.fields.List(
        ma.fields.Nested(FeatureIn), required=True, validate=ma.validate.Length(min=1, max=MOST_FEATURES)
    )
    outputs = ma.fields.List(ma.fields.Nested(OutputIn), required=True, validate=ma.validate.Length(min=1, max=1))
    classes = ma.fields.List(_text(80), load_default=list, validate=ma.validate.Length(max=1000))

    @ma.validates_schema
    def _classes(self, data: dict[str, Any], **_: Any) -> None:
        if (data["task"] == "classification") != bool(data["classes"]):
            raise ma.ValidationError("分类须列出类别，回归不列 / a classification lists its classes", "classes")
        names = [each["name"] for each in data["inputs"]]
        if len(set(names)) != len(names):
            raise ma.ValidationError("名称重复 / a name is given twice", "inputs")


class ExampleIn(_Strict):
    name = ma.fields.String(required=True, validate=ma.validate.Regexp(r"^[a-z0-9][a-z0-9_-]{0,40}$"))
    title = ma.fields.Nested(Both, required=True)
    request = ma.fields.Dict(required=True)
    answer = ma.fields.Dict(required=True)


class IntervalsIn(_Strict):
    """The same offsets for every row, or a threshold of sets."""

    coverage = ma.fields.Float(required=True, validate=ma.validate.Range(min=0.5, max=0.999))
    low = ma.fields.List(ma.fields.Float(), validate=ma.validate.Length(equal=1))
    high = ma.fields.List(ma.fields.Float(), validate=ma.validate.Length(equal=1))
    minimum = ma.fields.Float()
    threshold = ma.fields.Float(validate=ma.validate.Range(min=0, max=1))
    naive = ma.fields.Raw()
    method = _text(200)

    @ma.validates_schema
    def _both_ends(self, data: dict[str, Any], **_: Any) -> None:
        if ("low" in data) != ("high" in data):
            raise ma.ValidationError("low 与 high 须同时给出 / low and high stand together", "low")


class LineageIn(_Strict):
    protocol = _text(600, required=True)
    metrics = ma.fields.Dict(required=True)
    data = ma.fields.Dict(load_default=dict)
    parameters = ma.fields.Dict(load_default=dict)

    @ma.validates("metrics")
    def _beside_a_naive_rule(self, value: dict[str, Any], **_: Any) -> None:
        if not isinstance(value.get("naive"), dict) or not value["naive"]:
            raise ma.ValidationError("须有简单规则的成绩 naive / must hold the naive rule's figures", "naive")


class CardIn(_Strict):
    zh = _text(20_000, required=True)
    en = _text(20_000, required=True)


class ReleaseIn(_Strict):
    """`model` is an ONNX file in base64."""

    version = ma.fields.String(required=True, validate=ma.validate.Regexp(VERSION, error="应如 1.0.0 / like 1.0.0"))
    signature = ma.fields.Nested(SignatureIn, required=True)
    examples = ma.fields.List(
        ma.fields.Nested(ExampleIn), required=True, validate=ma.validate.Length(min=FEWEST_EXAMPLES, max=20)
    )
    intervals = ma.fields.Nested(IntervalsIn, load_default=None, allow_none=True)
    lineage = ma.fields.Nested(LineageIn, required=True)
    card = ma.fields.Nested(CardIn, required=True)
    model = ma.fields.String(required=True)

    @ma.validates("model")
    def _is_base64(self, value: str, **_: Any) -> None:
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise ma.ValidationError("应为 base64 / must be base64") from None


def write_component(root: Path, content: Mapping[str, Any]) -> Path:
    """`component.yaml` of a component that came from outside."""
    folder: Path = root / str(content["name"])
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / ".component.yaml"
    draft.write_text(yaml.safe_dump(dict(content), allow_unicode=True, sort_keys=False), encoding="utf-8")
    draft.replace(folder / "component.yaml")
    return folder


def write_release(component: Path, package: Mapping[str, Any]) -> Path:
    """The release folder, whole or not at all: it appears by a rename."""
    place: Path = component / "releases" / package["version"]
    if place.exists():
        return place
    draft = component / f".draft-{package['version']}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    (draft / "model.onnx").write_bytes(base64.b64decode(package["model"]))
    for name, value in (("signature.yaml", package["signature"]), ("examples.yaml", package["examples"])):
        (draft / name).write_text(yaml.safe_dump(value, allow_unicode=True, sort_keys=False), encoding="utf-8")
    (draft / "release.json").write_text(json.dumps(package["lineage"], ensure_ascii=False), encoding="utf-8")
    if package.get("intervals"):
        (draft / "intervals.json").write_text(json.dumps(package["intervals"], ensure_ascii=False), encoding="utf-8")
    (draft / "card.md").write_text(package["card"]["zh"], encoding="utf-8")
    (draft / "card.en.md").write_text(package["card"]["en"], encoding="utf-8")
    place.parent.mkdir(exist_ok=True)
    draft.rename(place)
    return place
