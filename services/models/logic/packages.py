"""A release as it is sent: one JSON document that becomes a release folder. Kept as a blob, so that every machine can
write the folder for its runner."""

from __future__ import annotations

import base64
import binascii
import itertools
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
DOMAIN = r"^(?=.{4,200}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$|^127\.0\.0\.1$|^localhost$"
"""The last two only where a test setting allows calls to this machine."""
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
    choices = ma.fields.List(_text(80), validate=ma.validate.Length(min=1, max=100))
    """Of a column of words: a call gives the word, the model gets its place in this list."""

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
    novelty = ma.fields.Dict()
    decision = ma.fields.Dict()

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


class SpreadIn(_Strict):
    """Of a number: inner bin edges and the share of each bin; of classes: their shares."""

    edges = ma.fields.List(ma.fields.Float(), validate=ma.validate.Length(max=50))
    classes = ma.fields.List(_text(80), validate=ma.validate.Length(max=1000))
    shares = ma.fields.List(
        ma.fields.Float(validate=ma.validate.Range(min=0, max=1)), required=True,
        validate=ma.validate.Length(min=1, max=1000),
    )  # fmt: skip

    @ma.validates_schema
    def _fits(self, data: dict[str, Any], **_: Any) -> None:
        edges = data.get("edges")
        if ("edges" in data) == ("classes" in data):
            raise ma.ValidationError("edges 与 classes 二选一 / either edges or classes", "edges")
        wanted = len(edges) + 1 if edges is not None else len(data["classes"])
        if len(data["shares"]) != wanted or abs(sum(data["shares"]) - 1) > 0.01:
            said = f"应有 {wanted} 项、合计为 1 / must hold {wanted} shares that sum to 1"
            raise ma.ValidationError(said, "shares")
        if edges is not None and any(one >= other for one, other in itertools.pairwise(edges)):
            raise ma.ValidationError("应递增 / must rise", "edges")


class ReferenceIn(_Strict):
    """How inputs and answers were spread in training; drift is measured against it."""

    rows = ma.fields.Integer(required=True, validate=ma.validate.Range(min=1, max=10**9))
    features = ma.fields.Dict(
        keys=ma.fields.String(), values=ma.fields.Nested(SpreadIn), required=True,
        validate=ma.validate.Length(max=MOST_FEATURES),
    )  # fmt: skip
    prediction = ma.fields.Nested(SpreadIn)


class EndpointIn(_Strict):
    """A provider's own service: its address, and the domains that its calls may go to."""

    url = ma.fields.String(required=True, validate=ma.validate.Length(max=500))
    domains = ma.fields.List(
        ma.fields.String(validate=ma.validate.Regexp(DOMAIN, error="应为域名 / must be a domain")), required=True,
        validate=ma.validate.Length(min=1, max=10),
    )  # fmt: skip


class ReleaseIn(_Strict):
    """`model` is an ONNX file in base64; a component that is a provider's own service has `endpoint` instead."""

    version = ma.fields.String(required=True, validate=ma.validate.Regexp(VERSION, error="应如 1.0.0 / like 1.0.0"))
    signature = ma.fields.Nested(SignatureIn, required=True)
    examples = ma.fields.List(
        ma.fields.Nested(ExampleIn), required=True, validate=ma.validate.Length(min=FEWEST_EXAMPLES, max=20)
    )
    intervals = ma.fields.Nested(IntervalsIn, load_default=None, allow_none=True)
    lineage = ma.fields.Nested(LineageIn, required=True)
    card = ma.fields.Nested(CardIn, required=True)
    reference = ma.fields.Nested(ReferenceIn, load_default=None, allow_none=True)
    model = ma.fields.String()
    endpoint = ma.fields.Nested(EndpointIn)

    @ma.validates_schema
    def _one_of_both(self, data: dict[str, Any], **_: Any) -> None:
        if ("model" in data) == ("endpoint" in data):
            raise ma.ValidationError("model 与 endpoint 二选一 / either model or endpoint", "model")
        reference = data.get("reference")
        if reference:
            names = {each["name"] for each in data["signature"]["inputs"]}
            unknown = sorted(set(reference["features"]) - names)
            if unknown:
                said = f"没有这些特征 / no such features: {', '.join(unknown[:10])}"
                raise ma.ValidationError(said, "reference")

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
    if package.get("model"):
        (draft / "model.onnx").write_bytes(base64.b64decode(package["model"]))
    for name in ("endpoint", "reference"):
        if package.get(name):
            (draft / f"{name}.json").write_text(json.dumps(package[name], ensure_ascii=False), encoding="utf-8")
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
