"""What a friendly call sends, read and checked: members, instances, numbers, units. Faults are named by path."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.models.errors import BadInstances
from services.models.inference.release import LoadedRelease
from services.models.inference.signature import Feature
from services.models.inference.units import OtherKind, converter

MOST_INSTANCES = 10_000
MOST_FAULTS = 20
KNOWN_MEMBERS = frozenset({"instances", "history", "explain", "release", "units"})
_LARGEST = 2**53

Errors = dict[str, list[str]]
Conversions = Mapping[str, tuple[float, float]]
"""Name -> factor and offset to the signature's unit."""


def refuse(errors: Errors) -> None:
    """Raises `BadInstances` with at most twenty faults, when there are any."""
    if errors:
        raise BadInstances(errors=dict(list(errors.items())[:MOST_FAULTS]))


def instances_of(request: Any) -> list[Mapping[str, Any]]:
    if not isinstance(request, Mapping):
        raise BadInstances(errors={"body": ["应为对象 / must be an object"]})
    unknown = sorted(set(request) - KNOWN_MEMBERS)
    refuse({name[:80]: ["未知成员 / unknown member"] for name in unknown})
    if not isinstance(request.get("explain", False), bool):
        raise BadInstances(errors={"explain": ["应为 true 或 false / must be true or false"]})
    instances = request.get("instances")
    if not isinstance(instances, list) or not instances:
        raise BadInstances(errors={"instances": ["应为非空数组 / must be a list with at least one instance"]})
    if len(instances) > MOST_INSTANCES:
        said = f"最多 {MOST_INSTANCES} 条，收到 {len(instances)} / at most {MOST_INSTANCES}, got {len(instances)}"
        raise BadInstances(errors={"instances": [said]})
    wrong = [index for index, each in enumerate(instances) if not isinstance(each, Mapping)]
    refuse({f"instances.{index}": ["应为对象 / must be an object"] for index in wrong[:MOST_FAULTS]})
    return instances


def conversions_of(release: LoadedRelease, request: Mapping[str, Any]) -> Conversions:
    """`units: {name: unit}` of the call. Raises `BadInstances` for a unit of another kind, with both units named."""
    units = request.get("units")
    if units is None:
        return {}
    if not isinstance(units, Mapping):
        raise BadInstances(errors={"units": ["应为 {特征: 单位} / must map features to units"]})
    signature = release.signature
    wanted = {each.name: each.unit for each in signature.inputs if each.numeric and not signature.history}
    if signature.history:
        wanted = {each.name: each.unit for each in signature.outputs if each.name in signature.history}
    found: dict[str, tuple[float, float]] = {}
    errors: Errors = {}
    for name, unit in units.items():
        if name not in wanted or not isinstance(unit, str):
            known = ", ".join(wanted)
            errors[f"units.{name[:80]}"] = [f"可给单位的有 / units may be given for: {known}"]
            continue
        try:
            found[name] = converter(unit, wanted[name])
        except OtherKind as other:
            errors[f"units.{name}"] = [str(other)]
    refuse(errors)
    return found


def unknown_names(release: LoadedRelease, instance: Mapping[str, Any], index: int) -> Errors:
    known = set(release.signature.instance) or release.signature.names
    extra = sorted(set(instance) - set(known))
    allowed = ", ".join(sorted(known))
    return {
        f"instances.{index}.{name[:80]}": [f"未知特征，可用 / unknown feature, known: {allowed}"] for name in extra[:5]
    }


def number_of(
    feature: Feature, instance: Mapping[str, Any], path: str, errors: Errors, conversions: Conversions
) -> float:
    """The feature's value in the signature's unit, or its default; a fault is noted under `path`."""
    value = instance.get(feature.name, feature.default)
    own_unit = None
    if isinstance(value, Mapping):
        own_unit, value = _with_unit(feature, value, path, errors)
        if path in errors:
            return 0.0
    if value is None:
        unit = f" ({feature.unit})" if feature.unit else ""
        errors[path] = [f"缺少 {feature.title_zh}{unit} / missing"]
        return 0.0
    if feature.choices:
        # A number is read as the word it would be written as: taken for the place in the list it would be a silent error.
        word = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
        if word in feature.choices:
            return float(feature.choices.index(word))
        errors[path] = [f"可用 / use one of: {', '.join(feature.choices[:20])}"]
        return 0.0
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        errors[path] = [f"应为数值，收到 {str(value)[:40]!r} / must be a number"]
        return 0.0
    # A whole number may be too large even to be looked at as a float, so its size is compared first.
    conversion = own_unit or (conversions.get(feature.name) if feature.name in instance else None)
    if abs(value) <= _LARGEST and conversion is not None:
        factor, offset = conversion
        value = value * factor + offset
    if abs(value) > _LARGEST or not math.isfinite(value):
        errors[path] = ["应为有限数值 / must be finite"]
        return 0.0
    return float(value)


def _with_unit(
    feature: Feature, given: Mapping[str, Any], path: str, errors: Errors
) -> tuple[tuple[float, float] | None, Any]:
    """`{"value": 5, "unit": "t/h"}`: the conversion to the feature's unit, and the value."""
    unit = given.get("unit")
    if set(given) != {"value", "unit"} or not isinstance(unit, str):
        errors[path] = ['应为数值或 {"value": 数值, "unit": 单位} / must be a number, or value and unit']
        return None, None
    try:
        return converter(unit, feature.unit), given["value"]
    except OtherKind as other:
        errors[path] = [str(other)]
        return None, None


def matrix_of(
    release: LoadedRelease, instances: Sequence[Mapping[str, Any]], conversions: Conversions
) -> NDArray[np.float32]:
    """(n, features) in the signature's order. Raises `BadInstances` with every fault, at most twenty named."""
    features = release.signature.inputs
    errors: Errors = {}
    rows = []
    for index, instance in enumerate(instances):
        if not instance.keys() <= release.signature.names:
            errors.update(unknown_names(release, instance, index))
        prefix = f"instances.{index}."
        rows.append([number_of(each, instance, prefix + each.name, errors, conversions) for each in features])
        if len(errors) >= MOST_FAULTS:
            break
    refuse(errors)
    with np.errstate(over="ignore"):
        matrix = np.asarray(rows, dtype=np.float32)
    if not np.isfinite(matrix).all():
        raise BadInstances(errors={"instances": ["数值超出单精度范围 / a number beyond single precision"]})
    return matrix


def range_warning(feature: Feature, value: float) -> dict[str, Any]:
    low = feature.minimum is not None and value < feature.minimum
    limit = feature.minimum if low else feature.maximum
    side_zh, side_en = ("低于", "below") if low else ("高于", "above")
    unit = f" {feature.unit}" if feature.unit else ""
    return {
        "code": "out_of_range",
        "feature": feature.name,
        "value": round(float(value), 6),
        "limit": limit,
        "message": f"{feature.title_zh}{side_zh}适用范围 {limit}{unit} / {side_en} the range",
    }
