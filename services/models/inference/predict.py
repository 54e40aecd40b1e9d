"""The friendly call: named features in; value, unit, interval, range and the naive rule's word out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.models.errors import BadInstances
from services.models.inference.compute import Computed, compute, out_of_range
from services.models.inference.release import LoadedRelease
from services.models.inference.signature import Feature

MOST_INSTANCES = 10_000
MOST_HISTORY = 200_000
KNOWN_MEMBERS = frozenset({"instances", "history", "explain", "release", "units"})
_INTEGER_LIMIT = 2**53


def predict(release: LoadedRelease, request: Any, language: str, options: Any = None) -> dict[str, Any]:
    """`{instances: [{feature: value}], history?, release?}` -> `{component, release, predictions: [...]}`.

    Raises `BadInstances` with every fault by path, `ModelFailed`.
    """
    instances = _instances(request)
    if release.tool is not None:
        predictions = [_tool_prediction(release, each, index, language) for index, each in enumerate(instances)]
    elif release.prepare is not None:
        predictions = _from_history(release, instances, request.get("history"), options)
    else:
        matrix = _matrix(release, instances)
        predictions = _predictions(release, matrix, compute(release, matrix, options), None)
    answer: dict[str, Any] = {"component": release.name, "release": release.version, "predictions": predictions}
    source = release.about.component.get("source")
    if source:
        answer["source"] = source.get(language) or source.get("zh") if isinstance(source, Mapping) else source
    return answer


def _instances(request: Any) -> list[Mapping[str, Any]]:
    if not isinstance(request, Mapping):
        raise BadInstances(errors={"body": ["应为对象 / must be an object"]})
    unknown = sorted(set(request) - KNOWN_MEMBERS)
    if unknown:
        raise BadInstances(errors={name[:80]: ["未知成员 / unknown member"] for name in unknown})
    instances = request.get("instances")
    if not isinstance(instances, list) or not instances:
        raise BadInstances(errors={"instances": ["应为非空数组 / must be a list with at least one instance"]})
    if len(instances) > MOST_INSTANCES:
        said = f"最多 {MOST_INSTANCES} 条，收到 {len(instances)} / at most {MOST_INSTANCES}, got {len(instances)}"
        raise BadInstances(errors={"instances": [said]})
    for index, each in enumerate(instances):
        if not isinstance(each, Mapping):
            raise BadInstances(errors={f"instances.{index}": ["应为对象 / must be an object"]})
    return instances


def _matrix(release: LoadedRelease, instances: Sequence[Mapping[str, Any]]) -> NDArray[np.float32]:
    """(n, features) in the signature's order. Raises `BadInstances` with every fault, at most 20 named."""
    features = release.signature.inputs
    errors: dict[str, list[str]] = {}
    rows = []
    for index, instance in enumerate(instances):
        errors.update(_unknown(release, instance, index))
        row = []
        for feature in features:
            row.append(_number(feature, instance, f"instances.{index}.{feature.name}", errors))
        rows.append(row)
        if len(errors) >= 20:
            break
    if errors:
        raise BadInstances(errors=errors)
    with np.errstate(over="ignore"):
        matrix = np.asarray(rows, dtype=np.float32)
    if not np.isfinite(matrix).all():
        raise BadInstances(errors={"instances": ["数值超出单精度范围 / a number beyond single precision"]})
    return matrix


def _unknown(release: LoadedRelease, instance: Mapping[str, Any], index: int) -> dict[str, list[str]]:
    known = set(release.signature.instance) or release.signature.names
    extra = sorted(set(instance) - set(known))
    allowed = ", ".join(sorted(known))
    return {f"instances.{index}.{name[:80]}": [f"未知特征，可用 / unknown feature, known: {allowed}"] for name in extra[:5]}


def _number(feature: Feature, instance: Mapping[str, Any], path: str, errors: dict[str, list[str]]) -> float:
    value = instance.get(feature.name, feature.default)
    if value is None:
        unit = f" ({feature.unit})" if feature.unit else ""
        errors[path] = [f"缺少 {feature.title_zh}{unit} / missing"]
        return 0.0
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        errors[path] = [f"应为数值，收到 {str(value)[:40]!r} / must be a number"]
        return 0.0
    if not math.isfinite(value) or abs(value) > _INTEGER_LIMIT:
        errors[path] = ["应为有限数值 / must be finite"]
        return 0.0
    return float(value)


