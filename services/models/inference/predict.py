"""The friendly call: named features in, value with unit, interval, range check and the naive rule's answer out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.models.inference.compute import Computed, compute, out_of_range
from services.models.inference.explain import contributions
from services.models.inference.from_history import prepare
from services.models.inference.instances import (
    MOST_INSTANCES,
    conversions_of,
    instances_of,
    matrix_of,
    range_warning,
)
from services.models.inference.release import LoadedRelease
from services.models.inference.tool_call import tool_prediction

__all__ = ["MOST_INSTANCES", "predict"]


def predict(release: LoadedRelease, request: Any, language: str, options: Any = None) -> dict[str, Any]:
    """`{instances: [{feature: value}], history?, units?, explain?, release?}` -> `{component, release, predictions}`.

    Raises `BadInstances` with every fault by path, `ModelFailed`.
    """
    instances = instances_of(request)
    conversions = conversions_of(release, request)
    explain = request.get("explain", False)
    if release.tool is not None:
        predictions = [
            tool_prediction(release, each, index, language, conversions, explain)
            for index, each in enumerate(instances)
        ]
    else:
        predictions = _of_model(release, instances, request, options, conversions, explain)
    answer: dict[str, Any] = {"component": release.name, "release": release.version, "predictions": predictions}
    source = release.about.component.get("source")
    if source:
        answer["source"] = source.get(language) or source.get("zh") if isinstance(source, Mapping) else source
    return answer


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
    computed = compute(release, matrix, options)
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
    unit = release.signature.outputs[0].unit
    coverage = release.intervals.get("coverage")
    found = []
    for row in range(matrix.shape[0]):
        warnings = [
            range_warning(release.signature.inputs[column], float(matrix[row, column]))
            for column in np.flatnonzero(outside[row])
        ]
        prediction: dict[str, Any] = {"in_range": not warnings, "warnings": warnings}
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
    if threshold is not None:
        kept = [name for name, share in zip(classes, row, strict=True) if share >= 1 - threshold]
        found["set"] = {"classes": kept or [found["value"]], "coverage": coverage}
    return found


def _plain(value: Any) -> float:
    return round(float(value), 6)
