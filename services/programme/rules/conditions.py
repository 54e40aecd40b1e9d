"""The tests that a rule file may state: a few named forms over inputs, read from YAML, never evaluated as code.

{is_true: recognised}                         {is_false: defaulted}
{at_least: {input: rank, value: 1}}           {at_most: {input: rank, value: 10}}
{between: {input: rank, low: 1, high: 10}}    {one_of: {input: district, values: [nanhu]}}
{all: [...]}   {any: [...]}   {not: {...}}
{positive: [digital_workshop_projects, smart_factory_projects]}    # at least one of them above zero
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from services.programme.rules.verdict import Verdict, all_of, any_of, negation, of

Values = Mapping[str, Any]
Changes = Mapping[str, Any]

INPUT_FORMS = ("at_least", "at_most", "between", "one_of")
GROUP_FORMS = ("all", "any")
FLAG_FORMS = ("is_true", "is_false")


class UnknownFormError(ValueError):
    """A rule file states a test of a form that does not exist."""


def evaluate(test: Mapping[str, Any], values: Values) -> Verdict:
    """The verdict of `test` over `values`; a value that is absent or None is unknown."""
    form, body = _only(test)
    if form in FLAG_FORMS:
        value = values.get(body)
        return of(None if value is None else bool(value) is (form == "is_true"))
    if form in GROUP_FORMS:
        verdicts = [evaluate(each, values) for each in body]
        return all_of(verdicts) if form == "all" else any_of(verdicts)
    if form == "not":
        return negation(evaluate(body, values))
    if form == "positive":
        return any_of(of(None if values.get(name) is None else values[name] > 0) for name in body)
    value = values.get(body["input"])
    return Verdict.UNKNOWN if value is None else of(_COMPARE[form](value, body))


def inputs_of(test: Mapping[str, Any]) -> Iterator[str]:
    """The names of all inputs that `test` reads."""
    form, body = _only(test)
    if form in FLAG_FORMS:
        yield body
    elif form in GROUP_FORMS:
        for each in body:
            yield from inputs_of(each)
    elif form == "not":
        yield from inputs_of(body)
    elif form == "positive":
        yield from body
    else:
        yield body["input"]


def ways(test: Mapping[str, Any], values: Values, wanted: bool = True) -> list[dict[str, Any]]:
    """Sets of inputs that could make `test` come out as `wanted`, each with the nearest value that does.

    They are proposals: whoever shows one recomputes the whole rule with it first.
    """
    form, body = _only(test)
    if form in FLAG_FORMS:
        return [{body: (form == "is_true") is wanted}]
    if form == "not":
        return ways(body, values, not wanted)
    if form in GROUP_FORMS:
        return _ways_of_group(body, values, every=(form == "all") is wanted, wanted=wanted)
    if form == "positive":
        return [{name: 1} for name in body] if wanted else [dict.fromkeys(body, 0)]
    return [{body["input"]: value} for value in _nearest(form, body, values.get(body["input"]), wanted)]


def _ways_of_group(
    tests: Sequence[Mapping[str, Any]], values: Values, *, every: bool, wanted: bool
) -> list[dict[str, Any]]:
    target = Verdict.YES if wanted else Verdict.NO
    open_tests = [each for each in tests if evaluate(each, values) is not target]
    if not every:
        return [way for each in open_tests for way in ways(each, values, wanted)]
    found: list[dict[str, Any]] = []
    for combination in itertools.islice(itertools.product(*(ways(each, values, wanted) for each in open_tests)), 64):
        merged: dict[str, Any] = {}
        for way in combination:
            merged.update(way)
        found.append(merged)
    return found


def _nearest(form: str, body: Mapping[str, Any], value: Any, wanted: bool) -> list[Any]:
    """The nearest values of an input for which the comparison comes out as wanted."""
    if form == "one_of":
        return list(body["values"]) if wanted else []
    low, high = (_number(body.get("value", body.get(end, 0))) for end in ("low", "high"))
    if form == "at_least":
        return [low] if wanted else [low - 1]
    if form == "at_most":
        return [high] if wanted else [high + 1]
    if not wanted:
        return [low - 1, high + 1]
    if value is None:
        return [low, high]
    return [low] if value < low else [high]


def _number(stated: Any) -> Any:
    """A bound of a rule file: whole numbers stay whole, decimals are written as text there and stay exact."""
    return stated if isinstance(stated, int) else Decimal(str(stated))


_COMPARE: dict[str, Callable[[Any, Mapping[str, Any]], bool]] = {
    "at_least": lambda value, body: bool(value >= _number(body["value"])),
    "at_most": lambda value, body: bool(value <= _number(body["value"])),
    "between": lambda value, body: bool(_number(body["low"]) <= value <= _number(body["high"])),
    "one_of": lambda value, body: value in body["values"],
}


def _only(test: Mapping[str, Any]) -> tuple[str, Any]:
    if not isinstance(test, Mapping) or len(test) != 1:
        raise UnknownFormError(f"a test is one form with its body, not {test!r}")
    form, body = next(iter(test.items()))
    if form not in (*FLAG_FORMS, *GROUP_FORMS, *INPUT_FORMS, "not", "positive"):
        raise UnknownFormError(f"unknown form of test: {form}")
    return str(form), body
