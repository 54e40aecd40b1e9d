"""A component's answer made ready for its page: short figures, pictures by their kind, tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import flask

from services.portal.client import ApiAnswer
from services.portal.pages import pictures, plans, tables
from services.portal.words import word

_PICTURES: dict[str, Callable[[Mapping[str, Any]], dict[str, Any] | None]] = {
    "control": pictures.control_chart,
    "gantt": plans.gantt,
    "layout": plans.layout,
}
"""A chart without a kind is a control chart; one of a kind that is not known here is left out."""


def shown_answer(component: Mapping[str, Any], answer: ApiAnswer | None) -> dict[str, Any] | None:
    """The API's answer with its pictures."""
    if answer is None:
        return None
    if not answer.ok:
        problem = {**answer.body, "errors": _readable(component, answer.body.get("errors") or {})}
        return {"problem": problem, "predictions": [], "series": None}
    predictions = answer.body.get("predictions", [])
    titles = {each["name"]: each for each in component["signature"].get("outputs", [])}
    language = flask.g.language
    shown = []
    for prediction in predictions[:1]:
        outputs = [
            {
                "title": titles.get(name, {}).get(f"title_{language}") or name,
                "value": pictures.shown(output.get("value")),
                "unit": output.get("unit") or "",
            }
            for name, output in (prediction.get("outputs") or {}).items()
            if not isinstance(output.get("value"), (list, dict))
        ]
        shown.append(
            {
                **prediction,
                "figure": pictures.shown(prediction.get("value")),
                "naive_figure": pictures.shown(prediction.get("naive")),
                "picture": pictures.band(prediction, language),
                "outputs": outputs,
                "charts": _charts(prediction.get("chart") or {}, language),
                "tables": plans.tables(prediction, language),
                "probabilities": sorted((prediction.get("probabilities") or {}).items(), key=lambda pair: -pair[1]),
            }
        )
    return {
        "problem": None,
        "predictions": shown,
        "series": pictures.series(predictions),
        "release": answer.body.get("release"),
        "source": answer.body.get("source") or "",
    }


def _readable(component: Mapping[str, Any], errors: Mapping[str, Any]) -> dict[str, Any]:
    """Refusals of a table's cells by row and column title instead of by path."""
    found = dict(errors)
    language = flask.g.language
    for feature in component["signature"].get("inputs", []):
        if feature.get("datatype") in ("TABLE", "MATRIX"):
            mine = {path: said for path, said in found.items() if feature["name"] in path.split(".")}
            if mine:
                title = feature.get(f"title_{language}") or feature["name"]
                row_words = word(language, "component.row_said")
                found = {path: said for path, said in found.items() if path not in mine}
                found[title] = tables.said_by_row(feature, mine, language, row_words)
    return found


def _charts(given: Any, language: str) -> list[dict[str, Any]]:
    found = []
    for chart in given if isinstance(given, list) else [given]:
        kind = chart.get("kind", "control") if chart else ""
        picture = _PICTURES[kind](chart) if kind in _PICTURES else None
        if picture:
            title = chart.get(f"title_{language}") or chart.get("title_zh", "")
            found.append({**chart, "kind": kind, "title": title, "picture": picture})
    return found
