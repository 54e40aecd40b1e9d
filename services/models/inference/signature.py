"""What a release accepts and answers: features with units, ranges and defaults. Reads YAML, knows no numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NUMERIC = ("FP64", "FP32", "INT64")
DATATYPES = (*NUMERIC, "BYTES", "LIST")


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
            "inputs": [
                {
                    name: value
                    for name, value in vars(feature).items()
                    if value not in ("", (), None) or name in ("minimum", "maximum", "default", "unit")
                }
                for feature in self.inputs
            ],
            "outputs": [vars(output) for output in self.outputs],
            "classes": list(self.classes),
            "history": list(self.history),
            "instance": list(self.instance),
        }


def _feature(value: Mapping[str, Any]) -> Feature:
    known = {name: value[name] for name in Feature.__dataclass_fields__ if name in value and name != "choices"}
    return Feature(**known, choices=tuple(value.get("choices", ())))


def tensor_parameters(feature: Feature) -> dict[str, Any]:
    """What the open protocol's metadata says of one feature beside name, datatype and shape."""
    found: dict[str, Any] = {"title_zh": feature.title_zh, "title_en": feature.title_en, "unit": feature.unit}
    for name in ("minimum", "maximum", "default", "typical"):
        value = getattr(feature, name)
        if value is not None:
            found[name] = value
    return found