def _predictions(
    release: LoadedRelease, matrix: NDArray[np.float32], computed: Computed, naive: NDArray[np.float64] | None
) -> list[dict[str, Any]]:
    outside = out_of_range(release, matrix)
    unit = release.signature.outputs[0].unit
    coverage = release.intervals.get("coverage")
    found = []
    for row in range(matrix.shape[0]):
        warnings = [
            _range_warning(release.signature.inputs[column], float(matrix[row, column]))
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


def _range_warning(feature: Feature, value: float) -> dict[str, Any]:
    low = feature.minimum is not None and value < feature.minimum
    limit = feature.minimum if low else feature.maximum
    side_zh, side_en = ("低于", "below") if low else ("高于", "above")
    unit = f" {feature.unit}" if feature.unit else ""
    return {
        "code": "out_of_range",
        "feature": feature.name,
        "value": _plain(value),
        "limit": limit,
        "message": f"{feature.title_zh}{side_zh}适用范围 {limit}{unit} / {side_en} the range",
    }


def _plain(value: Any) -> float:
    return round(float(value), 6)


def _from_history(
    release: LoadedRelease, instances: Sequence[Mapping[str, Any]], history: Any, options: Any
) -> list[dict[str, Any]]:
    """Day-ahead: each instance names the end of an interval to forecast; `history` holds the readings before its day."""
    features = release.prepare
    ends = _ends(release, instances)
    rows = _history(release, history)
    readings = features.readings_of(rows)
    matrices, naives = [], []
    by_day: dict[datetime, tuple[Any, Any]] = {}
    for index, (day, slot) in enumerate(ends):
        if day not in by_day:
            _enough(readings, features, day, index)
            by_day[day] = (features.day_features(readings, day), features.naive(readings, day))
        matrix, simple = by_day[day]
        matrices.append(matrix[slot])
        naives.append(simple[slot])
    matrix32 = np.asarray(matrices, dtype=np.float32)
    return _predictions(release, matrix32, compute(release, matrix32, options), np.asarray(naives))


def _ends(release: LoadedRelease, instances: Sequence[Mapping[str, Any]]) -> list[tuple[datetime, int]]:
    errors: dict[str, list[str]] = {}
    found = []
    for index, instance in enumerate(instances):
        errors.update(_unknown(release, instance, index))
        try:
            found.append(release.prepare.slot_of(release.prepare.parse_end(instance.get("interval_end"))))
        except ValueError:
            errors[f"instances.{index}.interval_end"] = [
                "应为当地时间的刻钟末，如 2018-11-01 00:15 / the end of a quarter hour in local time"
            ]
    if errors:
        raise BadInstances(errors=dict(list(errors.items())[:20]))
    return found


def _history(release: LoadedRelease, history: Any) -> list[tuple[datetime, float]]:
    columns = release.signature.history
    if not isinstance(history, list) or not history:
        wanted = ", ".join(columns)
        raise BadInstances(errors={"history": [f"缺少历史数据，每行含 / missing; rows with: {wanted}"]})
    if len(history) > MOST_HISTORY:
        raise BadInstances(errors={"history": [f"最多 {MOST_HISTORY} 行 / at most {MOST_HISTORY} rows"]})
    errors: dict[str, list[str]] = {}
    rows = []
    for index, row in enumerate(history):
        try:
            value = row["usage_kwh"]
            if isinstance(value, bool) or not math.isfinite(float(value)) or float(value) < 0:
                raise ValueError
            rows.append((release.prepare.parse_end(row["interval_end"]), float(value)))
        except (KeyError, TypeError, ValueError):
            errors[f"history.{index}"] = [
                "应为 {interval_end: 刻钟末, usage_kwh: 不小于 0 的数} / needs interval_end and usage_kwh >= 0"
            ]
            if len(errors) >= 20:
                break
    if errors:
        raise BadInstances(errors=errors)
    return rows


def _enough(readings: Any, features: Any, day: datetime, index: int) -> None:
    """The days right before the forecast day must be there; a stale history would be a silent wrong answer."""
    past = readings.until(day)
    needed = features.DAYS_NEEDED
    recent = past[-needed:] if readings.day_index(day) <= readings.grid.shape[0] else past[:0]
    present = int((~np.isnan(recent)).any(axis=1).sum()) if recent.size else 0
    if present < needed:
        first = (day - timedelta(days=needed)).date()
        raise BadInstances(
            errors={
                f"instances.{index}.interval_end": [
                    f"需要 {first} 起到当日 00:00 连续 {needed} 天的历史，现有 {present} 天 / "
                    f"needs the {needed} days from {first} up to that midnight, has {present}"
                ]
            }
        )


def _tool_prediction(release: LoadedRelease, instance: Mapping[str, Any], index: int, language: str) -> dict[str, Any]:
    """A tool's answer, its inputs checked by the signature; its band is its stated input tolerances propagated."""
    errors: dict[str, list[str]] = _unknown(release, instance, index)
    values: dict[str, Any] = {}
    warnings = []
    for feature in release.signature.inputs:
        path = f"instances.{index}.{feature.name}"
        values[feature.name] = _tool_value(feature, instance, path, errors)
        if feature.numeric and path not in errors and values[feature.name] is not None:
            low, high = feature.minimum, feature.maximum
            if (low is not None and values[feature.name] < low) or (high is not None and values[feature.name] > high):
                warnings.append(_range_warning(feature, values[feature.name]))
    if errors or release.tool is None:
        raise BadInstances(errors=dict(list(errors.items())[:20]))
    try:
        answer = release.tool(**values)
    except (ValueError, ZeroDivisionError, OverflowError) as wrong:
        raise BadInstances(errors={f"instances.{index}": [str(wrong)[:300]]}) from None
    outputs = {
        each.name: {"value": answer.outputs[each.name], "unit": each.unit}
        for each in release.signature.outputs
        if each.name in answer.outputs
    }
    main = release.signature.outputs[0]
    prediction: dict[str, Any] = {
        "value": answer.outputs[main.name],
        "unit": main.unit,
        "outputs": outputs,
        "in_range": not warnings,
        "warnings": warnings,
    }
    band = tolerance_band(release, values, answer.outputs[main.name])
    if band is not None:
        prediction["interval"] = band
    if answer.notes:
        prediction["notes"] = [note[language] for note in answer.notes]
    if answer.charts:
        prediction["chart"] = [dict(chart) for chart in answer.charts]
    return prediction


def tolerance_band(release: LoadedRelease, values: Mapping[str, Any], centre: Any) -> dict[str, Any] | None:
    """Root of the summed squares of what each stated tolerance does to the main output; no statement, no band."""
    if release.tool is None or isinstance(centre, bool) or not isinstance(centre, (int, float)):
        return None
    main = release.signature.outputs[0].name
    total, parts = 0.0, []
    for feature in release.signature.inputs:
        value = values[feature.name]
        if not feature.tolerance or not isinstance(value, (int, float)) or value == 0:
            continue
        moved = []
        for sign in (-1, 1):
            try:
                shifted = {**values, feature.name: value * (1 + sign * feature.tolerance)}
                moved.append(float(release.tool(**shifted).outputs[main]))
            except (ValueError, ZeroDivisionError):
                continue
        if moved:
            total += max(abs(each - centre) for each in moved) ** 2
            parts.append(f"{feature.title_zh} ±{feature.tolerance * 100:g} %")
    if not parts:
        return None
    half = math.sqrt(total)
    basis = "输入允差传递：" + "、".join(parts)
    return {"low": round(centre - half, 6), "high": round(centre + half, 6), "coverage": None, "basis": basis}


def _tool_value(feature: Feature, instance: Mapping[str, Any], path: str, errors: dict[str, list[str]]) -> Any:
    if feature.numeric:
        return _number(feature, instance, path, errors)
    value = instance.get(feature.name, feature.default)
    if feature.datatype == "LIST":
        numbers = value if isinstance(value, list) else None
        if not numbers or len(numbers) > 10_000 or not all(_is_number(each) for each in numbers):
            errors[path] = ["应为数值数组（1 到 10000 个）/ must be a list of 1 to 10000 finite numbers"]
            return []
        return [float(each) for each in numbers]
    if not isinstance(value, str) or (feature.choices and value not in feature.choices):
        allowed = ", ".join(feature.choices)
        errors[path] = [f"未知取值 {str(value)[:40]!r}，可用 / unknown, use one of: {allowed}"]
    return value


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, (int, float)) and math.isfinite(value)
