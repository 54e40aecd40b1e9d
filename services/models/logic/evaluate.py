"""Scoring a component on a labelled file by its card's protocol. Needs numpy: imported by the command line only."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import Any

import numpy as np

from services.models.errors import BadInstances
from services.models.inference.predict import MOST_INSTANCES, predict
from services.models.inference.release import SHIPPED, LoadedRelease, open_release
from services.models.inference.sessions import load


def evaluate(name: str, file: Path, history: Path | None) -> dict[str, Any]:
    """Scores of component `name` on the rows of `file` (CSV, may be gzipped).

    A model of a time series is asked day by day with what was known at that midnight: `history` and the days of `file`
    before it. Raises `UnknownRelease`, `BadInstances` for a file that lacks a column.
    """
    release = load(open_release([SHIPPED], name))
    rows = _rows(file)
    past = _rows(history) if history is not None else []
    if release.prepare is not None:
        scored = _series(release, rows, past)
    elif release.signature.task == "classification":
        scored = _classes(release, rows)
    else:
        raise BadInstances(errors={"component": ["没有可评分的目标 / nothing to score"]})
    return {"component": release.name, "release": release.version, "file": file.name, **scored}


def _rows(file: Path) -> list[dict[str, str]]:
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", encoding="utf-8-sig", newline="") as text:
        return list(csv.DictReader(text))


def _series(release: LoadedRelease, rows: list[dict[str, str]], past: list[dict[str, str]]) -> dict[str, Any]:
    features = release.prepare
    _need(rows, release.signature.history)
    target = release.signature.outputs[0].name
    known = [(features.parse_end(row["interval_end"]), float(row[target])) for row in (*past, *rows)]
    readings = features.readings_of(known)
    ends = [(features.parse_end(row["interval_end"]), float(row[target])) for row in rows]
    days = sorted({features.slot_of(end)[0] for end, _ in ends})
    by_slot = {features.slot_of(end): value for end, value in ends}
    actual, predicted, simple, low, high, skipped = [], [], [], [], [], 0
    for day in days:
        slots = [slot for slot in range(features.SLOTS) if (day, slot) in by_slot]
        try:
            predictions = _forecast(release, readings, day, slots)
        except BadInstances:
            skipped += len(slots)
            continue
        for slot, prediction in zip(slots, predictions, strict=True):
            actual.append(by_slot[(day, slot)])
            predicted.append(prediction["value"])
            simple.append(prediction["naive"])
            low.append(prediction["interval"]["low"])
            high.append(prediction["interval"]["high"])
    return {
        "rows": len(actual),
        "skipped_without_history": skipped,
        "metrics": _regression(np.array(actual), np.array(predicted)),
        "naive": _regression(np.array(actual), np.array(simple)),
        "interval": {
            "nominal": release.intervals["coverage"],
            "coverage": round(float(np.mean((np.array(low) <= actual) & (np.array(actual) <= np.array(high)))), 4),
            "mean_width": round(float(np.mean(np.array(high) - np.array(low))), 3),
        },
    }


def _forecast(release: LoadedRelease, readings: Any, day: Any, slots: list[int]) -> list[dict[str, Any]]:
    """What the friendly call would have answered at that midnight."""
    features = release.prepare
    first = max(readings.day_index(day) - features.DAYS_USED, 0)
    history = [
        {"interval_end": _end(features, readings.first, index, slot), "usage_kwh": float(value)}
        for index in range(first, readings.day_index(day))
        for slot, value in enumerate(readings.grid[index])
        if not np.isnan(value)
    ]
    instances = [{"interval_end": _end(features, day, 0, slot)} for slot in slots]
    found: list[dict[str, Any]] = predict(release, {"instances": instances, "history": history}, "en")["predictions"]
    return found


def _end(features: Any, first: Any, days: int, slot: int) -> str:
    end = first + features.STEP * (days * features.SLOTS + slot + 1)
    return str(end.strftime("%Y-%m-%d %H:%M"))


def _regression(actual: Any, predicted: Any) -> dict[str, float]:
    error = predicted - actual
    squared = float((error**2).sum())
    spread = float(((actual - actual.mean()) ** 2).sum())
    return {
        "mae": round(float(np.abs(error).mean()), 4),
        "rmse": round(float(np.sqrt((error**2).mean())), 4),
        "wape_percent": round(float(100 * np.abs(error).sum() / np.abs(actual).sum()), 3),
        "r2": round(1 - squared / spread, 4) if spread else 0.0,
    }


def _classes(release: LoadedRelease, rows: list[dict[str, str]]) -> dict[str, Any]:
    names = [feature.name for feature in release.signature.inputs]
    _need(rows, tuple(names))
    actual = [_label(release, row) for row in rows]
    instances = [{name: float(row[name]) for name in names} for row in rows]
    predictions = []
    for start in range(0, len(instances), MOST_INSTANCES):
        request = {"instances": instances[start : start + MOST_INSTANCES]}
        predictions += predict(release, request, "en")["predictions"]
    said = [each["value"] for each in predictions]
    classes = release.signature.classes
    f1 = []
    for name in classes:
        hit = sum(a == name == p for a, p in zip(actual, said, strict=True))
        wrong = sum((a == name) != (p == name) for a, p in zip(actual, said, strict=True))
        f1.append(2 * hit / (2 * hit + wrong) if hit or wrong else 0.0)
    covered = [a in each["set"]["classes"] for a, each in zip(actual, predictions, strict=True)]
    return {
        "rows": len(rows),
        "metrics": {
            "accuracy": round(sum(a == p for a, p in zip(actual, said, strict=True)) / len(rows), 4),
            "macro_f1": round(sum(f1) / len(f1), 4),
        },
        "set": {"nominal": release.intervals["coverage"], "coverage": round(sum(covered) / len(covered), 4)},
    }


def _label(release: LoadedRelease, row: dict[str, str]) -> str:
    """A column named like the output, or one column for each class."""
    if release.signature.outputs[0].name in row:
        return row[release.signature.outputs[0].name]
    plain = {name.lower().replace("_faults", "").replace("_fault", ""): name for name in row}
    for name in release.signature.classes:
        column = plain.get(name.lower().replace("_faults", "").replace("_fault", ""))
        if column is not None and float(row[column]) == 1:
            return name
    raise BadInstances(errors={"label": ["没有标签列 / no label column"]})


def _need(rows: list[dict[str, str]], columns: tuple[str, ...]) -> None:
    missing = [name for name in columns if not rows or name not in rows[0]]
    if missing:
        raise BadInstances(errors={"file": [f"缺少列 / missing columns: {', '.join(missing)}"]})
