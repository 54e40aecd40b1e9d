"""Balancing an assembly or sewing line: which operation is done at which station. Computed by the worker."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ortools.sat.python import cp_model

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.solver import Budget, Progress, gap_percent, whole

USUAL_RATE_PERCENT = 85.0
"""Balance rate that lines are usually expected to reach; trade experience."""
_BETWEEN = re.compile(r"[,，、;；\s]+")


@dataclass(frozen=True)
class Work:
    """Operations in whole units of time, each with the places of those before it."""

    names: tuple[str, ...]
    lengths: tuple[int, ...]
    before: tuple[tuple[int, ...], ...]
    cycle: int

    @property
    def fewest_stations(self) -> int:
        """By total work, and of operations longer than half a cycle no two share a station."""
        return max(math.ceil(sum(self.lengths) / self.cycle), sum(2 * length > self.cycle for length in self.lengths))


def line_balance(
    operations: Sequence[Mapping[str, Any]], demand: float, shift_s: float, seconds: float, progress: Progress
) -> ToolAnswer:
    """The fewest stations that keep the takt, and with that many the shortest cycle.

    `operations`: operation, seconds, after (names of the operations that come before, by commas; may be empty). Takt =
    shift_s / demand. Balance rate = sum of seconds / (stations x longest station). Source: simple assembly line balancing
    SALBP-1 and then SALBP-2 by CP-SAT, started from ranked positional weights (Helgeson and Birnie 1961); bound by total
    work or by proof. Raises ValueError.
    """
    takt = shift_s / demand
    work, factor = _work(operations, takt)
    budget = Budget(seconds, progress)
    first = by_positional_weight(work)
    stations, bound = _fewest(work, first, budget)
    even, is_proved = _evened(work, stations, budget)
    return _answer(work, even, bound, is_proved, takt, factor)


def _work(operations: Sequence[Mapping[str, Any]], takt: float) -> tuple[Work, int]:
    lengths, factor = whole([row["seconds"] for row in operations])
    names = [row["operation"] for row in operations]
    place = {name: number for number, name in enumerate(names)}
    if len(place) < len(names):
        raise ValueError("有重名的工序，每道工序名应不同 / two operations have one name, every operation needs its own")
    long = max(range(len(names)), key=lambda number: lengths[number])
    if lengths[long] > takt * factor + 1e-6:
        raise ValueError(
            f"工序「{names[long]}」需 {lengths[long] / factor:g} s，超过节拍 {takt:.1f} s：拆分它，或按并联工位数平分后再填 / "
            f"operation {names[long]} takes longer than the takt of {takt:.1f} s: split it, or enter its share of parallel "
            "stations"
        )
    before = []
    for row in operations:
        wanted = [part for part in _BETWEEN.split(row["after"] or "") if part]
        unknown = next((part for part in wanted if part not in place), None)
        if unknown is not None:
            raise ValueError(
                f"工序「{row['operation']}」的前道「{unknown}」不在表里 / {unknown}, before {row['operation']}, is no operation"
            )
        before.append(tuple(place[part] for part in wanted))
    work = Work(tuple(names), tuple(lengths), tuple(before), math.floor(takt * factor + 1e-6))
    _ordered(work)
    return work, factor


def _ordered(work: Work) -> list[int]:
    """Operations so that each comes after those before it. Raises ValueError for a ring."""
    order: list[int] = []
    left = set(range(len(work.names)))
    while left:
        ready = sorted(number for number in left if not left & set(work.before[number]))
        if not ready:
            ring = "、".join(work.names[number] for number in sorted(left)[:6])
            raise ValueError(f"先后关系成环：{ring} / these operations wait for one another in a ring")
        order += ready
        left -= set(ready)
    return order


def by_positional_weight(work: Work) -> list[int]:
    """The station of each operation: the largest positional weight first, into the first station it fits."""
    after: list[set[int]] = [set() for _ in work.names]
    for number in reversed(_ordered(work)):
        for earlier in work.before[number]:
            after[earlier] |= after[number] | {number}
    weight = [length + sum(work.lengths[each] for each in after[number]) for number, length in enumerate(work.lengths)]
    station, load = [-1] * len(work.names), [0]
    for number in sorted(_ordered(work), key=lambda each: -weight[each]):
        least = max((station[earlier] for earlier in work.before[number]), default=0)
        fits = [each for each in range(least, len(load)) if load[each] + work.lengths[number] <= work.cycle]
        if not fits:
            load.append(0)
            fits = [len(load) - 1]
        station[number] = fits[0]
        load[fits[0]] += work.lengths[number]
    return station


def _fewest(work: Work, first: Sequence[int], budget: Budget) -> tuple[list[int], int]:
    """Stations by operation, as few as were found, and the proved bound."""
    best, bound = list(first), work.fewest_stations
    while max(best) + 1 > bound:
        model, station, _ = _programme(work, max(best), work.cycle)
        for number, variable in enumerate(station):
            model.add_hint(variable, min(best[number], max(best) - 1))
        try:
            found = budget.search(model, budget.left * 0.6, f"{max(best)} 个工位 / {max(best)} stations")
        except ValueError:
            return best, max(best) + 1
        if found is None:
            break
        best = [found.value_of(variable) for variable in station]
    return best, bound


def _evened(work: Work, stations: Sequence[int], budget: Budget) -> tuple[list[int], bool]:
    """As many stations with the shortest cycle found, and whether it is proved the shortest."""
    count = max(stations) + 1
    loads = [sum(work.lengths[n] for n, each in enumerate(stations) if each == place) for place in range(count)]
    least = max(math.ceil(sum(work.lengths) / count), *work.lengths)
    if max(loads) <= least:
        return list(stations), True
    model, station, load = _programme(work, count, max(loads))
    longest = model.new_int_var(least, max(loads), "longest")
    for each in load:
        model.add(each <= longest)
    for number, variable in enumerate(station):
        model.add_hint(variable, stations[number])
    model.minimize(longest)
    found = budget.search(model, None, "最长工位 / longest station")
    if found is None:
        return list(stations), False
    return [found.value_of(variable) for variable in station], found.is_optimal


def _programme(work: Work, count: int, cycle: int) -> tuple[cp_model.CpModel, list[cp_model.IntVar], list[Any]]:
    """Every operation at one of `count` stations, none before those that come before it, each within the cycle."""
    model = cp_model.CpModel()
    at = [[model.new_bool_var(f"a{n}_{k}") for k in range(count)] for n in range(len(work.names))]
    station = [model.new_int_var(0, count - 1, f"s{n}") for n in range(len(work.names))]
    for row, variable in zip(at, station, strict=True):
        model.add_exactly_one(row)
        model.add(sum(place * literal for place, literal in enumerate(row)) == variable)
    for number, earlier in enumerate(work.before):
        for each in earlier:
            model.add(station[each] <= station[number])
    load: list[Any] = []
    for place in range(count):
        total = sum(length * at[number][place] for number, length in enumerate(work.lengths))
        model.add(total <= cycle)
        load.append(total)
    return model, station, load


def _answer(work: Work, stations: Sequence[int], bound: int, is_proved: bool, takt: float, factor: int) -> ToolAnswer:
    count = max(stations) + 1
    held = [[n for n in _ordered(work) if stations[n] == place] for place in range(count)]
    loads = [sum(work.lengths[n] for n in each) / factor for each in held]
    longest = max(loads)
    rate = 100 * sum(loads) / (count * longest)
    outputs = {
        "stations": count, "bound_stations": bound, "gap_percent": gap_percent(count, bound),
        "takt_s": rounded(takt, 3), "cycle_s": rounded(longest, 3), "balance_rate_percent": rounded(rate, 2),
        "bottleneck_station": 1 + loads.index(longest),
    }  # fmt: skip
    rows = [
        [place + 1, "、".join(work.names[n] for n in each), rounded(load, 2), rounded(longest - load, 2)]
        for place, (each, load) in enumerate(zip(held, loads, strict=True))
    ]
    names = (
        ("station", "工位", "Station", ""), ("operations", "工序", "Operations", ""), ("load", "工时", "Work", "s"),
        ("idle", "等待", "Idle", "s"),
    )  # fmt: skip
    columns = [dict(zip(("name", "title_zh", "title_en", "unit"), each, strict=True)) for each in names]
    table = {"title_zh": "工位安排", "title_en": "Stations", "columns": columns, "rows": rows}
    bars = []
    for place, each in enumerate(held):
        at, row = 0.0, []
        for group, n in enumerate(each):
            end = at + work.lengths[n] / factor
            row.append({"start": at, "end": end, "label": work.names[n], "group": 1 + group % 6})
            at = end
        bars.append({"name": f"{place + 1}", "bars": row})
    chart = {
        "kind": "gantt", "title_zh": "工位负荷（横轴到节拍）", "title_en": "Load of the stations, up to the takt",
        "unit": "s", "until": takt, "rows": bars,
    }  # fmt: skip
    return ToolAnswer(outputs, _notes(count, bound, is_proved, rate, longest, takt), (chart,), (table,))


def _notes(
    count: int, bound: int, is_proved: bool, rate: float, longest: float, takt: float
) -> tuple[dict[str, str], ...]:
    fewest = {
        "zh": f"{count} 个工位已证明是最少的"
        if count <= bound
        else f"{count} 个工位，理论上不少于 {bound} 个，尚未证明最少",
        "en": f"{count} stations, proved the fewest"
        if count <= bound
        else f"{count} stations, at least {bound} are needed, not proved the fewest",
    }
    cycle = (
        ("最长工位也已证明最短。", "the cycle is proved the shortest.")
        if is_proved
        else ("最长工位还可能再短。", "the cycle may still be shortened.")
    )
    usual = USUAL_RATE_PERCENT
    if rate < usual:
        zh = f"平衡率 {rate:.1f} %，低于常见要求 {usual:g} %（行业经验）：改善瓶颈工位，或调整需求让节拍正好容下整数个工位。"
        en = f"Balance rate {rate:.1f} %, below the usual {usual:g} % (trade experience): improve the longest station, or set "
        en += "a demand whose takt suits a whole number of stations."
    else:
        zh = f"平衡率 {rate:.1f} %，达到常见要求 {usual:g} %（行业经验）；实际周期 {longest:.1f} s，节拍 {takt:.1f} s。"
        en = f"Balance rate {rate:.1f} % reaches the usual {usual:g} % (trade experience); cycle {longest:.1f} s, takt "
        en += f"{takt:.1f} s."
    return {"zh": f"{fewest['zh']}；{cycle[0]}", "en": f"{fewest['en']}; {cycle[1]}"}, {"zh": zh, "en": en}
