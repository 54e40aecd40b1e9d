"""What a table holds, column by column, and what is wrong with it before anybody trains on it.

Warnings that need a target (leakage, balance, order by class) are made from the profile when one is chosen, by
`logic.target_warnings`, so that a page can show them at once.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.models.training import relations, time_order
from services.models.training.table import Table, Value
from services.models.training.table_warnings import warning

FEWEST_ROWS = 50
NEARLY_EMPTY = 0.8
MOST_CLASSES = 20
"""A column with more different values is no classification target."""
MOST_SHOWN = 12
FAR = 10.0
"""Robust standard deviations from the median beyond which a value is looked at."""
_ID_NAME = re.compile(
    r"编号|序号|单号|工号|批号|卷号|炉号|件号|流水号|条码|身份证|^id$|_id$|\bid\b|^no\.?$|number|serial|barcode",
    re.IGNORECASE,
)
_TRIVIAL = re.compile(r"[\s\-_.·、/]+")

Floats = NDArray[np.float64]


def profile(table: Table) -> dict[str, Any]:
    """`{rows, columns: [...], warnings: [...], relations: [...]}`, ready for JSON."""
    numbers = {
        name: np.array([np.nan if value is None else value for value in values], np.float64)
        for name, values in table.columns.items()
        if table.kinds[name] == "number"
    }
    columns = [_column(table, name, numbers.get(name)) for name in table.columns]
    warnings = list(table.notes)
    for column in columns:
        warnings += _column_warnings(table, column, numbers.get(column["name"]))
    if table.rows < FEWEST_ROWS:
        warnings.append(warning("too_few_rows", count=table.rows, least=FEWEST_ROWS))
    else:
        warnings += _duplicates(table, columns)
    warnings += time_order.warnings(table)
    found = relations.find(table, numbers)
    return {"rows": table.rows, "columns": columns, "warnings": warnings, "relations": found}


def _column(table: Table, name: str, numbers: Floats | None) -> dict[str, Any]:
    values = table.columns[name]
    filled = [value for value in values if value is not None]
    kind = table.kinds[name]
    found: dict[str, Any] = {
        "name": name,
        "kind": kind,
        "unit": table.units.get(name, ""),
        "missing": table.rows - len(filled),
        "distinct": len(set(filled)),
    }
    if kind == "number" and numbers is not None:
        known = numbers[np.isfinite(numbers)]
        low, lower, middle, upper, high = np.quantile(known, [0, 0.05, 0.5, 0.95, 1])
        found |= {"minimum": low, "p5": lower, "median": middle, "p95": upper, "maximum": high}
        found = {key: _short(value) for key, value in found.items()}
        found["whole"] = bool(np.all(known == np.floor(known)))
        found["histogram"] = [int(count) for count in np.histogram(known, bins=24)[0]]
    elif kind == "date":
        found |= {"minimum": min(filled).isoformat(" "), "maximum": max(filled).isoformat(" ")}  # type: ignore[type-var,union-attr]
    if kind in ("text", "constant") or (kind == "number" and found["distinct"] <= MOST_CLASSES):
        found |= _classes(filled)
    return found


def _short(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _classes(filled: Sequence[Value]) -> dict[str, Any]:
    """The most frequent values, and whether the rows stand in blocks of them."""
    counts = Counter(filled)
    top = [{"value": _said(value), "count": count} for value, count in counts.most_common(MOST_SHOWN)]
    found: dict[str, Any] = {"top": top}
    if 2 <= len(counts) <= MOST_CLASSES:
        changes = sum(1 for one, other in itertools.pairwise(filled) if one != other)
        # In a shuffled column of two equal classes half of the neighbours differ; in a sorted one as many as classes.
        found["in_blocks"] = len(filled) >= FEWEST_ROWS and changes < 2 * len(counts)
    return found


def _said(value: Value) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value)[:80]


def _column_warnings(table: Table, column: dict[str, Any], numbers: Floats | None) -> list[dict[str, Any]]:
    name, kind = column["name"], column["kind"]
    missing = column["missing"] / table.rows
    found: list[dict[str, Any]] = []
    if kind == "empty" or missing >= NEARLY_EMPTY:
        return [warning("nearly_empty", name, percent=f"{missing * 100:.3g}")]
    if kind == "constant":
        return [warning("constant", name, example=column["top"][0]["value"])] if table.rows > 1 else []
    if _is_identifier(table, column, numbers):
        share = column["distinct"] / (table.rows - column["missing"])
        return [warning("id_as_feature", name, percent=f"{share * 100:.3g}")]
    if kind == "text":
        found += _spellings(table, name)
    if kind == "number" and numbers is not None and column["distinct"] > 10:
        mixed = _two_scales(numbers)
        if mixed is not None:
            found.append(warning("mixed_units", name, example=mixed))
        else:
            found += _outliers(table, name, numbers)
    return found


def _is_identifier(table: Table, column: dict[str, Any], numbers: Floats | None) -> bool:
    filled = table.rows - column["missing"]
    if filled < 20 or column["kind"] == "date":
        return False
    share = column["distinct"] / filled
    named = bool(_ID_NAME.search(column["name"]))
    if column["kind"] == "text":
        return share > 0.95 or (named and share > 0.5)
    if numbers is None or not column["whole"]:
        return False
    known = numbers[np.isfinite(numbers)]
    counted = bool(np.all(np.diff(known) == 1))
    return counted or (named and share > 0.95)


def _spellings(table: Table, name: str) -> list[dict[str, Any]]:
    """Texts that differ by case, blanks, width or punctuation only."""
    by_form: dict[str, Counter[str]] = {}
    for value, count in Counter(table.columns[name]).items():
        if isinstance(value, str):
            form = _TRIVIAL.sub("", unicodedata.normalize("NFKC", value).casefold())
            by_form.setdefault(form, Counter())[value] += count
    if len(by_form) > max(1000, table.rows // 2):
        return []
    several = [spelled for form, spelled in by_form.items() if form and len(spelled) > 1]
    if not several:
        return []
    shown = "、".join(f"“{value}” ({count})" for value, count in several[0].most_common(3))
    return [warning("inconsistent_categories", name, example=shown, count=len(several))]


def _two_scales(numbers: Floats) -> str | None:
    """Two clusters of positive values about a factor of a thousand apart, as kWh and MWh in one column are."""
    known = numbers[np.isfinite(numbers) & (numbers != 0)]
    if known.size < 30 or np.any(known < 0):
        return None
    logs = np.sort(np.log10(known))
    steps = np.diff(logs)
    place = int(np.argmax(steps))
    least = max(3, int(0.02 * logs.size))
    below, above = logs[: place + 1], logs[place + 1 :]
    if steps[place] < 1.0 or min(below.size, above.size) < least:
        return None
    apart = float(np.median(above) - np.median(below))
    if not 2.5 <= apart <= 3.5:
        return None
    return f"{below.size} × ~{10 ** float(np.median(below)):.3g}, {above.size} × ~{10 ** float(np.median(above)):.3g}"


def _outliers(table: Table, name: str, numbers: Floats) -> list[dict[str, Any]]:
    """Few values far from the rest, on the plain scale and, where all are positive, on the logarithmic one too."""
    known = np.isfinite(numbers)
    far = _far(numbers, known)
    positive = numbers[known]
    if np.all(positive >= 0):
        above = positive[positive > 0]
        scale = float(np.median(above)) if above.size else 1.0
        far &= (
            _far(np.log(numbers / scale + 1e-3), known)
            if np.all(positive > 0)
            else _far(np.log1p(numbers / scale), known)
        )
    places = np.flatnonzero(far)
    if not places.size or places.size > max(3, 0.02 * positive.size):
        return []
    example = "、".join(f"{numbers[place]:g}" for place in places[:3])
    facts = {"count": int(places.size), "example": example, "line": table.line_of(int(places[0]))}
    return [warning("outliers", name, **facts)]


def _far(values: Floats, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """More than `FAR` robust standard deviations from the median; the wider side's, for skewed columns."""
    inside = values[known]
    low, middle, high = np.quantile(inside, [0.1, 0.5, 0.9])
    # 1.2816 standard deviations of a normal column lie between its median and its 90 % quantile.
    spread = max(high - middle, middle - low) / 1.2816
    if spread <= 0:
        return np.zeros(values.size, bool)
    with np.errstate(invalid="ignore"):
        found: NDArray[np.bool_] = known & (np.abs(values - middle) > FAR * spread)
    return found


def _duplicates(table: Table, columns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows equal in every cell, where chance would make none: some column must be nearly all different."""
    if not any(
        each["kind"] in ("number", "text", "date") and each["distinct"] > 0.5 * (table.rows - each["missing"])
        for each in columns
    ):
        return []
    seen = Counter(zip(*table.columns.values(), strict=True))
    count = table.rows - len(seen)
    return [warning("duplicate_rows", count=count)] if count >= max(2, 0.002 * table.rows) else []
