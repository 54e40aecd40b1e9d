"""Job shops: every job visits machines in an order of its own. Computed by the worker."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ortools.sat.python import cp_model

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.solver import Budget, Progress, gap_percent, said_of, whole

MOST_SHOWN = 12
"""Machines in the picture; the table holds them all."""
CLEAR_BOTTLENECK_PERCENT = 75.0
"""Load above which a machine is called the bottleneck: a rule of this tool, not a norm."""


@dataclass(frozen=True)
class Shop:
    """Operations of each job in their order as (machine, whole units of time)."""

    jobs: tuple[tuple[tuple[int, int], ...], ...]

    @property
    def machines(self) -> int:
        return 1 + max(machine for job in self.jobs for machine, _ in job)

    @property
    def lower_bound(self) -> int:
        """The busiest machine, or the longest job."""
        load = [0] * self.machines
        for job in self.jobs:
            for machine, length in job:
                load[machine] += length
        return max(*load, *(sum(length for _, length in job) for job in self.jobs))


@dataclass(frozen=True)
class Schedule:
    starts: tuple[tuple[int, ...], ...]
    makespan: int
    bound: int


def job_shop_schedule(operations: Sequence[Mapping[str, Any]], seconds: float, progress: Progress) -> ToolAnswer:
    """The schedule of a job shop with the shortest makespan found in `seconds`.

    Each row of `operations` is a step of a job (job, machine, minutes >= 0); the rows of one job are in the order of its
    steps. A machine works on one step at a time, without interruption; transport and changing over take no time unless
    they are in the minutes. Source: disjunctive formulation of the job shop (Manne 1960), solved by CP-SAT.
    """
    names: dict[str, list[tuple[int, str]]] = defaultdict(list)
    machines: dict[str, int] = {}
    lengths, factor = whole([row["minutes"] for row in operations])
    for row, length in zip(operations, lengths, strict=True):
        names[row["job"]].append((length, row["machine"]))
        machines.setdefault(row["machine"], len(machines))
    machines = {name: number for number, name in enumerate(sorted(machines, key=_natural))}
    shop = Shop(tuple(tuple((machines[machine], length) for length, machine in steps) for steps in names.values()))
    if shop.lower_bound == 0:
        raise ValueError("所有工序时间都是 0 / every step takes 0 minutes")
    schedule = solved(shop, Budget(seconds, progress))
    return _answer(list(names), list(machines), shop, schedule, factor)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """M2 before M10."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def solved(shop: Shop, budget: Budget) -> Schedule:
    """The best schedule found within the budget; never worse than dispatching by work remaining."""
    first = dispatched(shop)
    model = cp_model.CpModel()
    horizon = max(end for end in _ends(shop, first))
    makespan = model.new_int_var(shop.lower_bound, horizon, "makespan")
    on_machine: dict[int, list[cp_model.IntervalVar]] = defaultdict(list)
    starts = []
    for number, job in enumerate(shop.jobs):
        row: list[cp_model.IntVar] = []
        for step, (machine, length) in enumerate(job):
            start = model.new_int_var(0, horizon - length, f"s{number}_{step}")
            on_machine[machine].append(model.new_fixed_size_interval_var(start, length, f"i{number}_{step}"))
            if row:
                model.add(start >= row[-1] + job[step - 1][1])
            model.add_hint(start, first[number][step])
            row.append(start)
        model.add(makespan >= row[-1] + job[-1][1])
        starts.append(row)
    for intervals in on_machine.values():
        model.add_no_overlap(intervals)
    model.add_hint(makespan, horizon)
    model.minimize(makespan)
    found = budget.search(model, message="完工时间 / makespan")
    if found is None:
        return Schedule(first, horizon, shop.lower_bound)
    placed = tuple(tuple(found.value_of(start) for start in row) for row in starts)
    return Schedule(placed, round(found.objective), max(shop.lower_bound, round(found.bound)))


