"""What would change the outcome: the cheapest sets of inputs that turn the verdict or raise the amount.

Every suggestion is proven before it is shown: the rule is computed again with it, and again with each of its inputs
left out, so that nothing is suggested that does not work or is not needed. The date is never suggested.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from typing import Any

from services.programme.rules import conditions
from services.programme.rules.engine import FEN, IN_FORCE, Computed, compute
from services.programme.rules.rule import Rule
from services.programme.rules.verdict import Verdict

MOST_SHOWN = 3
MOST_COMBINATIONS = 256


@dataclass(frozen=True)
class Change:
    effect: str
    """`verdict`: the verdict becomes yes. `amount`: the amount becomes larger."""
    set: Mapping[str, Any]
    extra_yuan: Decimal
    """How much more would have to be invested."""
    outcome: Computed


def changes(now: Computed, given: Mapping[str, Any]) -> list[Change]:
    """At most a few changes, those of the verdict first, each the smallest of its kind."""
    return [*_to_yes(now, given), *_to_more(now, given)]


def _to_yes(now: Computed, given: Mapping[str, Any]) -> list[Change]:
    if now.verdict is Verdict.YES or _out_of_force(now):
        return []
    proven = [
        Change("verdict", way, _extra(now.rule, given, way), outcome)
        for way in _candidates(now, given)
        if (outcome := compute(now.rule, {**given, **way}, now.as_of)).verdict is Verdict.YES
        and _nothing_spare(now, given, way)
    ]
    proven.sort(key=lambda change: (len(change.set), change.extra_yuan, sorted(change.set)))
    fewest = [change for change in proven if len(change.set) == len(proven[0].set)]
    return fewest[:MOST_SHOWN]


def _out_of_force(now: Computed) -> bool:
    return any(each.id == IN_FORCE and each.state is not Verdict.YES for each in now.conditions)


def _candidates(now: Computed, given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    changeable = {each.name for each in now.rule.inputs if each.changeable}
    open_tests = [each.condition.test for each in now.conditions if each.condition and each.state is not Verdict.YES]
    ways = [[way for way in conditions.ways(test, given) if set(way) <= changeable] for test in open_tests]
    seen: list[dict[str, Any]] = []
    for combination in itertools.islice(itertools.product(*ways), MOST_COMBINATIONS):
        merged: dict[str, Any] = {}
        for way in combination:
            merged.update(way)
        if merged not in seen:
            seen.append(merged)
            yield merged


def _nothing_spare(now: Computed, given: Mapping[str, Any], way: Mapping[str, Any]) -> bool:
    for name in way:
        fewer = {other: value for other, value in way.items() if other != name}
        if compute(now.rule, {**given, **fewer}, now.as_of).verdict is Verdict.YES:
            return False
    return True


def _to_more(now: Computed, given: Mapping[str, Any]) -> list[Change]:
    """The least extra investment that brings the amount to the cap, in the part where a yuan brings most."""
    rule = now.rule
    if rule.cap is None or now.uncapped >= rule.cap or _out_of_force(now):
        return []
    money = [part for part in rule.parts if part.base is not None and _is_changeable_money(rule, part.base)]
    if not money:
        return []
    best = max(money, key=lambda part: part.rate)
    extra = ((rule.cap - now.uncapped) / best.rate).quantize(FEN, ROUND_UP)
    name = str(best.base)
    way = {name: Decimal(given.get(name) or 0) + extra}
    outcome = compute(rule, {**given, **way}, now.as_of)
    return [Change("amount", way, extra, outcome)] if outcome.amount > now.amount else []


def _is_changeable_money(rule: Rule, name: str) -> bool:
    found = rule.input(name)
    return found.changeable and found.kind == "money"


def _extra(rule: Rule, given: Mapping[str, Any], way: Mapping[str, Any]) -> Decimal:
    money = [name for name in way if _is_changeable_money(rule, name)]
    return sum((Decimal(way[name]) - Decimal(given.get(name) or 0) for name in money), Decimal(0))
