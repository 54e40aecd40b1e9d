"""The answer of a template that is not a model of single rows: a saving, a chart, a verdict. Kept as a job's result.

A job that receives one stores it as its result as it is (`{"report": document}`) and publishes nothing. The document is
plain JSON: texts in both languages, figures with units and intervals, series for charts of at most `MOST_POINTS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from services.models.training.comparing import shortened
from services.models.training.learning_set import Said

MOST_POINTS = 400
KIND = "report"


class Figure(TypedDict, total=False):
    name: str
    title: dict[str, str]
    value: float
    low: float
    high: float
    unit: str


class Series(TypedDict):
    name: str
    title: dict[str, str]
    unit: str
    x: list[str]
    y: list[float]


class Report(TypedDict):
    kind: str
    """Always "report"; a release has no such member."""
    template: str
    title: dict[str, str]
    verdict: dict[str, str]
    """One sentence that answers the question."""
    shown: bool
    """Whether the question could be answered: false where only "not yet" can be said."""
    figures: list[Figure]
    series: list[Series]
    notes: list[dict[str, str]]
    lineage: dict[str, Any]


def is_report(document: Mapping[str, Any]) -> bool:
    return document.get("kind") == KIND


def figure(name: str, title: Said, value: float, unit: str = "", band: tuple[float, float] | None = None) -> Figure:
    found: Figure = {"name": name, "title": title.as_json(), "value": shortened(value), "unit": unit}
    if band is not None:
        found["low"], found["high"] = shortened(band[0]), shortened(band[1])
    return found


def series(name: str, title: Said, unit: str, x: Sequence[str], y: Sequence[float]) -> Series:
    """Thinned evenly to `MOST_POINTS`, the last point kept."""
    step = -(-len(y) // MOST_POINTS)
    places = sorted({*range(0, len(y), max(step, 1)), len(y) - 1}) if len(y) else []
    return {
        "name": name, "title": title.as_json(), "unit": unit, "x": [x[place] for place in places],
        "y": [shortened(float(y[place])) for place in places],
    }  # fmt: skip
