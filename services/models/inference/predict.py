"""The friendly call: named features in, value with unit, interval, range check and the naive rule's answer out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.models.inference.compute import Computed, compute, out_of_range, unlike_training
from services.models.inference.explain import contributions
from services.models.inference.from_history import prepare
from services.models.inference.instances import (
    MOST_INSTANCES,
    conversions_of,
    instances_of,
    matrix_of,
    range_warning,
)
from services.models.inference.novelty import most_unusual
from services.models.inference.release import LoadedRelease
from services.models.inference.seen import note
from services.models.inference.tool_call import Progress, quiet, tool_prediction

__all__ = ["MOST_INSTANCES", "predict"]


def predict(
    release: LoadedRelease, request: Any, language: str, options: Any = None, progress: Progress = quiet
) -> dict[str, Any]:
    """`{instances: [{feature: value}], history?, units?, explain?, release?}` -> `{component, release, predictions}`.

    `progress` hears how far a tool is that may take long; what it raises ends the work.
    Raises `BadInstances` with every fault by path, `ModelFailed`.
    """
    instances = instances_of(request)
    conversions = conversions_of(release, request)
    explain = request.get("explain", False)
    if release.tool is not None:
        predictions = [
            tool_prediction(
                release, each, index, language, conversions, explain, _part(progress, index, len(instances))
            )
            for index, each in enumerate(instances)
        ]
    else:
        predictions = _of_model(release, instances, request, options, conversions, explain)
    answer: dict[str, Any] = {"component": release.name, "release": release.version, "predictions": predictions}
    source = release.about.component.get("source")
    if source:
        answer["source"] = source.get(language) or source.get("zh") if isinstance(source, Mapping) else source
    return answer


def _part(progress: Progress, index: int, count: int) -> Progress:
    return lambda fraction, message: progress((index + fraction) / count, message)


def _of_model(
    release: LoadedRelease,
    instances: Sequence[Mapping[str, Any]],
    request: Mapping[str, Any],
    options: Any,
    conversions: Mapping[str, tuple[float, float]],
    explain: bool,
) -> list[dict[str, Any]]:
    naive, said = None, None
    if release.prepare is not None:
        prepared = prepare(release, instances, request.get("history"), conversions)
        matrix, naive, said = prepared.matrix, prepared.naive, prepared.warnings
    else:
        matrix = matrix_of(release, instances, conversions)
    if naive is None and "naive_feature" in release.intervals:
        names = [feature.name for feature in release.signature.inputs]
        naive = matrix[:, names.index(release.intervals["naive_feature"])].astype(np.float64)
    computed = compute(release, matrix, options)
    note(release, matrix, computed)
    predictions = _predictions(release, matrix, computed, naive)
    for prediction, warnings in zip(predictions, said or (), strict=False):
        prediction["warnings"] += warnings
    if explain:
        for prediction, each in zip(predictions, contributions(release, matrix, computed, options), strict=True):
            prediction["contributions"] = each
    return predictions


def _predictions(
    release: LoadedRelease, matrix: NDArray[np.float32], computed: Computed, naive: NDArray[np.float64] | None
) -> list[dict[str, Any]]:
    outside = out_of_range(release, matrix)
    novel = unlike_training(release, matrix)
    unit = release.signature.outputs[0].unit
    coverage = release.intervals.get("coverage")
    found = []
    for row in range(matrix.shape[0]):
        warnings = [
            range_warning(release.signature.inputs[column], float(matrix[row, column]))
            for column in np.flatnonzero(outside[row])
        ]
        prediction: dict[str, Any] = {"in_range": not warnings}
        if novel is not None:
            prediction["novel"] = bool(novel[row])
            if novel[row]:
                warnings.append(_unusual(release, matrix[row]))
        prediction["warnings"] = warnings
        if computed.probabilities is not None:
            prediction = {**_class_of(release, computed.probabilities[row], coverage), **prediction}
        elif computed.values is not None:
            prediction = {"value": _plain(computed.values[row]), "unit": unit, **prediction}
            if computed.low is not None and computed.high is not None:
                prediction["interval"] = {
                    "low": _plain(computed.low[row]), "high": _plain(computed.high[row]), "coverage": coverage
                }  # fmt: skip
        if naive is not None:
            prediction["naive"] = _plain(naive[row])
        elif "naive" in release.intervals:
            prediction["naive"] = release.intervals["naive"]
        found.append(prediction)
    return found


def _class_of(release: LoadedRelease, row: NDArray[np.float64], coverage: Any) -> dict[str, Any]:
    classes = release.signature.classes
    probabilities = {name: round(float(share), 6) for name, share in zip(classes, row, strict=True)}
    threshold = release.intervals.get("threshold")
    found: dict[str, Any] = {"value": classes[int(np.argmax(row))], "unit": "", "probabilities": probabilities}
    if "decision" in release.intervals:
        found["decision"] = _decision(release.intervals["decision"], probabilities)
    if threshold is not None:
        kept = [name for name, share in zip(classes, row, strict=True) if share >= 1 - threshold]
        found["set"] = {"classes": kept or [found["value"]], "coverage": coverage}
    return found


def _decision(rule: Mapping[str, Any], probabilities: Mapping[str, float]) -> dict[str, Any]:
    """Act when the probability of the positive class reaches cost of an alarm / (cost of an alarm + cost of a miss)."""
    chance, threshold = probabilities[rule["positive"]], float(rule["threshold"])
    basis = (
        f"漏报代价 {rule['cost_miss']:g}、误报代价 {rule['cost_alarm']:g}：概率达到 {threshold:g} 就值得处理"
        f" / a miss costs {rule['cost_miss']:g}, an alarm {rule['cost_alarm']:g}: act from {threshold:g}"
    )
    return {"positive": rule["positive"], "act": chance >= threshold, "threshold": threshold, "basis": basis}


def _unusual(release: LoadedRelease, row: NDArray[np.float32]) -> dict[str, Any]:
    place = most_unusual(row, release.intervals["novelty"])
    feature = release.signature.inputs[place]
    return {
        "code": "unusual_combination",
        "feature": feature.name,
        "value": _plain(row[place]),
        "limit": None,
        "message": f"{feature.title_zh}与其余各项不相称，训练数据里没有这样的组合：请核对列的顺序和单位"
        " / does not go with the other values, training saw no such combination: check the order of columns and units",
    }


def _plain(value: Any) -> float:
    return round(float(value), 6)
