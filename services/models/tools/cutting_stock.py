"""One-dimensional cutting stock by column generation, diving and an integer programme over the patterns found.

Source: Gilmore and Gomory (1961, 1963); the bound of an unfinished generation is Farley's (1990).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.linear_solver import pywraplp
from ortools.sat.python import cp_model

from services.models.tools.solver import Budget

Pattern = tuple[int, ...]
"""How many of each width a parent roll gives."""
EPSILON = 1e-6
SHARE_OF_DIVING = 0.5
MOST_COLUMNS = 3000


@dataclass(frozen=True)
class Stock:
    """Whole numbers: the width of the parent, the widths wanted (all different), how many of each, knives' limit."""

    width: int
    widths: tuple[int, ...]
    demand: tuple[int, ...]
    most_cuts: int

    @property
    def knives_bind(self) -> bool:
        return self.most_cuts < self.width // min(self.widths)


@dataclass(frozen=True)
class Cutting:
    """Patterns with how often each is cut; together they give the demand or more."""

    patterns: tuple[tuple[Pattern, int], ...]
    bound: int

    @property
    def parents(self) -> int:
        return sum(times for _, times in self.patterns)


def cut(stock: Stock, budget: Budget) -> Cutting:
    """As few parents as were found within the budget, and of those plans one with few different patterns."""
    columns = _first_columns(stock)
    best = _best_fit(stock, stock.demand)
    bound = max(_material_bound(stock), 1)
    if _parents(best) > bound:
        value, _, _ = _generate(stock, columns, stock.demand, budget, seconds=budget.seconds * 0.4)
        bound = max(bound, math.ceil(value - EPSILON))
    columns.update(_all_patterns(stock))
    until = budget.left - budget.seconds * SHARE_OF_DIVING
    if _parents(best) > bound:
        best = min(best, _dive(stock, columns, budget, until), key=_parents)
    if _parents(best) > bound:
        best = _integer(stock, columns, best, bound, budget, budget.left * 0.7)
    return Cutting(tuple(_fewer_patterns(stock, columns, best, budget).items()), bound)


def _parents(plan: dict[Pattern, int]) -> int:
    return sum(plan.values())


def _material_bound(stock: Stock) -> int:
    """By width, by number of knives, and of those wider than half the parent no two fit."""
    total = sum(width * wanted for width, wanted in zip(stock.widths, stock.demand, strict=True))
    wide = sum(wanted for width, wanted in zip(stock.widths, stock.demand, strict=True) if 2 * width > stock.width)
    pieces = sum(stock.demand)
    return max(math.ceil(total / stock.width), wide, math.ceil(pieces / stock.most_cuts))


