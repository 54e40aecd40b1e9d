"""Scoring a component on a labelled file by its card's protocol. Needs numpy: imported by the command line only."""

from __future__ import annotations

import importlib
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from services.models.errors import BadInstances, NotAModel
from services.models.inference.predict import MOST_INSTANCES, predict
from services.models.inference.release import SHIPPED, LoadedRelease, open_release
from services.models.inference.rows_seen import digest_of, rows_seen
from services.models.inference.sessions import load
from services.models.logic import labelled_file
from services.models.logic.labelled_file import Rows

_IN_SAMPLE = "rows that the release was fitted on: these figures are no test"


def evaluate(name: str, file: Path, history: Path | None = None, root: Path = SHIPPED) -> dict[str, Any]:
    """Scores of component `name` on the rows of `file` (CSV in UTF-8 or GBK, may be gzipped).

    A model of a time series is asked day by day with what was known at that midnight: `history` and the days of `file`
    before it. Rows that the release was fitted on are counted and said. Raises `UnknownRelease`, `NotAModel`,
    `BadInstances` for a file that lacks a column or holds something else than numbers.
    """
    release = load(open_release([root], name))
    if release.session is None:
        raise NotAModel(component=name)
    rows = labelled_file.read(file)
    if release.prepare is not None:
        scored = _series(release, file, rows, history)
    elif release.signature.task == "classification":
        scored = _classes(release, file, rows)
    else:
        scored = _numbers(release, file, history)
    return {
        "component": release.name,
        "release": release.version,
        "protocol": release.about.lineage.get("protocol"),
        "file": file.name,
        **scored,
    }


def _series(release: LoadedRelease, file: Path, rows: Rows, history: Path | None) -> dict[str, Any]:
    features = release.prepare
    wanted = _readings(release, file, rows)
    past = [] if history is None else _readings(release, history, labelled_file.read(history))
    readings = features.readings_of([*past, *wanted])
    by_slot = {features.slot_of(end): value for end, value in wanted}
    actual, found, skipped = [], [], 0
    for day in sorted({day for day, _ in by_slot}):
        slots = [slot for slot in range(features.SLOTS) if (day, slot) in by_slot]
        try:
            found += _forecast(release, readings, day, slots)
        except BadInstances:
            skipped += len(slots)
            continue
        actual += [by_slot[(day, slot)] for slot in slots]
    if not actual:
        said = (
            f"没有一天有足够的历史，请用 --history / no day has {features.DAYS_NEEDED} days of history, give --history"
        )
        raise BadInstances(errors={file.name: [said]})
    truth = np.array(actual)
    low, high = (np.array([each["interval"][end] for each in found]) for end in ("low", "high"))
    until = release.about.lineage.get("fitted_until")
    seen = sum(1 for day, _ in by_slot if until is not None and day <= datetime.fromisoformat(until))
    return {
        "rows": len(actual),
        "skipped_without_history": skipped,
        "rows_fitted_on": seen,
        **({"warning": _IN_SAMPLE} if seen else {}),
        "metrics": _regression(truth, np.array([each["value"] for each in found])),
        "naive": _regression(truth, np.array([each["naive"] for each in found])),
        "interval": {
            "nominal": release.intervals["coverage"],
            "coverage": round(float(((low <= truth) & (truth <= high)).mean()), 4),
            "mean_width": round(float((high - low).mean()), 3),
        },
    }


