"""Whether the time column runs forward, evenly and once: order, gaps, repeated stamps."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import datetime
from typing import Any

from services.models.training.table import Table
from services.models.training.table_warnings import warning

REGULAR = 0.7
"""A column is evenly spaced when this share of its steps, in order of time, is the usual one."""
FEW = 0.05
"""Gaps are looked at as faults only while they are rare: nights and weekends are a rhythm."""
FEW_REPEATS = 0.3
_FEWEST = 10


def time_column(table: Table) -> str | None:
    """The date column with the most different moments."""
    dated = [name for name, kind in table.kinds.items() if kind == "date"]
    return max(dated, key=lambda name: len(set(table.columns[name]))) if dated else None


def warnings(table: Table) -> list[dict[str, Any]]:
    name = time_column(table)
    if name is None:
        return []
    stamps = [(value, row) for row, value in enumerate(table.columns[name]) if isinstance(value, datetime)]
    if len(stamps) < _FEWEST:
        return []
    found = []
    back = [row for (before, _), (value, row) in itertools.pairwise(stamps) if value < before]
    newest_first = len(back) > 0.9 * len(stamps)
    if back and not newest_first and not _by_group(table, stamps):
        found.append(warning("time_out_of_order", name, count=len(back), line=table.line_of(back[0])))
    return found + _spacing(table, name, sorted(stamps))


def _by_group(table: Table, stamps: list[tuple[datetime, int]]) -> bool:
    """Whether time runs forward within each value of some text column: machines one after the other."""
    for name, kind in table.kinds.items():
        values = table.columns[name]
        if kind not in ("text", "number") or not 2 <= len(set(values)) <= 100:
            continue
        last: dict[Any, datetime] = {}
        for moment, row in stamps:
            if moment < last.get(values[row], moment):
                break
            last[values[row]] = moment
        else:
            return True
    return False


def _spacing(table: Table, name: str, stamps: list[tuple[datetime, int]]) -> list[dict[str, Any]]:
    steps = [((value - before).total_seconds(), row) for (before, _), (value, row) in itertools.pairwise(stamps)]
    forward = [(seconds, row) for seconds, row in steps if seconds > 0]
    if not forward:
        return []
    usual, count = Counter(seconds for seconds, _ in forward).most_common(1)[0]
    if all(28 <= seconds / 86_400 <= 31 for seconds, _ in forward):
        # Months: their steps differ and none is a gap.
        usual, count = 31 * 86_400.0, len(forward)
    if count < REGULAR * len(forward):
        return []
    found = []
    repeats = [row for seconds, row in steps if seconds == 0]
    if repeats and len(repeats) < FEW_REPEATS * len(stamps):
        found.append(warning("time_duplicated", name, count=len(repeats), line=table.line_of(repeats[0])))
    gaps = [(seconds, row) for seconds, row in forward if seconds > 1.5 * usual]
    if gaps and len(gaps) <= max(1, FEW * len(forward)):
        longest = max(seconds for seconds, _ in gaps)
        facts = {"step": _lasting(usual), "longest": _lasting(longest), "line": table.line_of(gaps[0][1])}
        found.append(warning("time_gaps", name, count=len(gaps), **facts))
    return found


def _lasting(seconds: float) -> dict[str, str]:
    for size, zh, en in ((86_400, "天", "d"), (3600, "小时", "h"), (60, "分钟", "min")):
        if seconds >= size:
            return {"zh": f"{seconds / size:.3g} {zh}", "en": f"{seconds / size:.3g} {en}"}
    return {"zh": f"{seconds:.3g} 秒", "en": f"{seconds:.3g} s"}