def _first_columns(stock: Stock) -> dict[Pattern, None]:
    """For each width a parent full of it. Keys of a dict, to keep their order."""
    columns: dict[Pattern, None] = {}
    for place, width in enumerate(stock.widths):
        fits = min(stock.width // width, stock.most_cuts, max(stock.demand[place], 1))
        columns[tuple(fits if place == other else 0 for other in range(len(stock.widths)))] = None
    return columns


def _all_patterns(stock: Stock, most: int = 1500) -> dict[Pattern, None]:
    """Every pattern to which nothing can be added, when there are at most so many; else none."""
    order = sorted(range(len(stock.widths)), key=lambda place: -stock.widths[place])
    found: dict[Pattern, None] = {}
    looked = 0

    def fill(step: int, left: int, knives: int, held: list[int]) -> bool:
        nonlocal looked
        looked += 1
        if len(found) > most or looked > 20 * most:
            return False
        if step == len(order):
            full = all(
                left < width or knives == 0 or held[place] >= stock.demand[place]
                for place, width in enumerate(stock.widths)
            )
            if full:
                found[tuple(held)] = None
            return True
        place = order[step]
        for count in range(min(left // stock.widths[place], knives, stock.demand[place]), -1, -1):
            held[place] = count
            if not fill(step + 1, left - count * stock.widths[place], knives - count, held):
                return False
        held[place] = 0
        return True

    return found if fill(0, stock.width, stock.most_cuts, [0] * len(order)) else {}


def _best_fit(stock: Stock, demand: Sequence[int]) -> dict[Pattern, int]:
    """Best fit decreasing: every piece into the fullest parent that still takes it."""
    rooms: list[tuple[int, list[int]]] = []
    order = sorted(range(len(stock.widths)), key=lambda place: -stock.widths[place])
    for place in order:
        for _ in range(demand[place]):
            fitting = [
                (room, number)
                for number, (room, held) in enumerate(rooms)
                if room >= stock.widths[place] and sum(held) < stock.most_cuts
            ]
            if fitting:
                number = min(fitting)[1]
            else:
                rooms.append((stock.width, [0] * len(stock.widths)))
                number = len(rooms) - 1
            room, held = rooms[number]
            held[place] += 1
            rooms[number] = (room - stock.widths[place], held)
    plan: dict[Pattern, int] = {}
    for _, held in rooms:
        plan[tuple(held)] = plan.get(tuple(held), 0) + 1
    return plan


def _generate(
    stock: Stock, columns: dict[Pattern, None], demand: Sequence[int], budget: Budget, seconds: float
) -> tuple[float, dict[Pattern, float], bool]:
    """Adds patterns until none improves the linear programme: a valid lower bound, the use of each pattern, finished."""
    end = budget.left - seconds
    master = _Master(columns, demand)
    bound = 0.0
    while True:
        value, duals, use = master.solve()
        worth, pattern = knapsack(stock, duals, demand)
        if worth <= 1 + EPSILON:
            return max(bound, value), use, True
        bound = max(bound, value / worth)
        if budget.left <= max(end, 0.0) or len(columns) > MOST_COLUMNS or pattern in columns:
            return bound, use, False
        columns[pattern] = None
        master.add(pattern)
        budget.say(f"套排方案 {len(columns)} / {len(columns)} patterns")


class _Master:
    """min sum x, A x >= demand, x >= 0, kept between rounds so that each is solved from the last."""

    def __init__(self, columns: dict[Pattern, None], demand: Sequence[int]) -> None:
        self._solver = pywraplp.Solver.CreateSolver("GLOP")
        self._rows = [self._solver.Constraint(float(wanted), self._solver.infinity()) for wanted in demand]
        self._objective = self._solver.Objective()
        self._objective.SetMinimization()
        self._use: dict[Pattern, pywraplp.Variable] = {}
        for pattern in columns:
            self.add(pattern)

    def add(self, pattern: Pattern) -> None:
        variable = self._solver.NumVar(0.0, self._solver.infinity(), f"x{len(self._use)}")
        self._objective.SetCoefficient(variable, 1.0)
        for row, count in zip(self._rows, pattern, strict=True):
            if count:
                row.SetCoefficient(variable, float(count))
        self._use[pattern] = variable

    def solve(self) -> tuple[float, list[float], dict[Pattern, float]]:
        if self._solver.Solve() != pywraplp.Solver.OPTIMAL:
            raise ValueError("套排线性规划没有解出 / the linear programme of the patterns was not solved")
        duals = [max(0.0, row.dual_value()) for row in self._rows]
        use = {pattern: variable.solution_value() for pattern, variable in self._use.items()}
        return self._objective.Value(), duals, {pattern: value for pattern, value in use.items() if value > EPSILON}


def knapsack(stock: Stock, values: Sequence[float], demand: Sequence[int]) -> tuple[float, Pattern]:
    """The most valuable pattern with at most `demand` of each width."""
    if stock.knives_bind:
        return _knapsack_with_knives(stock, values, demand)
    best = np.zeros(stock.width + 1)
    taken: list[tuple[int, int, NDArray[np.bool_]]] = []
    for place, copies in _packets(stock, values, demand):
        size, worth = copies * stock.widths[place], copies * values[place]
        better = best[:-size] + worth if size else best
        wins = np.zeros(stock.width + 1, dtype=bool)
        wins[size:] = better > best[size:] + 1e-12
        best[size:] = np.where(wins[size:], better, best[size:])
        taken.append((place, copies, wins))
    found, left = [0] * len(stock.widths), stock.width
    for place, copies, wins in reversed(taken):
        if wins[left]:
            found[place] += copies
            left -= copies * stock.widths[place]
    return float(best[stock.width]), tuple(found)


def _knapsack_with_knives(stock: Stock, values: Sequence[float], demand: Sequence[int]) -> tuple[float, Pattern]:
    """The same over (pieces cut, width)."""
    best = np.zeros((stock.most_cuts + 1, stock.width + 1))
    taken: list[tuple[int, int, NDArray[np.bool_]]] = []
    for place, copies in _packets(stock, values, demand):
        size, worth = copies * stock.widths[place], copies * values[place]
        wins = np.zeros(best.shape, dtype=bool)
        if copies <= stock.most_cuts:
            better = best[:-copies, :-size] + worth
            wins[copies:, size:] = better > best[copies:, size:] + 1e-12
            best[copies:, size:] = np.where(wins[copies:, size:], better, best[copies:, size:])
        taken.append((place, copies, wins))
    found, knives, left = [0] * len(stock.widths), stock.most_cuts, stock.width
    for place, copies, wins in reversed(taken):
        if wins[knives, left]:
            found[place] += copies
            knives -= copies
            left -= copies * stock.widths[place]
    return float(best[stock.most_cuts, stock.width]), tuple(found)


def _packets(stock: Stock, values: Sequence[float], demand: Sequence[int]) -> list[tuple[int, int]]:
    """The copies of each width as packets of 1, 2, 4, ... that together give any number up to what is wanted."""
    found = []
    for place, width in enumerate(stock.widths):
        left = min(demand[place], stock.width // width) if values[place] > 1e-12 else 0
        packet = 1
        while left > 0:
            found.append((place, min(packet, left)))
            left -= packet
            packet *= 2
    return found


def _dive(stock: Stock, columns: dict[Pattern, None], budget: Budget, until: float) -> dict[Pattern, int]:
    """Fixes what the linear programme says, whole parts first and then the pattern nearest to whole, and generates
    again for what is left; the patterns stay for the integer programme."""
    demand = list(stock.demand)
    plan: dict[Pattern, int] = {}
    while any(demand):
        if budget.left <= 0:
            for pattern, times in _best_fit(stock, demand).items():
                plan[pattern] = plan.get(pattern, 0) + times
            break
        usable = _cut_down(columns, demand)
        _, use, _ = _generate(stock, usable, demand, budget, max(0.2, min(2.0, budget.left - until)))
        columns.update(usable)
        fixed = {pattern: math.floor(value + EPSILON) for pattern, value in use.items() if value >= 1 - EPSILON}
        if not fixed:
            # Of the fractions the largest; among equal ones the fullest.
            fixed = {max(use, key=lambda pattern: (round(use[pattern], 6), _filled(stock, pattern))): 1}
        for pattern, times in fixed.items():
            plan[pattern] = plan.get(pattern, 0) + times
            demand = [max(0, wanted - times * count) for wanted, count in zip(demand, pattern, strict=True)]
    return plan


def _filled(stock: Stock, pattern: Pattern) -> int:
    return sum(width * count for width, count in zip(stock.widths, pattern, strict=True))


def _cut_down(columns: dict[Pattern, None], demand: Sequence[int]) -> dict[Pattern, None]:
    """The patterns with no more of anything than is still wanted, and one for each width that is."""
    found: dict[Pattern, None] = {}
    for pattern in columns:
        smaller = tuple(min(count, wanted) for count, wanted in zip(pattern, demand, strict=True))
        if any(smaller):
            found[smaller] = None
    return found


def _integer(
    stock: Stock, columns: dict[Pattern, None], best: dict[Pattern, int], bound: int, budget: Budget, seconds: float
) -> dict[Pattern, int]:
    """The fewest parents with the patterns found so far."""
    for pattern in best:
        columns[pattern] = None
    most = _parents(best)
    model, times = _programme(stock, columns, most)
    model.add(sum(times.values()) >= bound)
    model.minimize(sum(times.values()))
    for pattern, variable in times.items():
        model.add_hint(variable, best.get(pattern, 0))
    found = budget.search(model, seconds, "母卷数 / parent rolls")
    if found is None or round(found.objective) >= most:
        return best
    return {pattern: count for pattern, variable in times.items() if (count := found.value_of(variable))}


def _fewer_patterns(
    stock: Stock, columns: dict[Pattern, None], best: dict[Pattern, int], budget: Budget
) -> dict[Pattern, int]:
    """As many parents with fewer different patterns, since each one means setting the knives."""
    if len(best) <= 1 or budget.left < 0.1:
        return best
    for pattern in best:
        columns[pattern] = None
    parents = _parents(best)
    model, times = _programme(stock, columns, parents)
    used = {pattern: model.new_bool_var(f"u{number}") for number, pattern in enumerate(times)}
    for pattern, variable in times.items():
        model.add(variable <= parents * used[pattern])
        model.add_hint(variable, best.get(pattern, 0))
        model.add_hint(used[pattern], pattern in best)
    model.add(sum(times.values()) <= parents)
    model.minimize(sum(used.values()))
    found = budget.search(model, None, "换刀次数 / knife settings")
    if found is None or round(found.objective) >= len(best):
        return best
    return {pattern: count for pattern, variable in times.items() if (count := found.value_of(variable))}


def _programme(
    stock: Stock, columns: dict[Pattern, None], most: int
) -> tuple[cp_model.CpModel, dict[Pattern, cp_model.IntVar]]:
    model = cp_model.CpModel()
    times = {pattern: model.new_int_var(0, most, f"x{number}") for number, pattern in enumerate(columns)}
    for place, wanted in enumerate(stock.demand):
        model.add(sum(pattern[place] * variable for pattern, variable in times.items() if pattern[place]) >= wanted)
    return model, times
