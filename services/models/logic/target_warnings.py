"""What a chosen target brings up, from the profile alone: leakage, one class, balance, order. Needs no numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.models.training.table_warnings import warning

RARE_SHARE = 0.05
RARE_ROWS = 20
MOST_CLASSES = 20


def target_warnings(profile: Mapping[str, Any], target: str, features: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Warnings of this target; with `features`, only those that concern them."""
    column = next((each for each in profile["columns"] if each["name"] == target), None)
    if column is None:
        return []
    found = []
    for relation in profile["relations"]:
        if relation["target"] != target or (features and not set(relation["columns"]) <= set(features)):
            continue
        facts = {"target": target, "example": relation["said"], "suspects": relation["suspects"]}
        found.append(warning(f"leakage_{relation['kind']}", "、".join(relation["columns"]), **facts))
    return found + _of_classes(profile["rows"], column, target)


def is_class(column: Mapping[str, Any]) -> bool:
    """Whether a column would be predicted as a class: text, or few whole numbers."""
    if column["kind"] == "text":
        return True
    return bool(column["kind"] == "number" and column["distinct"] <= 2)


def _of_classes(rows: int, column: Mapping[str, Any], target: str) -> list[dict[str, Any]]:
    if column["kind"] == "constant":
        return [warning("single_class", target, target=target, example=column["top"][0]["value"])]
    if not is_class(column) or column["distinct"] > MOST_CLASSES:
        return []
    found = []
    if column.get("in_blocks"):
        found.append(warning("sorted_by_class", target, target=target))
    if column["distinct"] <= len(column["top"]):
        rarest = column["top"][-1]
        share = rarest["count"] / max(rows - column["missing"], 1)
        if share < RARE_SHARE or rarest["count"] < min(RARE_ROWS, rows // 10):
            facts = {"example": rarest["value"], "count": rarest["count"], "percent": f"{share * 100:.3g}"}
            found.append(warning("imbalance", target, target=target, **facts))
    return found
