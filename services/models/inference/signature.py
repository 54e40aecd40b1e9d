"""What a release accepts and answers: features with units, ranges and defaults. Reads YAML, knows no numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NUMERIC = ("FP64", "FP32", "INT64")
DATATYPES = (*NUMERIC, "BYTES", "LIST", "TABLE", "MATRIX")
CELL_DATATYPES = (*NUMERIC, "BYTES")
MOST_ROWS = 1000
"""Rows of a TABLE or MATRIX whose signature says nothing else."""
MOST_SOLVED = 5
"""Instances of one call of a tool that is computed as a job: each may take a minute."""


@dataclass(frozen=True)
class Column:
    """A column of a TABLE. A cell outside its range is refused, since a plan made with it would be wrong as a whole."""

    name: str
    title_zh: str
    title_en: str
    unit: str = ""
    datatype: str = "FP64"
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    required: bool = True
    default: Any = None
    """What an empty cell of a column that is not required means."""
    meaning: str = ""

    @property
    def numeric(self) -> bool:
        return self.datatype in NUMERIC


@dataclass(frozen=True)
class Feature:
    name: str
    title_zh: str
    title_en: str
    unit: str = ""
    quantity: str = ""
    datatype: str = "FP64"
    minimum: float | None = None
    maximum: float | None = None
    default: Any = None
    """Taken when the caller gives none, and said in a warning; a feature without one must be given."""
    typical: float | None = None
    """The usual value: where a form starts and what an explanation compares with. Never taken silently."""
    meaning: str = ""
    choices: tuple[str, ...] = ()
    tolerance: float | None = None
    """Relative tolerance of the input that a tool propagates into its band."""
    columns: tuple[Column, ...] = ()
    """Of a TABLE, whose value is a list of objects, one a row."""
    most_rows: int = MOST_ROWS
    """Of a TABLE or MATRIX."""

    @property
    def numeric(self) -> bool:
        return self.datatype in NUMERIC


@dataclass(frozen=True)
class Output:
    name: str
    title_zh: str
    title_en: str
    unit: str = ""


@dataclass(frozen=True)
class Signature:
    task: str
    """regression, classification or tool."""
    inputs: tuple[Feature, ...]
    outputs: tuple[Output, ...]
    classes: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    """Columns that `history` rows must have, for a release that needs the past."""
    instance: tuple[str, ...] = ()
    """What an instance holds when it is not the features themselves (a release with history)."""
    names: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def from_mapping(cls, value: Mapping[str, Any]) -> Signature:
        inputs = tuple(_feature(each) for each in value["inputs"])
        outputs = tuple(
            Output(each["name"], each["title_zh"], each["title_en"], each.get("unit", "")) for each in value["outputs"]
        )
        return cls(
            task=value["task"],
            inputs=inputs,
            outputs=outputs,
            classes=tuple(value.get("classes", ())),
            history=tuple(value.get("history", ())),
            instance=tuple(value.get("instance", ())),
            names=frozenset(feature.name for feature in inputs),
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "task": self.task,
            "inputs": [_feature_as_json(feature) for feature in self.inputs],
            "outputs": [vars(output) for output in self.outputs],
            "classes": list(self.classes),
            "history": list(self.history),
            "instance": list(self.instance),
        }


def _feature(value: Mapping[str, Any]) -> Feature:
    known = _known(Feature, value, ("choices", "columns"))
    columns = tuple(
        Column(**_known(Column, each, ("choices",)), choices=tuple(each.get("choices", ())))
        for each in value.get("columns", ())
    )
    return Feature(**known, choices=tuple(value.get("choices", ())), columns=columns)


def _known(of: Any, value: Mapping[str, Any], apart: tuple[str, ...]) -> dict[str, Any]:
    return {name: value[name] for name in of.__dataclass_fields__ if name in value and name not in apart}


def _feature_as_json(feature: Feature) -> dict[str, Any]:
    told = _told(feature, ("minimum", "maximum", "default", "unit"))
    if feature.datatype not in ("TABLE", "MATRIX"):
        told.pop("most_rows")
    if feature.columns:
        told["columns"] = [_told(column, ("unit", "required", "default")) for column in feature.columns]
    return told


def _told(of: Feature | Column, always: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in vars(of).items() if value not in ("", (), None) or name in always}


def tensor_parameters(feature: Feature) -> dict[str, Any]:
    """What the open protocol's metadata says of one feature beside name, datatype and shape."""
    found: dict[str, Any] = {"title_zh": feature.title_zh, "title_en": feature.title_en, "unit": feature.unit}
    for name in ("minimum", "maximum", "default", "typical"):
        value = getattr(feature, name)
        if value is not None:
            found[name] = value
    return found
