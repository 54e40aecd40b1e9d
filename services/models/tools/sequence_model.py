"""Which task on which of several equal machines in which order, when changing over takes time by the pair of tasks.

Annealing finds a good plan, CP-SAT improves it and says how much better a plan could be at most.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ortools.sat.python import cp_model

from services.models.tools.solver import Budget

SHARE_OF_ANNEALING = 0.35
MOVES_PER_TASK = 4000
LOOK_EVERY = 2000


@dataclass(frozen=True)
class Task:
    """All in whole units of time."""

    length: int
    release: int = 0
    due: int | None = None
    weight: int = 1


@dataclass(frozen=True)
class Line:
    """The tasks, the time between each two of them, and before each when it comes first on a machine."""

    tasks: tuple[Task, ...]
    between: tuple[tuple[int, ...], ...]
    first: tuple[int, ...]
    machines: int = 1
    setup_weight: int = 1
    """What a unit of changing over counts against a unit of lateness of weight 1."""

    def timed(self, route: Sequence[int]) -> list[tuple[int, int, int]]:
        """(start of changing over, start, end) of each task of one machine in this order, as early as can be."""
        found, free, before = [], 0, -1
        for number in route:
            setup = self.first[number] if before < 0 else self.between[before][number]
            start = max(free + setup, self.tasks[number].release)
            free = start + self.tasks[number].length
            found.append((start - setup, start, free))
            before = number
        return found

    def cost(self, route: Sequence[int]) -> int:
        """Weighted lateness plus weighted changing over of one machine."""
        total, free, before = 0, 0, -1
        for number in route:
            task = self.tasks[number]
            setup = self.first[number] if before < 0 else self.between[before][number]
            free = max(free + setup, task.release) + task.length
            total += self.setup_weight * setup
            if task.due is not None and free > task.due:
                total += task.weight * (free - task.due)
            before = number
        return total

    def setup(self, route: Sequence[int]) -> int:
        """Changing over of one machine, in units of time."""
        return sum(
            self.first[number] if place == 0 else self.between[route[place - 1]][number]
            for place, number in enumerate(route)
        )


@dataclass(frozen=True)
class Plan:
    routes: tuple[tuple[int, ...], ...]
    cost: int
    bound: int


def planned(line: Line, budget: Budget) -> Plan:
    """The plan of the lowest cost found within the budget."""
    routes = annealed(line, budget)
    cost = sum(line.cost(route) for route in routes)
    if cost == 0:
        return Plan(tuple(map(tuple, routes)), 0, 0)
    model = _Model(line, routes)
    found = budget.search(model.model, message="加权拖期与换型 / weighted lateness and changeovers")
    if found is None:
        return Plan(tuple(map(tuple, routes)), cost, 0)
    better = model.routes(found.is_true)
    # Its starts may idle; the same order begun as early as can be is never worse.
    better_cost = sum(line.cost(route) for route in better)
    if better_cost > cost:
        better, better_cost = routes, cost
    bound = min(better_cost, max(0, math.ceil(found.bound - 1e-6)))
    return Plan(tuple(map(tuple, better)), better_cost, bound)


def annealed(line: Line, budget: Budget, seed: int = 1) -> list[list[int]]:
    """Routes by simulated annealing over moves and swaps, from tasks dealt out by due date."""
    rng = random.Random(seed)
    routes = dealt(line)
    costs = [line.cost(route) for route in routes]
    best, best_cost = [list(route) for route in routes], sum(costs)
    count = len(line.tasks)
    if count < 2:
        return best
    temperature = max(1.0, best_cost / count)
    stop_with = budget.left - min(budget.left * SHARE_OF_ANNEALING, 20.0)
    moves = MOVES_PER_TASK * count
    cooling = (0.01 / temperature) ** (1 / moves) if temperature > 0.01 else 1.0
    for move in range(moves):
        if best_cost == 0:
            break
        if move % LOOK_EVERY == 0:
            if budget.left < stop_with:
                break
            budget.say("初步排序 / first order")
        changed = _neighbour(routes, rng)
        after = {place: line.cost(route) for place, route in changed.items()}
        difference = sum(after.values()) - sum(costs[place] for place in changed)
        if difference <= 0 or rng.random() < math.exp(-difference / temperature):
            for place, route in changed.items():
                routes[place], costs[place] = route, after[place]
            if sum(costs) < best_cost:
                best, best_cost = [list(route) for route in routes], sum(costs)
        temperature *= cooling
    return best


def dealt(line: Line) -> list[list[int]]:
    """Tasks in the order of their due dates, each to the machine that ends it first."""
    order = sorted(range(len(line.tasks)), key=lambda number: (line.tasks[number].due or math.inf, number))
    routes: list[list[int]] = [[] for _ in range(line.machines)]
    for number in order:
        ends = [line.timed([*route, number])[-1][2] for route in routes]
        routes[ends.index(min(ends))].append(number)
    return routes


def _neighbour(routes: list[list[int]], rng: random.Random) -> dict[int, list[int]]:
    """The routes that one random move or swap changes, by their place."""
    filled = [place for place, route in enumerate(routes) if route]
    source = rng.choice(filled)
    at = rng.randrange(len(routes[source]))
    target = rng.randrange(len(routes))
    if rng.random() < 0.5 and routes[target]:
        to = rng.randrange(len(routes[target]))
        changed = {source: list(routes[source])}
        changed.setdefault(target, list(routes[target]))
        changed[source][at], changed[target][to] = changed[target][to], changed[source][at]
        return changed
    changed = {source: list(routes[source])}
    number = changed[source].pop(at)
    changed.setdefault(target, list(routes[target]))
    changed[target].insert(rng.randint(0, len(changed[target])), number)
    return changed


class _Model:
    """Routes as one circuit through a depot that may be passed once for each machine; node 0 is the depot."""

    def __init__(self, line: Line, hint: Sequence[Sequence[int]]) -> None:
        self.model = model = cp_model.CpModel()
        self._line = line
        self._next: dict[tuple[int, int], cp_model.IntVar] = {}
        tasks, count = line.tasks, len(line.tasks)
        horizon = self._horizon()
        self._start = [model.new_int_var(task.release, horizon, f"s{number}") for number, task in enumerate(tasks)]
        for before in range(count + 1):
            for after in range(count + 1):
                if before != after:
                    self._next[before, after] = model.new_bool_var(f"n{before}_{after}")
        arcs = [(before, after, literal) for (before, after), literal in self._next.items()]
        model.add_multiple_circuit(arcs)
        model.add(sum(self._next[0, after] for after in range(1, count + 1)) <= line.machines)
        self._in_time(count)
        # Implied by the circuit, and what the bound mostly rests on.
        works = [
            model.new_fixed_size_interval_var(self._start[number], task.length, f"i{number}")
            for number, task in enumerate(tasks)
        ]
        model.add_cumulative(works, [1] * count, line.machines)
        model.minimize(self._lateness(horizon) + line.setup_weight * self._setups(count))
        self._hint(hint, count)

    def _horizon(self) -> int:
        line = self._line
        setups = sum(max(line.first[n], *(row[n] for row in line.between)) for n in range(len(line.tasks)))
        return max(task.release for task in line.tasks) + setups + sum(task.length for task in line.tasks)

    def _in_time(self, count: int) -> None:
        line, model = self._line, self.model
        for after in range(1, count + 1):
            model.add(self._start[after - 1] >= line.first[after - 1]).only_enforce_if(self._next[0, after])
            for before in range(1, count + 1):
                if before != after:
                    gap = line.tasks[before - 1].length + line.between[before - 1][after - 1]
                    begins = self._start[after - 1] >= self._start[before - 1] + gap
                    model.add(begins).only_enforce_if(self._next[before, after])

    def _lateness(self, horizon: int) -> Any:
        total: Any = 0
        for number, task in enumerate(self._line.tasks):
            if task.due is not None:
                late = self.model.new_int_var(0, horizon, f"l{number}")
                self.model.add(late >= self._start[number] + task.length - task.due)
                total = total + task.weight * late
        return total

    def _setups(self, count: int) -> Any:
        line = self._line
        first = [line.first[after - 1] * self._next[0, after] for after in range(1, count + 1)]
        between = [
            line.between[before - 1][after - 1] * literal
            for (before, after), literal in self._next.items()
            if before and after
        ]
        return sum(first) + sum(between)

    def _hint(self, routes: Sequence[Sequence[int]], count: int) -> None:
        used = set()
        for route in filter(None, routes):
            stops = [0, *(number + 1 for number in route), 0]
            used |= set(pairwise(stops))
            for number, (_, start, _) in zip(route, self._line.timed(route), strict=True):
                self.model.add_hint(self._start[number], start)
        for pair, literal in self._next.items():
            self.model.add_hint(literal, pair in used)

    def routes(self, is_true: object) -> list[list[int]]:
        after: dict[int, list[int]] = {}
        for (before, then), literal in self._next.items():
            if is_true(literal):  # type: ignore[operator]
                after.setdefault(before, []).append(then)
        found = []
        for begins in after.get(0, []):
            route, here = [], begins
            while here:
                route.append(here - 1)
                here = after[here][0]
            found.append(route)
        return found + [[] for _ in range(self._line.machines - len(found))]
