"""The instances of a call checked by a signature without numpy, for what is computed outside the platform."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from services.models.errors import BadInstances
from services.models.inference.signature import Feature, Signature

MEMBERS = frozenset({"instances", "release"})
MOST_FAULTS = 20
LONGEST_TEXT = 400
_LARGEST = 2**53


@dataclass
class Checked:
    instances: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[list[dict[str, Any]]] = field(default_factory=list)
    """Of each instance: values outside the declared range, defaults that were used."""


def checked_instances(signature: Signature, request: Any, most: int) -> Checked:
    """Raises `BadInstances` with every fault by path."""
    if not isinstance(request, dict):
        raise BadInstances(errors={"body": ["应为对象 / must be an object"]})
    errors = {name[:80]: ["未知成员 / unknown member"] for name in sorted(set(request) - MEMBERS)}
    instances = request.get("instances")
    if not isinstance(instances, list) or not 0 < len(instances) <= most:
        errors["instances"] = [f"应为 1 到 {most} 条 / must hold 1 to {most} instances"]
        instances = []
    checked = Checked()
    for index, instance in enumerate(instances):
        if len(errors) >= MOST_FAULTS:
            break
        if not isinstance(instance, dict):
            errors[f"instances.{index}"] = ["应为对象 / must be an object"]
            continue
        for name in sorted(set(instance) - signature.names)[:5]:
            known = ", ".join(sorted(signature.names))
            errors[f"instances.{index}.{name[:80]}"] = [f"未知特征，可用 / unknown feature, known: {known}"]
        values: dict[str, Any] = {}
        warnings: list[dict[str, Any]] = []
        for feature in signature.inputs:
            said = _value(feature, instance, values, warnings)
            if said:
                errors[f"instances.{index}.{feature.name}"] = [said]
        checked.instances.append(values)
        checked.warnings.append(warnings)
    if errors:
        raise BadInstances(errors=dict(list(errors.items())[:MOST_FAULTS]))
    return checked


def _value(feature: Feature, instance: dict[str, Any], values: dict[str, Any], warnings: list[dict[str, Any]]) -> str:
    """Takes one value over, or says what is wrong with it."""
    value = instance.get(feature.name)
    if value is None:
        if feature.default is None:
            return f"缺少 {feature.title_zh} / missing"
        value = feature.default
        warnings.append(_said("default_used", feature, value, None, "未给，按默认值 / not given, the default was used"))
    if feature.choices:
        if value not in feature.choices:
            return f"可用 / use one of: {', '.join(feature.choices[:20])}"
    elif feature.numeric:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return f"应为数值，收到 {str(value)[:40]!r} / must be a number"
        if not math.isfinite(value) or abs(value) > _LARGEST:
            return "应为有限数值 / must be finite"
        for limit, beyond in ((feature.minimum, -1), (feature.maximum, 1)):
            if limit is not None and (value - limit) * beyond > 0:
                warnings.append(
                    _said("out_of_range", feature, value, limit, "超出申报的范围 / outside the stated range")
                )
    elif not isinstance(value, str) or len(value) > LONGEST_TEXT:
        return "应为文字 / must be text"
    values[feature.name] = value
    return ""


def _said(code: str, feature: Feature, value: Any, limit: Any, message: str) -> dict[str, Any]:
    message = f"{feature.title_zh}：{message}"
    return {"code": code, "feature": feature.name, "value": value, "limit": limit, "message": message}
