"""Days of energy and what drives it, from readings of any spacing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from services.models.errors import CannotTrain
from services.models.training.learning_set import Floats, Ints
from services.models.training.own_columns import column_of, learning_set, usable
from services.models.training.table import Roles, Table

DAY_S = 86_400
TEMPERATURE_UNITS = ("°C", "℃", "degC")
TEMPERATURE_WORDS = ("气温", "室外温度", "outdoor", "ambient")
SUMMED_WORDS = ("产量", "件数", "产出", "吨", "output", "production", "pieces", "quantity")
HEATING_BASES, COOLING_BASES = (8.0, 12.0, 15.0, 18.0), (18.0, 22.0, 26.0)
WHOLE_DAY = 0.9


@dataclass(frozen=True)
class Days:
    day: Ints
    """Since 1970."""
    energy: Floats
    drivers: Floats
    """(days, drivers)"""
    names: tuple[str, ...]
    period: Ints
    """Number of the group column's value on that day, in order of appearance; 0 without one."""
    temperature: Floats | None
    notes: tuple[tuple[str, str], ...]


def days_of(table: Table, roles: Roles) -> Days:
    """Energy summed by day; drivers whose name says a quantity, or that are named in the options' `sum`, are summed, the
    others averaged; Saturday and Sunday are always drivers. Days with less than nine tenths of the usual readings are left out."""
    notes: list[Any] = []
    names = [name for name in usable(table, roles, notes) if name != roles.group]
    data = learning_set(table, replace(roles, task="regression", features=()), names=[])
    assert data.when is not None
    order = [int(row) for row in data.facts["order"]]
    day = (data.when // DAY_S).astype(np.int64)
    unique, place, counts = np.unique(day, return_inverse=True, return_counts=True)
    whole = counts >= WHOLE_DAY * np.median(counts)
    columns, titles, temperature = [], [], None
    for name in names:
        read = column_of(table, name, order, notes)
        if read is None:
            continue
        column, values = read
        values = np.where(np.isnan(values), np.nanmedian(values), values)
        if column.choices:
            # A kind of day: the share of the day spent in each kind but the first.
            for code, label in enumerate(column.choices[1:], start=1):
                columns.append(np.bincount(place, weights=(values == code).astype(float)) / counts)
                titles.append(f"{name}={label}")
            continue
        summed: Floats = np.bincount(place, weights=values).astype(np.float64)
        if _is_temperature(name, column.unit):
            temperature = summed / counts
        else:
            columns.append(summed if _is_summed(name, roles) else summed / counts)
            titles.append(name)
    # 1970-01-01 was a Thursday; Saturday and Sunday differ where one of them is worked.
    for weekday, title in ((5, "周六"), (6, "周日")):
        columns.append(((unique + 3) % 7 == weekday).astype(float))
        titles.append(title)
    drivers = np.column_stack(columns)
    kept = [place for place in range(drivers.shape[1]) if np.ptp(drivers[whole, place]) > 0]
    groups = data.groups if data.groups is not None else np.zeros(data.rows, dtype=np.int64)
    period = np.array([int(np.median(groups[place == number])) for number in range(unique.size)])
    if not kept and temperature is None:
        raise CannotTrain(
            column="", reason_zh="没有随天变化的影响因素列。", reason_en="No column varies from day to day."
        )
    return Days(
        unique[whole], np.bincount(place, weights=data.target).astype(np.float64)[whole], drivers[whole][:, kept],
        tuple(titles[each] for each in kept), period[whole], None if temperature is None else temperature[whole],
        tuple((each.zh, each.en) for each in notes),
    )  # fmt: skip


def _is_temperature(name: str, unit: str) -> bool:
    return any(word in name.lower() for word in TEMPERATURE_WORDS) and (not unit or unit in TEMPERATURE_UNITS)


def _is_summed(name: str, roles: Roles) -> bool:
    return name in roles.options.get("sum", ()) or any(word in name.lower() for word in SUMMED_WORDS)


def degree_days(days: Days, fitted: np.ndarray[Any, Any]) -> Days:
    """With heating and cooling degree days in place of the outdoor temperature, at the bases that fit the days marked
    `fitted` best."""
    if days.temperature is None:
        return days
    best: tuple[float, Floats, list[str]] | None = None
    for heating in HEATING_BASES:
        for cooling in COOLING_BASES:
            warm = np.maximum(heating - days.temperature, 0), np.maximum(days.temperature - cooling, 0)
            titles = [f"采暖度日({heating:g} °C)", f"空调度日({cooling:g} °C)"]
            kept = [place for place in (0, 1) if np.ptp(warm[place][fitted]) > 0]
            if not kept:
                continue
            drivers = np.column_stack([days.drivers, *(warm[place] for place in kept)])
            x = np.column_stack([np.ones(len(drivers)), drivers])
            weights, *_ = np.linalg.lstsq(x[fitted], days.energy[fitted], rcond=None)
            error = float(((days.energy[fitted] - x[fitted] @ weights) ** 2).sum())
            if best is None or error < best[0]:
                best = error, drivers, [titles[place] for place in kept]
    if best is None:
        return days
    return replace(days, drivers=best[1], names=(*days.names, *best[2]), temperature=None)
