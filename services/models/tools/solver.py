"""CP-SAT run within a time budget, with progress and a way to stop it. Imports ortools: for the worker only."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import gcd

from ortools.sat.python import cp_model

WORKERS = max(1, min(2, os.cpu_count() or 1))
LOOK_EVERY_S = 0.5
_FOUND = (cp_model.OPTIMAL, cp_model.FEASIBLE)

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Solved:
    """What a search found; `value_of` reads a variable of the model it was given."""

    objective: float
    bound: float
    """No plan can be better than this."""
    is_optimal: bool
    solver: cp_model.CpSolver

    def value_of(self, expression: cp_model.LinearExprT) -> int:
        return int(self.solver.value(expression))

    def is_true(self, literal: cp_model.LiteralT) -> bool:
        return bool(self.solver.boolean_value(literal))


class Budget:
    """The seconds of one call, spent by one or several searches."""

    def __init__(self, seconds: float, progress: Progress) -> None:
        self.seconds = seconds
        self._progress = progress
        self._began = time.monotonic()

    @property
    def left(self) -> float:
        return max(0.0, self._began + self.seconds - time.monotonic())

    def say(self, message: str) -> None:
        """Tells how much of the time is used. Raises what ends the work when the job was cancelled."""
        self._progress(min(0.99, 1 - self.left / self.seconds), message)

    def search(self, model: cp_model.CpModel, seconds: float | None = None, message: str = "") -> Solved | None:
        """The best plan found in at most `seconds` (default: all that is left); None when there was none in time.

        Raises ValueError when the model has no plan at all.
        """
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = max(0.05, self.left if seconds is None else min(seconds, self.left))
        solver.parameters.num_workers = WORKERS
        solver.parameters.random_seed = 1
        self._run(solver, model, message)
        status = solver.response_proto.status
        if status == cp_model.INFEASIBLE:
            raise ValueError("在这些约束下没有可行方案，请放宽约束 / no plan meets all constraints, relax some")
        if status not in _FOUND:
            return None
        is_optimal = status == cp_model.OPTIMAL
        objective = solver.objective_value if model.has_objective() else 0.0
        bound = solver.best_objective_bound if model.has_objective() and not is_optimal else objective
        return Solved(objective, bound, is_optimal, solver)

    def _run(self, solver: cp_model.CpSolver, model: cp_model.CpModel, message: str) -> None:
        """Solves in a thread, which lets this one look whether the job is to stop."""
        best = _Best()
        failures: list[BaseException] = []

        def work() -> None:
            try:
                solver.solve(model, best)
            except BaseException as wrong:
                failures.append(wrong)

        self.say(message)  # A call of many short searches stops between them, too.
        thread = threading.Thread(target=work, name="solver")
        thread.start()
        try:
            while thread.is_alive():
                thread.join(LOOK_EVERY_S)
                if thread.is_alive():
                    self.say(best.said(message))
        finally:
            if thread.is_alive():
                # Stopping is asked once more than once: a search that has not begun does not hear it.
                while thread.is_alive():
                    solver.stop_search()
                    thread.join(LOOK_EVERY_S)
        if failures:
            raise failures[0]


class _Best(cp_model.CpSolverSolutionCallback):
    """Remembers the best objective so far, for the sentence that says how far the search is."""

    def __init__(self) -> None:
        super().__init__()
        self._found: tuple[float, float] | None = None

    def on_solution_callback(self) -> None:
        self._found = (self.objective_value, self.best_objective_bound)

    def said(self, message: str) -> str:
        if self._found is None:
            return message
        value, bound = self._found
        return f"{message} {value:.6g} (≥ {bound:.6g})".strip()


def whole(values: Sequence[float], most_digits: int = 2) -> tuple[list[int], int]:
    """`values` as whole numbers and the factor they were multiplied by: 1, 10 or 100, as few as they need."""
    for digits in range(most_digits + 1):
        factor = 10**digits
        if digits == most_digits or all(abs(value * factor - round(value * factor)) < 1e-6 for value in values):
            break
    return [round(value * factor) for value in values], factor


def common_step(values: Sequence[int]) -> int:
    """The largest whole number that divides all of them."""
    return gcd(*values) or 1


def gap_percent(value: float, bound: float) -> float:
    """How much worse than its bound a plan may be at most, in percent of its value."""
    return round(max(0.0, 100 * (value - bound) / value), 3) if value > 0 else 0.0


def said_of(is_optimal: bool, gap: float) -> dict[str, str]:
    """What the figures of a search mean."""
    if is_optimal:
        return {"zh": "已证明是最优方案。", "en": "Proved to be the best plan."}
    return {
        "zh": f"还没有证明最优：与理论下界最多差 {gap:.1f} %，增加求解时间可能更好。",
        "en": f"Not proved to be the best: at most {gap:.1f} % above the bound; more time may improve it.",
    }
