"""Day-ahead features of quarter-hour electricity: at 00:00, from readings up to 00:00 and the calendar, nothing else.

Readings of the same interval (reactive power, power factor, CO2) are not used: the target is an algebraic identity of
them, so a model that reads them learns nothing that anybody could know a day ahead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

SLOTS = 96
STEP = timedelta(minutes=15)
DAYS_NEEDED = 7
DAYS_BEST = 14
"""Fewer cost accuracy (the card says how much), more gain little."""
DAYS_USED = 35
DAY_PRESENT = 0.8
"""Share of a day's quarter hours that must be there for the day to count."""

Floats = NDArray[np.float64]

NAMES = (
    "slot",
    "weekday",
    "lag_1d",
    "lag_2d",
    "lag_3d",
    "lag_7d",
    "lag_14d",
    "lag_21d",
    "lag_28d",
    "week_mean_7d",
    "same_weekday_mean",
    "same_weekday_median",
    "lag_1d_smooth",
    "lag_7d_smooth",
    "same_kind_mean",
    "yesterday_mean",
    "yesterday_max",
    "yesterday_last_hours",
    "last_week_day_mean",
    "level_ratio",
    "working_mean",
    "working_median",
)


@dataclass(frozen=True)
class Readings:
    """Readings on a grid of days by 96 slots; missing ones are NaN. `first` is the first day's date."""

    first: datetime
    grid: Floats

    def day_index(self, day: datetime) -> int:
        return (day - self.first).days

    def until(self, day: datetime) -> Floats:
        """Days before `day`, newest last."""
        past: Floats = self.grid[: max(self.day_index(day), 0)]
        return past


def slot_of(interval_end: datetime) -> tuple[datetime, int]:
    """The day and slot (0-95) of an interval by its end: 00:15 is slot 0, the next day's 00:00 is slot 95."""
    start = interval_end - STEP
    day = start.replace(hour=0, minute=0, second=0, microsecond=0)
    return day, (start.hour * 60 + start.minute) // 15


def readings_of(rows: Sequence[tuple[datetime, float]]) -> Readings:
    """Puts rows of any order on the grid; of a stamp given twice the last one counts."""
    if not rows:
        raise ValueError("no readings")
    placed = [(*slot_of(end), value) for end, value in rows]
    first = min(day for day, _, _ in placed)
    last = max(day for day, _, _ in placed)
    grid = np.full(((last - first).days + 1, SLOTS), np.nan)
    for day, slot, value in placed:
        grid[(day - first).days, slot] = value
    return Readings(first, grid)


def day_features(readings: Readings, day: datetime) -> Floats:
    """The features of all 96 slots of `day`, shape (96, len(NAMES)), from readings before `day` only."""
    past = _filled(readings.until(day)[-DAYS_USED:])
    days = past.shape[0]
    slots = np.arange(SLOTS, dtype=np.float64)
    weekday = day.weekday()

    def lag(back: int) -> Floats:
        """That many days before; where the history is too short, the same weekday of last week, else yesterday."""
        found: Floats = past[-back] if days >= back else past[-(back % 7 or 7)] if days >= 7 else past[-1]
        return found

    same = [days - back for back in (7, 14, 21, 28) if days >= back]
    same_rows = past[same] if same else past[-1:]
    kind = _same_kind(days, day, weekday, 14)
    kind_rows = past[kind] if kind else past[-7:]
    yesterday, last_week = lag(1), lag(7)
    before = lag(8) if days >= 8 else last_week
    ratio = float(np.clip((yesterday.mean() + 1.0) / (before.mean() + 1.0), 0.2, 5.0))
    working = _working(past, day, weekday)
    columns = [
        slots,
        np.full(SLOTS, float(weekday)),
        yesterday,
        lag(2),
        lag(3),
        last_week,
        lag(14),
        lag(21),
        lag(28),
        past[-7:].mean(axis=0),
        same_rows.mean(axis=0),
        np.median(same_rows, axis=0),
        _smooth(yesterday),
        _smooth(last_week),
        kind_rows.mean(axis=0),
        np.full(SLOTS, yesterday.mean()),
        np.full(SLOTS, yesterday.max()),
        np.full(SLOTS, yesterday[-16:].mean()),
        np.full(SLOTS, last_week.mean()),
        np.full(SLOTS, ratio),
        working.mean(axis=0),
        np.median(working, axis=0),
    ]
    return np.column_stack(columns)


def naive(readings: Readings, day: datetime) -> Floats:
    """The simple rule: the same weekday last week."""
    past = _filled(readings.until(day)[-DAYS_USED:])
    found: Floats = past[-7] if past.shape[0] >= 7 else past[-1]
    return found


def _same_kind(days: int, day: datetime, weekday: int, back: int) -> list[int]:
    """Which of the last `back` days are of the same kind as a day that falls on `weekday`."""
    recent = range(max(0, days - back), days)
    return [index for index in recent if _kind((day - timedelta(days=days - index)).weekday()) == _kind(weekday)]


def _working(past: Floats, day: datetime, weekday: int) -> Floats:
    """The last eight days of the same kind on which the works ran: a stop of one day says little about the next."""
    rows = past[_same_kind(past.shape[0], day, weekday, 28)]
    if not rows.shape[0]:
        rows = past[-1:]
    means = rows.mean(axis=1)
    ran: Floats = rows[means >= 0.5 * np.median(means)][-8:]
    return ran


def _kind(weekday: int) -> str:
    return "sunday" if weekday == 6 else "saturday" if weekday == 5 else "workday"


def _filled(past: Floats) -> Floats:
    """Gaps take the slot's mean over the days at hand, else the mean of all."""
    if not np.isnan(past).any():
        return past
    filled = past.copy()
    counts = (~np.isnan(filled)).sum(axis=0)
    sums = np.nansum(filled, axis=0)
    overall = float(np.nanmean(filled)) if counts.any() else 0.0
    means = np.where(counts > 0, sums / np.maximum(counts, 1), overall)
    rows, columns = np.nonzero(np.isnan(filled))
    filled[rows, columns] = means[columns]
    return filled


def _smooth(row: Floats) -> Floats:
    padded = np.concatenate([row[:2], row, row[-2:]])
    smooth: Floats = np.convolve(padded, np.ones(5) / 5, mode="valid")
    return smooth


def parse_end(value: Any) -> datetime:
    """An interval's end as the data writes it: ISO 8601 local time. Raises ValueError."""
    found = datetime.fromisoformat(str(value).strip().replace("/", "-"))
    if found.tzinfo is not None:
        raise ValueError("local time without a zone is expected")
    # Two stamps ages apart would ask for a grid of all the days between them.
    if not 1990 <= found.year <= 2100:
        raise ValueError("a year between 1990 and 2100 is expected")
    if found.minute % 15 or found.second or found.microsecond:
        raise ValueError("not on a quarter of an hour")
    return found


def rows_of(history: Sequence[Mapping[str, Any]]) -> list[tuple[datetime, float]]:
    return [(parse_end(row["interval_end"]), float(row["usage_kwh"])) for row in history]
