"""Calling a tool: inputs checked by its signature, every default that was used said, the band by stated tolerances."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from services.models.errors import BadInstances
from services.models.inference.instances import (
    Conversions,
    Errors,
    conversions_of,
    instances_of,
    number_of,
    range_warning,
    refuse,
    unknown_names,
)
from services.models.inference.release import LoadedRelease
from services.models.inference.signature import MOST_SOLVED, Feature
from services.models.inference.tables import matrix_of, table_of

MOST_NUMBERS = 10_000

Progress = Callable[[float, str], None]
"""Says how far the work is, 0 to 1, and in a few words. What it raises ends the work."""


def quiet(_fraction: float, _message: str) -> None:
    """The progress of a caller who waits for the answer anyway."""


def is_job(release: LoadedRelease) -> bool:
    """Whether a call is computed by the worker, because it may take many seconds."""
    return release.about.component.get("cost") == "job"


def checked_request(release: LoadedRelease, request: Any) -> dict[str, Any]:
    """What the job of a call holds, every input checked now so that nobody waits for a refusal.

    Raises `BadInstances` by path.
    """
    instances = instances_of(request)
    if len(instances) > MOST_SOLVED:
        said = f"最多 {MOST_SOLVED} 条，收到 {len(instances)} / at most {MOST_SOLVED}, got {len(instances)}"
        raise BadInstances(errors={"instances": [said]})
    conversions = conversions_of(release, request)
    for index, instance in enumerate(instances):
        _values(release, instance, index, conversions)
    kept = {name: request[name] for name in ("units",) if name in request}
    return {"release": release.version, "instances": instances, **kept}


def tool_prediction(
    release: LoadedRelease,
    instance: Mapping[str, Any],
    index: int,
    language: str,
    conversions: Conversions,
    explain: bool = False,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Raises `BadInstances` by path, also for what the formula itself refuses. `progress` is for a tool that is a job;
    such a tool gets it as its argument of that name, and neither its band nor its contributions are computed."""
    values, warnings = _values(release, instance, index, conversions)
    main = release.signature.outputs[0]
    if is_job(release):
        answer = _call(release, {**values, "progress": progress}, index)
        explain = False
    else:
        answer = _call(release, values, index)
    prediction: dict[str, Any] = {
        "value": answer.outputs[main.name],
        "unit": main.unit,
        "outputs": {
            each.name: {"value": answer.outputs[each.name], "unit": each.unit}
            for each in release.signature.outputs
            if each.name in answer.outputs
        },
        "in_range": all(each["code"] != "out_of_range" for each in warnings),
        "warnings": warnings,
    }
    band = None if is_job(release) else tolerance_band(release, values, answer.outputs[main.name])
    if band is not None:
        prediction["interval"] = band
    if explain:
        prediction["contributions"] = contributions(release, values, answer.outputs[main.name])
    if answer.notes:
        prediction["notes"] = [note[language] for note in answer.notes]
    if answer.charts:
        prediction["chart"] = [dict(chart) for chart in answer.charts]
    if answer.tables:
        prediction["tables"] = [dict(table) for table in answer.tables]
    return prediction


def _values(
    release: LoadedRelease, instance: Mapping[str, Any], index: int, conversions: Conversions
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    errors: Errors = unknown_names(release, instance, index)
    values: dict[str, Any] = {}
    warnings = []
    for feature in release.signature.inputs:
        path = f"instances.{index}.{feature.name}"
        value = values[feature.name] = _value(feature, instance, path, errors, conversions)
        if path in errors:
            continue
        if feature.name not in instance and feature.default not in (None, 0) and not isinstance(feature.default, list):
            warnings.append(_default_used(feature))
        if feature.numeric:
            low, high = feature.minimum, feature.maximum
            if (low is not None and value < low) or (high is not None and value > high):
                warnings.append(range_warning(feature, value))
    refuse(errors)
    return values, warnings


def _call(release: LoadedRelease, values: Mapping[str, Any], index: int) -> Any:
    if release.tool is None:
        raise TypeError("not a tool")
    try:
        answer = release.tool(**values)
    except (ValueError, ZeroDivisionError, OverflowError) as wrong:
        raise BadInstances(errors={f"instances.{index}": [str(wrong)[:300]]}) from None
    # A formula far outside its range may overflow in silence.
    if any(isinstance(value, float) and not math.isfinite(value) for value in answer.outputs.values()):
        raise BadInstances(errors={f"instances.{index}": ["结果不是有限数值 / the result is not a finite number"]})
    return answer


def _value(feature: Feature, instance: Mapping[str, Any], path: str, errors: Errors, conversions: Conversions) -> Any:
    if feature.numeric:
        return number_of(feature, instance, path, errors, conversions)
    value = instance.get(feature.name, feature.default)
    if value is None:
        errors[path] = [f"缺少 {feature.title_zh} / missing"]
    elif feature.datatype == "LIST":
        if not isinstance(value, list) or not 0 < len(value) <= MOST_NUMBERS or not all(map(_is_number, value)):
            errors[path] = [f"应为数值数组（1 到 {MOST_NUMBERS} 个）/ must be a list of finite numbers"]
            return []
        return [float(each) for each in value]
    elif feature.datatype == "TABLE":
        return table_of(feature, value, path, errors)
    elif feature.datatype == "MATRIX":
        return matrix_of(feature, value, path, errors)
    elif not isinstance(value, str) or (feature.choices and value not in feature.choices):
        allowed = ", ".join(feature.choices)
        errors[path] = [f"未知取值 {str(value)[:40]!r}，可用 / unknown, use one of: {allowed}"]
    return value


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, (int, float)) and abs(value) < 1e300


def _default_used(feature: Feature) -> dict[str, Any]:
    unit = f" {feature.unit}" if feature.unit else ""
    return {
        "code": "default_used",
        "feature": feature.name,
        "value": feature.default,
        "limit": None,
        "message": f"未给{feature.title_zh}，按 {feature.default}{unit} 计算 / not given, the default was used",
    }


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


def contributions(release: LoadedRelease, values: Mapping[str, Any], centre: Any) -> dict[str, float]:
    """What each input changes in the main output against its typical value, one at a time."""
    main = release.signature.outputs[0].name
    found: dict[str, float] = {}
    for feature in release.signature.inputs:
        usual = feature.typical if feature.typical is not None else feature.default
        if release.tool is None or not feature.numeric or usual is None or values[feature.name] == usual:
            continue
        try:
            found[feature.name] = round(
                centre - float(release.tool(**{**values, feature.name: usual}).outputs[main]), 6
            )
        except (ValueError, ZeroDivisionError):
            continue
    return found