def _numbers(release: LoadedRelease, file: Path, history: Path | None) -> dict[str, Any]:
    """A regression on the columns of its data set, read as its training reads them."""
    try:
        training = importlib.import_module(f"services.models.training.{release.name.replace('-', '_')}")
    except ModuleNotFoundError:
        said = (
            "没有读取这种文件的训练代码，或未安装 train / no training code reads this file, or `train` is not installed"
        )
        raise BadInstances(errors={"component": [said]}) from None
    try:
        matrix, truth = training.read(file, history)[:2]
    except (KeyError, ValueError) as wrong:
        raise BadInstances(
            errors={file.name: [f"缺列或不是数值 / a column is missing or no number: {wrong}"]}
        ) from None
    names = [feature.name for feature in release.signature.inputs]
    found: list[dict[str, Any]] = []
    for start in range(0, len(matrix), MOST_INSTANCES):
        part = [dict(zip(names, map(float, row), strict=True)) for row in matrix[start : start + MOST_INSTANCES]]
        found += predict(release, {"instances": part}, "en")["predictions"]
    if not found:
        raise BadInstances(errors={file.name: ["没有可评分的行 / no row can be scored"]})
    low, high = (np.array([each["interval"][end] for each in found]) for end in ("low", "high"))
    return {
        "rows": len(found),
        "metrics": _regression(truth, np.array([each["value"] for each in found])),
        "naive": _regression(truth, np.array([each["naive"] for each in found])),
        "interval": {
            "nominal": release.intervals["coverage"],
            "coverage": _share((low <= truth) & (truth <= high)),
            "mean_width": round(float((high - low).mean()), 3),
        },
        "fitted_on": release.about.lineage.get("fitted_on"),
    }


def _readings(release: LoadedRelease, file: Path, rows: Rows) -> list[tuple[datetime, float]]:
    when, target = release.signature.history
    labelled_file.need(file, rows, release.signature.history)
    found = []
    for index, row in enumerate(rows):
        try:
            end = release.prepare.parse_end(row[when])
        except ValueError as wrong:
            raise BadInstances(errors={f"{file.name} line {index + 2} {when}": [str(wrong)[:200]]}) from None
        found.append((end, labelled_file.number(file, index, row, target)))
    return found


def _forecast(release: LoadedRelease, readings: Any, day: datetime, slots: list[int]) -> list[dict[str, Any]]:
    """What the friendly call would have answered at that midnight."""
    features = release.prepare
    index = readings.day_index(day)
    history = [
        {"interval_end": _end(features, readings.first, past, slot), "usage_kwh": float(value)}
        for past in range(max(index - features.DAYS_USED, 0), index)
        for slot, value in enumerate(readings.grid[past])
        if not np.isnan(value)
    ]
    instances = [{"interval_end": _end(features, day, 0, slot)} for slot in slots]
    found: list[dict[str, Any]] = predict(release, {"instances": instances, "history": history}, "en")["predictions"]
    return found


def _end(features: Any, first: datetime, days: int, slot: int) -> str:
    end: datetime = first + features.STEP * (days * features.SLOTS + slot + 1)
    return end.strftime("%Y-%m-%d %H:%M")


def _regression(actual: Any, predicted: Any) -> dict[str, float]:
    error = predicted - actual
    spread = float(((actual - actual.mean()) ** 2).sum())
    return {
        "mae": round(float(np.abs(error).mean()), 4),
        "rmse": round(float(np.sqrt((error**2).mean())), 4),
        "wape_percent": round(float(100 * np.abs(error).sum() / max(np.abs(actual).sum(), 1e-12)), 3),
        "r2": round(1 - float((error**2).sum()) / spread, 4) if spread else 0.0,
    }


def _classes(release: LoadedRelease, file: Path, rows: Rows) -> dict[str, Any]:
    names = [feature.name for feature in release.signature.inputs]
    labelled_file.need(file, rows, names)
    actual = [_label(release, file, index, row) for index, row in enumerate(rows)]
    instances = [_instance(release, file, at, row) for at, row in enumerate(rows)]
    predictions = []
    for start in range(0, len(instances), MOST_INSTANCES):
        part = {"instances": instances[start : start + MOST_INSTANCES]}
        predictions += predict(release, part, "en")["predictions"]
    held = rows_seen(release.about.folder)
    seen = sum(1 for each in instances if digest_of(_numbers_of(release, each)) in held)
    scored: dict[str, Any] = {
        "metrics": _agreement(actual, [each["value"] for each in predictions], release.signature.classes),
        "naive": _agreement(actual, [release.intervals["naive"]] * len(actual), release.signature.classes),
        "set": {
            "nominal": release.intervals["coverage"],
            "coverage": _share(a in each["set"]["classes"] for a, each in zip(actual, predictions, strict=True)),
            "mean_size": round(float(np.mean([len(each["set"]["classes"]) for each in predictions])), 3),
        },
    }
    if seen * 2 > len(rows):
        scored = _by_protocol(release, file, scored)
    elif seen:
        scored["warning"] = _IN_SAMPLE
    return {"rows": len(rows), "rows_fitted_on": seen, **scored}


