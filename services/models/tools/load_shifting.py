"""Moving electric loads in the day to where energy is cheap, without a new peak. Computed by the worker."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ortools.sat.python import cp_model

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.solver import Budget, Progress, said_of

SLOT_H = 0.5
SLOTS = 48
POWER_STEP_KW = 0.1
MONEY = 1000
"""Thousandths of a yuan: the whole numbers that costs are counted in."""
YES, NO = "是", "否"


@dataclass(frozen=True)
class Load:
    name: str
    power_kw: float
    slots: int
    earliest: int
    latest: int
    """Half hours; beyond 48 they are those of the next morning."""
    start_now: int
    may_pause: bool


@dataclass(frozen=True)
class Day:
    """By half hours of the day."""

    price: tuple[float, ...]
    """yuan/kWh"""
    base_kw: tuple[float, ...]
    demand_charge: float
    """yuan/kW and day"""

    def energy(self, loads: Sequence[Load], plan: Sequence[Sequence[int]]) -> float:
        """yuan a day of the movable loads."""
        return sum(
            load.power_kw * SLOT_H * self.price[slot % SLOTS]
            for load, slots in zip(loads, plan, strict=True)
            for slot in slots
        )

    def peak_kw(self, loads: Sequence[Load], plan: Sequence[Sequence[int]]) -> float:
        power = list(self.base_kw)
        for load, slots in zip(loads, plan, strict=True):
            for slot in slots:
                power[slot % SLOTS] += load.power_kw
        return max(power)


def peak_shift(
    loads: Sequence[Mapping[str, Any]],
    tariff: Sequence[Mapping[str, Any]],
    demand_charge: float,
    days: float,
    most_kw: float,
    seconds: float,
    progress: Progress,
) -> ToolAnswer:
    """When each movable load runs so that energy and peak together cost least.

    Minimises sum of price x power x time + demand_charge / days x peak, in half hours of one day that repeats. `loads`:
    load, kw, hours, earliest_h and latest_h (must be over by then; beyond 24 is the next morning), start_now_h (when it
    starts today), may_pause. `tariff`: start_h, end_h, yuan_per_kwh, base_kw (what cannot be moved); it must cover the
    day exactly once, an end before its start passes midnight. `demand_charge` in yuan/kW and month over `days`
    working days, 0 when the maximum is not charged. `most_kw`: transformer limit, 0 for none. Source: MILP of load
    shifting, by CP-SAT. Raises ValueError.
    """
    day = _day(tariff, demand_charge / days)
    wanted = [_load(row) for row in loads]
    now = [list(range(load.start_now, load.start_now + load.slots)) for load in wanted]
    plan, bound, is_optimal = _shifted(day, wanted, now, most_kw, Budget(seconds, progress))
    return _answer(day, wanted, now, plan, bound, is_optimal, days)


def _day(tariff: Sequence[Mapping[str, Any]], charge: float) -> Day:
    price: list[float | None] = [None] * SLOTS
    base = [0.0] * SLOTS
    for row in tariff:
        start, end = _slot(row["start_h"]), _slot(row["end_h"])
        for slot in range(start, end if end > start else end + SLOTS):
            if price[slot % SLOTS] is not None:
                raise ValueError(f"电价表里 {slot % SLOTS * SLOT_H:g} 时重复 / the tariff covers this hour twice")
            price[slot % SLOTS] = row["yuan_per_kwh"]
            base[slot % SLOTS] = row["base_kw"]
    missing = next((slot for slot, each in enumerate(price) if each is None), None)
    if missing is not None:
        raise ValueError(f"电价表缺 {missing * SLOT_H:g} 时起的时段 / the tariff lacks the period from this hour")
    return Day(tuple(each for each in price if each is not None), tuple(base), charge)


def _slot(hour: float) -> int:
    if abs(hour / SLOT_H - round(hour / SLOT_H)) > 1e-6:
        raise ValueError(f"时刻应为整点或半点，现为 {hour:g} / times must be full or half hours")
    return round(hour / SLOT_H)


def _load(row: Mapping[str, Any]) -> Load:
    slots = max(1, math.ceil(row["hours"] / SLOT_H - 1e-9))
    load = Load(
        row["load"], row["kw"], slots, _slot(row["earliest_h"]), _slot(row["latest_h"]), _slot(row["start_now_h"]),
        row["may_pause"] == YES,
    )  # fmt: skip
    if load.latest - load.earliest > SLOTS:
        raise ValueError(f"「{load.name}」的可用时段超过一天 / the window of a load must be one day at most")
    if load.latest - load.earliest < slots:
        room = (load.latest - load.earliest) * SLOT_H
        raise ValueError(
            f"「{load.name}」要运行 {row['hours']:g} h，时段只有 {room:g} h；跨午夜请把最晚时刻加 24 / its window is shorter than its "
            "running time; past midnight add 24 to the latest hour"
        )
    return load


def _shifted(
    day: Day, loads: Sequence[Load], now: Sequence[Sequence[int]], most_kw: float, budget: Budget
) -> tuple[list[list[int]], float, bool]:
    model = cp_model.CpModel()
    runs = [{slot: model.new_bool_var("") for slot in range(load.earliest, load.latest)} for load in loads]
    for load, run in zip(loads, runs, strict=True):
        model.add(sum(run.values()) == load.slots)
        if not load.may_pause:
            _in_one_piece(model, load, run)
    peak = model.new_int_var(0, 10**9, "peak")
    for slot in range(SLOTS):
        total = sum(
            _steps(load.power_kw) * run[each]
            for load, run in zip(loads, runs, strict=True)
            for each in (slot, slot + SLOTS)
            if each in run
        )
        model.add(total + _steps(day.base_kw[slot]) <= peak)
    if most_kw > 0:
        model.add(peak <= math.floor(most_kw / POWER_STEP_KW + 1e-9))
    # Both parts in units of which a thousandth of a yuan has as many as a peak step has.
    energy = sum(
        round(MONEY * load.power_kw * SLOT_H * day.price[slot % SLOTS]) * literal
        for load, run in zip(loads, runs, strict=True)
        for slot, literal in run.items()
    )
    model.minimize(energy + round(MONEY * POWER_STEP_KW * day.demand_charge) * peak)
    for run, slots in zip(runs, now, strict=True):
        for slot, literal in run.items():
            model.add_hint(literal, slot in slots or slot - SLOTS in slots)
    found = budget.search(model, message="电费 / cost (0.001 yuan)")
    if found is None:
        raise ValueError("时间内没有找到方案，请加长求解时间 / no plan was found in time, give it more seconds")
    plan = [[slot for slot, literal in run.items() if found.is_true(literal)] for run in runs]
    return plan, found.bound / MONEY, found.is_optimal


def _in_one_piece(model: cp_model.CpModel, load: Load, run: Mapping[int, cp_model.IntVar]) -> None:
    starts = {slot: model.new_bool_var("") for slot in range(load.earliest, load.latest - load.slots + 1)}
    model.add_exactly_one(starts.values())
    for slot, literal in run.items():
        model.add(literal == sum(starts[each] for each in range(slot - load.slots + 1, slot + 1) if each in starts))


def _steps(power_kw: float) -> int:
    return math.ceil(power_kw / POWER_STEP_KW - 1e-9)


def _answer(
    day: Day,
    loads: Sequence[Load],
    now: Sequence[Sequence[int]],
    plan: Sequence[Sequence[int]],
    bound: float,
    is_optimal: bool,
    days: float,
) -> ToolAnswer:
    energy_now, energy = day.energy(loads, now), day.energy(loads, plan)
    peak_now, peak = day.peak_kw(loads, now), day.peak_kw(loads, plan)
    cost_now = energy_now + day.demand_charge * peak_now
    cost = energy + day.demand_charge * peak
    gap = 0.0 if is_optimal or cost <= 0 else max(0.0, 100 * (cost - bound) / cost)
    outputs = {
        "saving_yuan_per_day": rounded(cost_now - cost, 2), "saving_yuan_per_month": rounded(days * (cost_now - cost), 2),
        "energy_cost_now": rounded(energy_now, 2), "energy_cost": rounded(energy, 2),
        "peak_now_kw": rounded(peak_now, 1), "peak_kw": rounded(peak, 1), "gap_percent": rounded(gap, 3),
    }  # fmt: skip
    rows, bars = [], []
    for number, (load, slots) in enumerate(zip(loads, plan, strict=True)):
        spans = _spans(slots)
        said = "、".join(f"{_clock(start)}–{_clock(end)}" for start, end in spans)
        rows.append([load.name, load.power_kw, f"{_clock(load.start_now)}", said])
        row = []
        for start, end in spans:
            for from_, until in _within_day(start, end):
                row.append(
                    {"start": from_ * SLOT_H, "end": until * SLOT_H, "label": load.name, "group": 1 + number % 6}
                )
        bars.append({"name": load.name, "bars": row})
    names = (
        ("load", "负荷", "Load", ""), ("power", "功率", "Power", "kW"), ("now", "现在开始", "Starts now", ""),
        ("plan", "建议运行", "Run at", ""),
    )  # fmt: skip
    columns = [dict(zip(("name", "title_zh", "title_en", "unit"), each, strict=True)) for each in names]
    table = {"title_zh": "运行安排", "title_en": "When to run", "columns": columns, "rows": rows}
    chart = {
        "kind": "gantt", "title_zh": "一天的运行时段", "title_en": "Running times of a day", "unit": "h", "until": 24,
        "rows": bars,
    }  # fmt: skip
    notes = (said_of(is_optimal, gap), _advice(cost_now - cost, peak_now, peak))
    return ToolAnswer(outputs, notes, (chart,), (table,))


def _advice(saving: float, peak_now: float, peak: float) -> dict[str, str]:
    if saving < 0.5:
        return {
            "zh": "在这些时间窗里没有可省的：放宽最早、最晚时刻，或看看别的负荷。",
            "en": "Nothing to save within these windows: widen them, or look at other loads.",
        }
    higher = peak > peak_now + 0.05
    return {
        "zh": f"每天少付约 {saving:.0f} 元（按您填的电价）。最大负荷 {peak_now:.0f} kW → {peak:.0f} kW"
        + ("，变高了：先确认变压器和合同需量。" if higher else "。"),
        "en": f"About {saving:.0f} yuan a day less at the prices you entered. Peak {peak_now:.0f} kW → {peak:.0f} kW"
        + (", which is higher: check transformer and contracted demand first." if higher else "."),
    }


def _spans(slots: Sequence[int]) -> list[tuple[int, int]]:
    """Runs of half hours that follow each other, as start and end."""
    found: list[tuple[int, int]] = []
    for slot in sorted(slots):
        if found and found[-1][1] == slot:
            found[-1] = (found[-1][0], slot + 1)
        else:
            found.append((slot, slot + 1))
    return found


def _within_day(start: int, end: int) -> list[tuple[int, int]]:
    """A span by the clock: cut at midnight."""
    if start >= SLOTS:
        return [(start - SLOTS, end - SLOTS)]
    return [(start, end)] if end <= SLOTS else [(start, SLOTS), (0, end - SLOTS)]


def _clock(slot: int) -> str:
    # 24:00 is said so where a run ends, not where one starts.
    minutes = slot % SLOTS * 30
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
