"""Computes one rule for one case on one day: every condition walked, the amount by parts, what is missing.

Amounts are exact: parts are products of decimals and add up to `uncapped`; only the amount paid is rounded, half up, to
the fen. The amount is what the plan pays if every condition holds; whether it does is the verdict's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from services.programme.rules import conditions
from services.programme.rules.rule import Condition, Part, Rule
from services.programme.rules.verdict import Verdict, all_of, of

FEN = Decimal("0.01")
IN_FORCE = "in_force"
"""Id of the condition that every rule has: the day lies within its validity."""


@dataclass(frozen=True)
class Walked:
    """A condition with its state and the values that it read; `condition` is None for the rule's validity."""

    id: str
    condition: Condition | None
    state: Verdict
    values: Mapping[str, Any]


@dataclass(frozen=True)
class PartAmount:
    part: Part
    base: Decimal
    amount: Decimal


@dataclass(frozen=True)
class Computed:
    rule: Rule
    as_of: date
    verdict: Verdict
    conditions: tuple[Walked, ...]
    parts: tuple[PartAmount, ...]
    uncapped: Decimal
    amount: Decimal
    missing: tuple[str, ...]
    """Inputs that a condition or the amount needs and nobody has given, in the rule's order."""

    @property
    def capped(self) -> bool:
        return self.rule.cap is not None and self.uncapped > self.rule.cap

    @property
    def payable(self) -> Decimal | None:
        """The amount when the verdict is yes, nothing when it is no, None while either is not known."""
        if self.verdict is Verdict.NO:
            return Decimal(0)
        return self.amount if self.verdict is Verdict.YES and not self.missing else None


def compute(rule: Rule, given: Mapping[str, Any], as_of: date) -> Computed:
    """`given` maps the rule's inputs to Decimal yuan, int counts, bools or choices; absent or None is not known."""
    walked = [Walked(IN_FORCE, None, of(rule.holds_on(as_of)), {"as_of": as_of})]
    for condition in rule.conditions:
        read = {name: given.get(name) for name in conditions.inputs_of(condition.test)}
        walked.append(Walked(condition.id, condition, conditions.evaluate(condition.test, given), read))
    parts = tuple(_part(part, given) for part in rule.parts)
    uncapped = sum((each.amount for each in parts), Decimal(0))
    paid = uncapped if rule.cap is None else min(uncapped, rule.cap)
    needed = {name for each in walked if each.state is Verdict.UNKNOWN for name in each.values}
    needed |= {part.base for part in rule.parts if part.base is not None}
    return Computed(
        rule=rule,
        as_of=as_of,
        verdict=all_of(each.state for each in walked),
        conditions=tuple(walked),
        parts=parts,
        uncapped=uncapped,
        amount=paid.quantize(FEN, ROUND_HALF_UP),
        missing=tuple(each.name for each in rule.inputs if each.name in needed and given.get(each.name) is None),
    )


def _part(part: Part, given: Mapping[str, Any]) -> PartAmount:
    # An amount that was not given counts as nothing here: the verdict says separately that it is not known.
    base = Decimal(1) if part.base is None else Decimal(given.get(part.base) or 0)
    return PartAmount(part, base, base * part.rate)