def _by_protocol(release: LoadedRelease, file: Path, in_sample: dict[str, Any]) -> dict[str, Any]:
    """The release has seen most of this file, so the card's protocol is run on it anew, fold by fold."""
    try:
        training = importlib.import_module(f"services.models.training.{release.name.replace('-', '_')}")
    except ModuleNotFoundError:
        said = f"{_IN_SAMPLE}; install the extra `train` to score by the card's protocol"
        return {**in_sample, "warning": said, "card_metrics": release.about.lineage.get("metrics")}
    measured, _ = training.measure(*training.read(file))
    return {
        "metrics": {name: measured[name] for name in ("accuracy", "macro_f1")},
        "naive": measured["naive"],
        "set": {
            "nominal": release.intervals["coverage"],
            "coverage": measured["set_coverage"],
            "mean_size": measured["set_mean_size"],
        },
        "note": "most rows are those the release was fitted on, so the card's protocol was run on them anew",
        "release_on_its_own_rows": {**in_sample["metrics"], "warning": _IN_SAMPLE},
    }


def _agreement(actual: list[str], said: list[str], classes: tuple[str, ...]) -> dict[str, float]:
    f1 = []
    for name in classes:
        hit = sum(a == name == p for a, p in zip(actual, said, strict=True))
        wrong = sum((a == name) != (p == name) for a, p in zip(actual, said, strict=True))
        f1.append(2 * hit / (2 * hit + wrong) if hit or wrong else 0.0)
    hits = _share(a == p for a, p in zip(actual, said, strict=True))
    return {"accuracy": hits, "macro_f1": round(sum(f1) / len(f1), 4)}


def _share(hits: Any) -> float:
    return round(float(np.mean(list(hits))), 4)


def _instance(release: LoadedRelease, file: Path, index: int, row: dict[str, str]) -> dict[str, Any]:
    return {
        each.name: row[each.name] if each.choices else labelled_file.number(file, index, row, each.name)
        for each in release.signature.inputs
    }


def _numbers_of(release: LoadedRelease, instance: dict[str, Any]) -> list[float]:
    """As training saw the row: a choice by its place."""
    return [
        float(each.choices.index(instance[each.name])) if each.choices else instance[each.name]
        for each in release.signature.inputs
    ]


def _label(release: LoadedRelease, file: Path, index: int, row: dict[str, str]) -> str:
    """A column named like the output, or one column of 0 and 1 for each class."""
    place = f"{file.name} line {index + 2}"
    output = release.signature.outputs[0].name
    if output in row:
        if row[output] not in release.signature.classes:
            known = ", ".join(release.signature.classes)
            raise BadInstances(errors={f"{place} {output}": [f"未知类别，可用 / unknown class, known: {known}"]})
        return row[output]
    label = release.about.lineage.get("label", {})
    if label.get("column") in row:
        said = label["classes"].get(row[label["column"]].strip())
        if said is None:
            known = ", ".join(label["classes"])
            raise BadInstances(errors={f"{place} {label['column']}": [f"应为 / must be one of: {known}"]})
        return str(said)
    columns = {_plain(name): name for name in row}
    for name in release.signature.classes:
        column = columns.get(_plain(name))
        if column is not None and labelled_file.number(file, index, row, column) == 1:
            return name
    raise BadInstances(errors={place: ["没有标签 / has no label"]})


def _plain(name: str) -> str:
    return name.lower().replace("_faults", "").replace("_fault", "")
