"""Tables and matrices in a call of a tool: every cell checked, each fault named by its path. Knows no numpy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from services.models.inference.signature import Column, Feature

MOST_FAULTS = 20
LONGEST_TEXT = 80
_LARGEST = 2**53
_ABSENT = object()

Errors = dict[str, list[str]]


def table_of(feature: Feature, value: Any, path: str, errors: Errors) -> list[dict[str, Any]]:
    """The rows with a value in every column. Faults are noted as `<path>.<row>.<column>`, rows counted from 0.

    A table whose default is an empty one may be left out or empty.
    """
    if value == [] and feature.default == []:
        return []
    if not _is_filled(feature, value, path, errors):
        return []
    columns = {column.name: column for column in feature.columns}
    rows: list[dict[str, Any]] = []
    for index, given in enumerate(value):
        place = f"{path}.{index}"
        if not isinstance(given, Mapping):
            errors[place] = ["应为对象（列名: 值）/ must be an object of column: value"]
            continue
        for name in sorted(set(map(str, given)) - set(columns))[:3]:
            known = ", ".join(columns)
            errors[f"{place}.{name[:80]}"] = [f"未知列，可用 / unknown column, known: {known}"]
        rows.append({name: _cell(column, given, f"{place}.{name}", errors) for name, column in columns.items()})
        if len(errors) >= MOST_FAULTS:
            break
    return rows


def matrix_of(feature: Feature, value: Any, path: str, errors: Errors) -> list[list[float]]:
    """Rows of equal length, every number within the feature's range. Faults are noted as `<path>.<row>.<column>`."""
    if not _is_filled(feature, value, path, errors):
        return []
    width = len(value[0]) if isinstance(value[0], list) else 0
    rows = []
    for index, given in enumerate(value):
        if not isinstance(given, list) or len(given) != width or not width:
            errors[f"{path}.{index}"] = [f"每行应有 {width} 个数 / every row must have {width} numbers"]
            continue
        rows.append([_number(feature, cell, f"{path}.{index}.{place}", errors) for place, cell in enumerate(given)])
        if len(errors) >= MOST_FAULTS:
            break
    return rows


def _is_filled(feature: Feature, value: Any, path: str, errors: Errors) -> bool:
    most = feature.most_rows
    if isinstance(value, list) and 0 < len(value) <= most:
        return True
    held = f"收到 {len(value)} 行 / got {len(value)}" if isinstance(value, list) else "收到的不是表 / not a list"
    errors[path] = [f"{feature.title_zh}应为 1 到 {most} 行，{held}; 1 to {most} rows"]
    return False


def _cell(column: Column, row: Mapping[str, Any], path: str, errors: Errors) -> Any:
    value = row.get(column.name, _ABSENT)
    if value is _ABSENT or value is None or value == "":
        if column.required:
            unit = f" ({column.unit})" if column.unit else ""
            errors[path] = [f"缺少{column.title_zh}{unit} / missing"]
        return column.default
    if column.numeric:
        return _number(column, value, path, errors)
    # Order and machine numbers come out of a spreadsheet as numbers.
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        value = f"{value:.15g}"
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        errors[path] = [f"应为不超过 {LONGEST_TEXT} 字的文字 / must be text of at most {LONGEST_TEXT} characters"]
    elif column.choices and value not in column.choices:
        allowed = ", ".join(column.choices)
        errors[path] = [f"未知取值 {value[:40]!r}，可用 / unknown, use one of: {allowed}"]
    return value


def _number(of: Column | Feature, value: Any, path: str, errors: Errors) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        errors[path] = [f"应为数值，收到 {str(value)[:40]!r} / must be a number"]
        return 0.0
    if abs(value) > _LARGEST or not math.isfinite(value):
        errors[path] = ["应为有限数值 / must be finite"]
        return 0.0
    if of.datatype == "INT64" and value != int(value):
        errors[path] = [f"应为整数，收到 {value:g} / must be a whole number"]
    low, high = of.minimum, of.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        errors[path] = [f"{of.title_zh} {value:g} 应在 {_plain(low)} 到 {_plain(high)} 之间 / out of range"]
    return float(value)


def _plain(limit: float | None) -> str:
    return "…" if limit is None else f"{limit:.10g}"
