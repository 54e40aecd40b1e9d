"""The eight tests for special causes on a control chart, and what they found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

Window = Sequence[float]
"""Distances from the centre line in standard errors."""


@dataclass(frozen=True)
class Rule:
    number: int
    length: int
    """Points that are looked at together."""
    zh: str
    en: str
    is_hit: Callable[[Window], bool]


@dataclass(frozen=True)
class Hit:
    rule: Rule
    first: int
    last: int
    """Places of the points, counted from 1; windows that overlap are one hit."""


def _same_side(window: Window, beyond: float, least: int) -> bool:
    """Enough points beyond a line on one side, the newest among them: else an old signal would be told again."""
    above, below = sum(each > beyond for each in window), sum(each < -beyond for each in window)
    return (above >= least and window[-1] > beyond) or (below >= least and window[-1] < -beyond)


def _steady(window: Window) -> bool:
    steps = [after - before for before, after in pairwise(window)]
    return all(step > 0 for step in steps) or all(step < 0 for step in steps)


def _alternating(window: Window) -> bool:
    steps = [after - before for before, after in pairwise(window)]
    return all(one * other < 0 for one, other in pairwise(steps))


RULES = (
    Rule(1, 1, "1 点超出控制限", "one point beyond the limits", lambda window: abs(window[0]) > 3),
    Rule(2, 9, "连续 9 点在中心线同一侧", "nine in a row on one side", lambda window: _same_side(window, 0, 9)),
    Rule(3, 6, "连续 6 点递增或递减", "six in a row rising or falling", _steady),
    Rule(4, 14, "连续 14 点上下交替", "fourteen in a row up and down in turn", _alternating),
    Rule(5, 3, "3 点中 2 点在同侧 2σ 以外", "two of three beyond 2 sigma on one side", lambda w: _same_side(w, 2, 2)),
    Rule(6, 5, "5 点中 4 点在同侧 1σ 以外", "four of five beyond 1 sigma on one side", lambda w: _same_side(w, 1, 4)),
    Rule(
        7, 15, "连续 15 点在中心线两侧 1σ 以内", "fifteen in a row within 1 sigma", lambda w: all(abs(z) < 1 for z in w)
    ),
    Rule(
        8, 8, "连续 8 点都在 1σ 以外", "eight in a row with none within 1 sigma", lambda w: all(abs(z) > 1 for z in w)
    ),
)
"""ISO 7870-2 / GB/T 17989, the tests of Western Electric and Nelson."""
RULE_SETS: dict[str, tuple[Rule, ...]] = {"1": RULES[:1], "1-4": RULES[:4], "1-8": RULES}


def hits(distances: Sequence[float], rules: Sequence[Rule]) -> list[Hit]:
    """What the rules find, by rule and place."""
    found: list[Hit] = []
    for rule in rules:
        first = last = 0
        for end in range(rule.length, len(distances) + 1):
            start = end - rule.length + 1
            if not rule.is_hit(distances[start - 1 : end]):
                continue
            if last and start <= last:
                last = end
                continue
            if last:
                found.append(Hit(rule, first, last))
            first, last = start, end
        if last:
            found.append(Hit(rule, first, last))
    return found