def dispatched(shop: Shop) -> tuple[tuple[int, ...], ...]:
    """Starts by the rule "most work remaining": of the steps that can begin first, that of the longest rest."""
    ready = [0] * len(shop.jobs)
    free = [0] * shop.machines
    left = [sum(length for _, length in job) for job in shop.jobs]
    starts: list[list[int]] = [[] for _ in shop.jobs]
    waiting = set(range(len(shop.jobs)))
    while waiting:
        heads = [(number, *shop.jobs[number][len(starts[number])]) for number in waiting]
        # Giffler and Thompson: only what begins before the earliest end keeps the schedule active.
        end, where = min((max(ready[number], free[machine]) + length, machine) for number, machine, length in heads)
        rivals = [
            (left[number], -number, number, length)
            for number, machine, length in heads
            if machine == where and (max(ready[number], free[machine]) < end or length == 0)
        ]
        _, _, number, length = max(rivals)
        start = max(ready[number], free[where])
        starts[number].append(start)
        ready[number] = free[where] = start + length
        left[number] -= length
        if len(starts[number]) == len(shop.jobs[number]):
            waiting.discard(number)
    return tuple(tuple(row) for row in starts)


def _ends(shop: Shop, starts: Sequence[Sequence[int]]) -> list[int]:
    return [row[-1] + job[-1][1] for row, job in zip(starts, shop.jobs, strict=True)]


def _answer(jobs: list[str], machines: list[str], shop: Shop, schedule: Schedule, factor: int) -> ToolAnswer:
    rows: list[list[Any]] = [
        [machines[machine], jobs[number], step + 1, start / factor, (start + length) / factor]
        for number, job in enumerate(shop.jobs)
        for step, ((machine, length), start) in enumerate(zip(job, schedule.starts[number], strict=True))
    ]
    rows.sort(key=lambda row: (machines.index(row[0]), row[3], row[4]))
    busy = {name: sum(row[4] - row[3] for row in rows if row[0] == name) for name in machines}
    busiest = max(machines, key=lambda name: busy[name])
    makespan, bound = schedule.makespan / factor, schedule.bound / factor
    gap = gap_percent(makespan, bound)
    outputs = {
        "makespan_min": rounded(makespan), "lower_bound_min": rounded(bound), "gap_percent": gap,
        "operations": len(rows), "bottleneck": busiest,
        "bottleneck_load_percent": rounded(100 * busy[busiest] / makespan, 1),
    }  # fmt: skip
    longest = max(sum(length for _, length in job) for job in shop.jobs) / factor
    advice = _advice(busiest, 100 * busy[busiest] / makespan, longest, makespan)
    chart = {
        "kind": "gantt", "title_zh": "设备甘特图", "title_en": "Machines over time", "unit": "min",
        "until": makespan,
        "rows": [
            {
                "name": name,
                "bars": [
                    {"start": row[3], "end": row[4], "label": row[1], "group": 1 + jobs.index(row[1]) % 6}
                    for row in rows
                    if row[0] == name and row[4] > row[3]
                ],
            }
            for name in machines[:MOST_SHOWN]
        ],
    }  # fmt: skip
    table = {
        "title_zh": "派工表", "title_en": "Dispatch list",
        "columns": [
            {"name": "machine", "title_zh": "设备", "title_en": "Machine", "unit": ""},
            {"name": "job", "title_zh": "工单", "title_en": "Job", "unit": ""},
            {"name": "step", "title_zh": "工步", "title_en": "Step", "unit": ""},
            {"name": "start", "title_zh": "开始", "title_en": "Start", "unit": "min"},
            {"name": "end", "title_zh": "结束", "title_en": "End", "unit": "min"},
        ],
        "rows": rows,
    }  # fmt: skip
    return ToolAnswer(outputs, (said_of(gap == 0, gap), advice), (chart,), (table,))


def _advice(busiest: str, load_percent: float, longest_min: float, makespan_min: float) -> dict[str, str]:
    if load_percent >= CLEAR_BOTTLENECK_PERCENT:
        return {
            "zh": f"最忙的设备是 {busiest}，占用 {load_percent:.0f} %：想再缩短总时间，先给它加班、分流或提速，别的设备提速帮助不大。",
            "en": f"The busiest machine is {busiest}, in use {load_percent:.0f} % of the time: to finish sooner relieve it "
            "first; faster machines elsewhere help little.",
        }
    return {
        "zh": f"没有明显的瓶颈设备（最忙的 {busiest} 只占用 {load_percent:.0f} %）；最长的一张工单自身要 {longest_min:g} min，"
        f"总时间 {makespan_min:g} min：把大批量拆成小批流转，比加设备有效。",
        "en": f"No machine is a clear bottleneck (the busiest, {busiest}, is in use {load_percent:.0f} %). The longest job "
        f"takes {longest_min:g} min by itself, all take {makespan_min:g} min: smaller transfer lots help more than machines.",
    }
