"""Cut planning in apparel: which sizes lie in which marker, and how many plies of each colour. Computed by the worker."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ortools.sat.python import cp_model

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.solver import Budget, Progress, Solved, said_of, whole

MOST_OF_A_SIZE = 8
"""Garments of one size in a marker."""
MOST_LAYS = 12

Lay = tuple[dict[str, int], dict[str, int]]
"""Garments of each size in the marker, plies of each colour."""


@dataclass(frozen=True)
class Order:
    sizes: tuple[str, ...]
    colours: tuple[str, ...]
    pieces: Mapping[tuple[str, str], int]
    """(colour, size) -> pieces."""
    length: Mapping[str, int]
    """Marker length that a garment of each size takes, in whole units."""

    @property
    def total(self) -> int:
        return sum(self.pieces.values())


@dataclass(frozen=True)
class Limits:
    plies: int
    length: int
    """Of a marker without its ends, in the units of the order."""
    overcut_percent: float

    def most(self, pieces: int) -> int:
        """Pieces that may be cut of so many ordered; at least one more, where any may be cut too many."""
        if self.overcut_percent <= 0:
            return pieces
        return pieces + max(1, math.floor(pieces * self.overcut_percent / 100))


def cloth_cut_plan(
    orders: Sequence[Mapping[str, Any]],
    max_plies: float,
    table_m: float,
    end_loss_m: float,
    overcut_percent: float,
    seconds: float,
    progress: Progress,
) -> ToolAnswer:
    """The fewest lays that cut an order by size and colour, and of those plans one that cuts the fewest too many.

    `orders`: colour (may be empty), size, pieces, and marker_m, the length of marker that a garment of that size takes.
    `max_plies`: plies of one lay; `table_m`: longest lay; `end_loss_m`: lost at both ends of a ply together. A lay is one
    marker (sizes) and plies by colour: it gives plies x garments in the marker. Source: cut order planning as an integer
    programme over size ratios, by CP-SAT. Raises ValueError.
    """
    order, factor = _order(orders)
    limits = Limits(int(max_plies), math.floor((table_m - end_loss_m) * factor + 1e-9), overcut_percent)
    longest = max(order.length.values())
    if longest > limits.length:
        raise ValueError(
            f"最长的一件用排料 {longest / factor:g} m，超过台板能放的 {limits.length / factor:g} m / "
            "one garment is longer than the table less its ends"
        )
    budget = Budget(seconds, progress)
    bound = _fewest(order, limits)
    plan, bound, is_proved = _planned(order, limits, bound, budget)
    return _answer(order, plan, is_proved, bound, end_loss_m, factor)


def _order(orders: Sequence[Mapping[str, Any]]) -> tuple[Order, int]:
    lengths: dict[str, float] = {}
    pieces: dict[tuple[str, str], int] = {}
    for row in orders:
        known = lengths.setdefault(row["size"], row["marker_m"])
        if known != row["marker_m"]:
            raise ValueError(
                f"{row['size']} 码的单件用料前后不同（{known:g} 与 {row['marker_m']:g} m）/ a size has two lengths"
            )
        pair = (row["colour"], row["size"])
        pieces[pair] = pieces.get(pair, 0) + int(row["pieces"])
    scaled, factor = whole(list(lengths.values()))
    colours = tuple(dict.fromkeys(row["colour"] for row in orders))
    return Order(tuple(lengths), colours, pieces, dict(zip(lengths, scaled, strict=True))), factor


def _fewest(order: Order, limits: Limits) -> int:
    """No plan has fewer lays: each holds so many plies of so much length. And what may be cut too many counts for
    nothing here."""
    needed = sum(count * order.length[size] for (_, size), count in order.pieces.items())
    by_count = math.ceil(order.total / (limits.plies * MOST_OF_A_SIZE * len(order.sizes)))
    return max(1, by_count, math.ceil(needed / (limits.plies * limits.length)))


def _planned(order: Order, limits: Limits, bound: int, budget: Budget) -> tuple[list[Lay], int, bool]:
    """The first number of lays from the bound on for which there is a plan, the bound by what was ruled out on the way,
    and whether both the lays and the overcut are proved least."""
    for lays in range(bound, MOST_LAYS + 1):
        budget.say(f"{lays} 床 / {lays} lays")
        model = _Model(order, limits, lays)
        share = budget.left if lays >= MOST_LAYS else max(1.0, budget.left * 0.5)
        try:
            found = budget.search(model.model, share, f"{lays} 床，多裁 / {lays} lays, overcut")
        except ValueError:
            if bound == lays:
                bound = lays + 1
            continue
        if found is not None:
            return model.lays(found), bound, bound == lays and found.is_optimal
    raise ValueError(
        f"在时间内没有找到不超过 {MOST_LAYS} 床的方案：放宽多裁比例、层数或加长求解时间 / no plan with at most {MOST_LAYS} lays was "
        "found: allow more overcut, more plies or more time"
    )


class _Model:
    """A number of lays: garments of each size, plies of each colour, and their products."""

    def __init__(self, order: Order, limits: Limits, lays: int) -> None:
        self.model = model = cp_model.CpModel()
        self._order = order
        self._ratio = [
            {
                size: model.new_int_var(0, min(MOST_OF_A_SIZE, limits.length // order.length[size]), f"r{lay}{size}")
                for size in order.sizes
            }
            for lay in range(lays)
        ]
        self._plies = [
            {colour: model.new_int_var(0, limits.plies, f"p{lay}{colour}") for colour in order.colours}
            for lay in range(lays)
        ]
        together = []
        for ratio, plies in zip(self._ratio, self._plies, strict=True):
            model.add(sum(order.length[size] * ratio[size] for size in order.sizes) <= limits.length)
            model.add(sum(ratio.values()) >= 1)
            total = model.new_int_var(1, limits.plies, "")
            model.add(total == sum(plies.values()))
            together.append(total)
        for one, other in pairwise(together):
            # Lays may be numbered in any way: by their plies.
            model.add(one >= other)
        model.minimize(self._made(limits) - order.total)

    def _made(self, limits: Limits) -> Any:
        made: Any = 0
        for colour in self._order.colours:
            for size in self._order.sizes:
                wanted = self._order.pieces.get((colour, size), 0)
                parts = []
                for ratio, plies in zip(self._ratio, self._plies, strict=True):
                    part = self.model.new_int_var(0, limits.most(wanted) if wanted else 0, "")
                    self.model.add_multiplication_equality(part, [ratio[size], plies[colour]])
                    parts.append(part)
                self.model.add_linear_constraint(sum(parts), wanted, limits.most(wanted) if wanted else 0)
                made = made + sum(parts)
        return made

    def lays(self, found: Solved) -> list[Lay]:
        return [
            (
                {size: count for size, variable in ratio.items() if (count := found.value_of(variable))},
                {colour: count for colour, variable in plies.items() if (count := found.value_of(variable))},
            )
            for ratio, plies in zip(self._ratio, self._plies, strict=True)
        ]


def _answer(order: Order, plan: list[Lay], is_proved: bool, bound: int, end_loss_m: float, factor: int) -> ToolAnswer:
    rows: list[list[Any]] = []
    made, cloth, plies_in_all = 0, 0.0, 0
    for number, (ratio, plies) in enumerate(plan, start=1):
        length = sum(order.length[size] * count for size, count in ratio.items()) / factor + end_loss_m
        count = sum(plies.values())
        made += count * sum(ratio.values())
        cloth += count * length
        plies_in_all += count
        sizes = " ".join(f"{size}×{ratio[size]}" for size in order.sizes if size in ratio)
        colours = " ".join(f"{colour or '—'}:{plies[colour]}" for colour in order.colours if colour in plies)
        rows.append([number, sizes, colours, count, rounded(length, 3), count * sum(ratio.values())])
    overcut = made - order.total
    outputs = {
        "lays": len(plan), "bound_lays": bound, "overcut_pieces": overcut,
        "overcut_percent": rounded(100 * overcut / order.total, 3), "plies": plies_in_all,
        "cloth_m": rounded(cloth, 2), "end_loss_percent": rounded(100 * plies_in_all * end_loss_m / cloth, 3),
    }  # fmt: skip
    names = (
        ("lay", "床次", "Lay", ""), ("marker", "唛架（码×件）", "Marker (size×garments)", ""),
        ("plies_by_colour", "各色层数", "Plies by colour", ""), ("plies", "层数", "Plies", ""),
        ("length", "拉布长", "Lay length", "m"), ("pieces", "出件", "Pieces", ""),
    )  # fmt: skip
    columns = [dict(zip(("name", "title_zh", "title_en", "unit"), each, strict=True)) for each in names]
    table = {"title_zh": "裁床计划", "title_en": "Lay plan", "columns": columns, "rows": rows}
    advice = {
        "zh": f"共 {len(plan)} 床，多裁 {overcut} 件（{100 * overcut / order.total:.1f} %），用布约 {cloth:.0f} m。"
        "允许多裁的比例放大一点，床次可能更少。",
        "en": f"{len(plan)} lays, {overcut} pieces too many ({100 * overcut / order.total:.1f} %), about {cloth:.0f} m of "
        "cloth. Allowing a little more overcut may save a lay.",
    }
    if is_proved:
        return ToolAnswer(outputs, (said_of(True, 0), advice), (), (table,))
    unproved = {
        "zh": f"还没有证明最优：床次下界 {bound}，增加求解时间可能更好。",
        "en": f"Not proved to be the best: at least {bound} lays are needed; more time may help.",
    }
    return ToolAnswer(outputs, (unproved, advice), (), (table,))
