"""A tool's inputs filled from what the query says; what could be meant for two inputs is left to the user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.gateway.search.quantities import Quantity, sizes
from shared.search import analysis

NEAR = 8
"""How many characters before and behind an amount may name the input it belongs to."""


def filled(inputs: Sequence[Mapping[str, Any]], plain: str, quantities: Sequence[Quantity]) -> dict[str, Any]:
    """Name of an input -> value in its own unit. Only values within the input's limits; an amount fills one input."""
    values: dict[str, Any] = {}
    for each in inputs:
        choice = _choice(each, plain)
        if choice is not None:
            values[each["name"]] = choice
    for quantity in quantities:
        if quantity.end - quantity.start == len(plain):
            continue
        fitting = [
            (_nearness(each, plain, quantity), each, value)
            for each in inputs
            if each["name"] not in values and not each.get("choices")
            for value in [_in_unit_of(each, quantity)]
            if value is not None and _within(each, value)
        ]
        best = max((near for near, _, _ in fitting), default=0)
        chosen = [(each, value) for near, each, value in fitting if near == best]
        if len(chosen) == 1 and (best > 0 or (quantity.unit and quantity.unit != "1:" and len(fitting) == 1)):
            values[chosen[0][0]["name"]] = chosen[0][1]
    return values


def _in_unit_of(each: Mapping[str, Any], quantity: Quantity) -> float | None:
    """The amount in the input's unit. A rate fills an amount as what one hour (or day) brings, and not the reverse."""
    unit, _, per = str(each.get("unit") or "").partition("/")
    if quantity.unit in ("", "1:"):
        return quantity.value if not unit or quantity.unit == "1:" else None
    whole = sizes(str(each.get("unit") or ""))
    own = whole or sizes(unit)
    if not whole and per and per.lower() != quantity.per:
        return None
    theirs = sizes(quantity.unit)
    for kind, size in own.items():
        if kind in theirs:
            return round(quantity.value * theirs[kind] / size, 9)
    return None


def _nearness(each: Mapping[str, Any], plain: str, quantity: Quantity) -> int:
    """Characters in pairs that the input's title shares with the words round the amount."""
    before = plain[max(0, quantity.start - NEAR) : quantity.start]
    around = {*analysis.bigrams_of(before), *analysis.bigrams_of(plain[quantity.start : quantity.end + NEAR])}
    title = analysis.normalise(str(each.get("title_zh") or ""))
    shared = around & {*analysis.bigrams_of(title)}
    latin = {run for run in title.split() if run.isascii() and run.isalpha() and run in before}
    return len(shared) + 2 * len(latin)


def _choice(each: Mapping[str, Any], plain: str) -> Any:
    """The one choice that stands in the query as a word by itself; 8.8级 names 8.8, m12 names M12."""
    tokens = {token.text for token in analysis.words_of(plain)}
    tokens |= {token.removesuffix("级") for token in tokens}
    named = [choice for choice in each.get("choices") or () if analysis.normalise(str(choice)) in tokens]
    return named[0] if len(named) == 1 else None


def _within(each: Mapping[str, Any], value: float) -> bool:
    low, high = each.get("minimum"), each.get("maximum")
    return (low is None or value >= low) and (high is None or value <= high)
