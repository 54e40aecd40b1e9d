"""Day-ahead calls: each instance names an interval to forecast, `history` holds the readings before its day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.models.errors import BadInstances
from services.models.inference.instances import MOST_FAULTS, Conversions, Errors, refuse, unknown_names
from services.models.inference.release import LoadedRelease

MOST_HISTORY = 200_000
LARGEST_READING = 1e12
STUCK_SHARE = 0.5
"""More repeated readings than that are no measurement; in ten real months of a works 0.10 of the readings repeat."""


@dataclass(frozen=True)
class Prepared:
    matrix: NDArray[np.float32]
    naive: NDArray[np.float64]
    warnings: Sequence[Sequence[dict[str, Any]]]
    """What is to be said of each instance's history."""


def prepare(
    release: LoadedRelease, instances: Sequence[Mapping[str, Any]], history: Any, conversions: Conversions
) -> Prepared:
    """Features of each instance from the readings before its midnight. Raises `BadInstances`."""
    features = release.prepare
    ends = _ends(release, instances)
    rows = _rows(release, history, conversions)
    readings = features.readings_of(rows)
    doubled = len(rows) - len({end for end, _ in rows})
    by_day: dict[datetime, tuple[Any, Any, list[dict[str, Any]]]] = {}
    for index, (day, _) in enumerate(ends):
        if day not in by_day:
            _enough(readings, features, day, index)
            said = _warnings(readings, features, day, doubled)
            by_day[day] = (features.day_features(readings, day), features.naive(readings, day), said)
    matrix = np.asarray([by_day[day][0][slot] for day, slot in ends], dtype=np.float32)
    simple = np.asarray([by_day[day][1][slot] for day, slot in ends])
    return Prepared(matrix, simple, [by_day[day][2] for day, _ in ends])


def _ends(release: LoadedRelease, instances: Sequence[Mapping[str, Any]]) -> list[tuple[datetime, int]]:
    errors: Errors = {}
    found = []
    for index, instance in enumerate(instances):
        errors.update(unknown_names(release, instance, index))
        try:
            found.append(release.prepare.slot_of(release.prepare.parse_end(instance.get("interval_end"))))
        except (ValueError, OverflowError):
            errors[f"instances.{index}.interval_end"] = [
                "应为当地时间的刻钟末，如 2018-11-01 00:15 / the end of a quarter hour in local time"
            ]
    refuse(errors)
    return found


def _rows(release: LoadedRelease, history: Any, conversions: Conversions) -> list[tuple[datetime, float]]:
    columns = release.signature.history
    if not isinstance(history, list) or not history:
        wanted = ", ".join(columns)
        raise BadInstances(errors={"history": [f"缺少历史数据，每行含 / missing; rows with: {wanted}"]})
    if len(history) > MOST_HISTORY:
        raise BadInstances(errors={"history": [f"最多 {MOST_HISTORY} 行 / at most {MOST_HISTORY} rows"]})
    factor, offset = conversions.get("usage_kwh", (1.0, 0.0))
    errors: Errors = {}
    rows = []
    for index, row in enumerate(history):
        try:
            value = row["usage_kwh"]
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise ValueError
            if not 0 <= value < LARGEST_READING:
                raise ValueError
            rows.append((release.prepare.parse_end(row["interval_end"]), value * factor + offset))
        except (KeyError, TypeError, ValueError, OverflowError):
            errors[f"history.{index}"] = [
                "应为 {interval_end: 刻钟末, usage_kwh: 不小于 0 的数} / needs interval_end and usage_kwh >= 0"
            ]
            if len(errors) >= MOST_FAULTS:
                break
    refuse(errors)
    return rows


def _enough(readings: Any, features: Any, day: datetime, index: int) -> None:
    """The days right before the forecast day must be there; a stale history would be a silent wrong answer."""
    needed = features.DAYS_NEEDED
    recent = _last_days(readings, day, needed)
    present = int(((~np.isnan(recent)).mean(axis=1) >= features.DAY_PRESENT).sum()) if recent.size else 0
    if present < needed:
        first = (day - timedelta(days=needed)).date()
        refuse(
            {
                f"instances.{index}.interval_end": [
                    f"需要 {first} 起到 {day.date()} 00:00 连续 {needed} 天的历史（每天至少 "
                    f"{features.DAY_PRESENT:.0%} 的刻钟），现有 {present} 天 / needs the {needed} days from {first} "
                    f"up to that midnight, has {present}"
                ]
            }
        )


def _last_days(readings: Any, day: datetime, count: int) -> NDArray[np.float64]:
    """The rows of the `count` days before `day`; empty when the readings end earlier."""
    if readings.day_index(day) > readings.grid.shape[0]:
        empty: NDArray[np.float64] = readings.grid[:0]
        return empty
    last: NDArray[np.float64] = readings.until(day)[-count:]
    return last


def _warnings(readings: Any, features: Any, day: datetime, doubled: int) -> list[dict[str, Any]]:
    past = _last_days(readings, day, features.DAYS_USED)
    found = []
    if past.shape[0] < features.DAYS_BEST:
        best = features.DAYS_BEST
        said = f"历史只有 {past.shape[0]} 天，{best} 天以上更准 / short history, {best} days or more are better"
        found.append(_said("short_history", past.shape[0], features.DAYS_BEST, said))
    gaps = int(np.isnan(past).sum())
    if gaps:
        said = f"历史缺 {gaps} 个刻钟，按同一时刻的平均补上 / {gaps} quarter hours are missing and were filled"
        found.append(_said("history_gaps", gaps, 0, said))
    same = _stuck(past)
    if same > STUCK_SHARE:
        said = f"历史中 {same:.0%} 的读数与前一个完全相同：电表可能卡住或停传 / readings repeat: is the meter stuck?"
        found.append(_said("stuck_meter", round(same, 4), STUCK_SHARE, said))
    if doubled:
        said = f"历史有 {doubled} 个重复时刻，取最后一个 / {doubled} stamps are given twice, the last one counts"
        found.append(_said("duplicate_stamps", doubled, 0, said))
    return found


def _stuck(past: NDArray[np.float64]) -> float:
    """Share of readings above zero that repeat the one before to the last digit."""
    values = past[~np.isnan(past)]
    if values.size < 2:
        return 0.0
    return float(((np.diff(values) == 0) & (values[1:] > 0)).mean())


def _said(code: str, value: float, limit: float, message: str) -> dict[str, Any]:
    return {"code": code, "feature": "history", "value": value, "limit": limit, "message": message}
