"""Kleene's three values. What is not known never becomes yes."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        # `if verdict:` would take "unknown" for true: ask for the value that is meant.
        raise TypeError("a verdict has three values; compare it with Verdict.YES, NO or UNKNOWN")


def of(value: bool | None) -> Verdict:
    if value is None:
        return Verdict.UNKNOWN
    return Verdict.YES if value else Verdict.NO


def negation(one: Verdict) -> Verdict:
    if one is Verdict.UNKNOWN:
        return Verdict.UNKNOWN
    return Verdict.NO if one is Verdict.YES else Verdict.YES


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """No as soon as one is no, else unknown as soon as one is unknown, else yes. All are looked at."""
    seen = set(verdicts)
    if Verdict.NO in seen:
        return Verdict.NO
    return Verdict.UNKNOWN if Verdict.UNKNOWN in seen else Verdict.YES


def any_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Yes as soon as one is yes, else unknown as soon as one is unknown, else no."""
    seen = set(verdicts)
    if Verdict.YES in seen:
        return Verdict.YES
    return Verdict.UNKNOWN if Verdict.UNKNOWN in seen else Verdict.NO
