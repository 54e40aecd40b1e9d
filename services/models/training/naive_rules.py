"""The simple rules that a model must beat before anybody is asked to trust it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from services.models.training.learning_set import Floats, Ints, LearningSet, Said

RECENT = 0.1
"""The latest share of what was learnt from, whose level is a rule of its own."""

Answer = Callable[[LearningSet, Ints, Ints], Floats]
"""(data, rows learnt from, rows asked) -> (asked,) values or (asked, classes) probabilities."""


@dataclass(frozen=True)
class Rule:
    said: Said
    answer: Answer


def rules_for(data: LearningSet) -> list[Rule]:
    return list(_of_classes() if data.classification else _of_numbers(data))


def _of_classes() -> Iterator[Rule]:
    yield Rule(Said("总按各类的平时占比", "always the classes' usual shares"), _usual_shares)


def _of_numbers(data: LearningSet) -> Iterator[Rule]:
    yield Rule(Said("总取平均值", "always the mean"), _constant(np.mean))
    yield Rule(Said("总取中位数", "always the median"), _constant(np.median))
    if data.when is not None:
        yield Rule(Said("总取最近一段的中位数", "always the median of the latest part"), _recent)
        if not data.gap and not data.facts.get("target_unknown_online"):
            yield Rule(Said("总取上一次的值", "always the last value"), _last)
    for place, column in enumerate(data.columns):
        if not column.choices and not column.meaning.zh:
            yield Rule(Said(f"直接取「{column.title}」", f"simply “{column.title}”"), _column(place))
    for row_rule in data.rules:
        yield Rule(row_rule.said, _given(row_rule.values))


def proportional(data: LearningSet) -> list[Rule]:
    """One number times a column, for each column that could be what the target is a share of."""
    found = []
    for place, column in enumerate(data.columns):
        values = data.matrix[:, place]
        if not column.choices and np.nanmin(values) >= 0 and np.nanmean(values >= data.target) > 0.99:
            said = Said(f"「{column.title}」乘以平均比率", f"“{column.title}” times the mean rate")
            found.append(Rule(said, _rate(place)))
    return found


def _usual_shares(data: LearningSet, learn: Ints, asked: Ints) -> Floats:
    shares = np.bincount(data.target[learn].astype(np.int64), minlength=len(data.classes)) / learn.size
    return np.repeat(shares[None, :], asked.size, axis=0)


def _constant(of: Callable[[Floats], np.floating]) -> Answer:
    return lambda data, learn, asked: np.full(asked.size, float(of(data.target[learn])))


def _recent(data: LearningSet, learn: Ints, asked: Ints) -> Floats:
    latest = np.sort(learn)[-max(5, round(learn.size * RECENT)) :]
    return np.full(asked.size, float(np.median(data.target[latest])))


def _last(data: LearningSet, learn: Ints, asked: Ints) -> Floats:
    """The target of the latest row with an earlier stamp."""
    assert data.when is not None
    before = np.searchsorted(data.when, data.when[asked], side="left") - 1
    found: Floats = data.target[np.maximum(before, 0)]
    return found


def _column(place: int) -> Answer:
    def answer(data: LearningSet, learn: Ints, asked: Ints) -> Floats:
        usual = float(np.nanmedian(data.matrix[learn, place]))
        found: Floats = np.nan_to_num(data.matrix[asked, place].astype(np.float64), nan=usual)
        return found

    return answer


def _given(values: Floats) -> Answer:
    def answer(data: LearningSet, learn: Ints, asked: Ints) -> Floats:
        usual = float(np.median(data.target[learn]))
        found: Floats = np.nan_to_num(values[asked], nan=usual)
        return found

    return answer


def _rate(place: int) -> Answer:
    def answer(data: LearningSet, learn: Ints, asked: Ints) -> Floats:
        exposure = np.nan_to_num(data.matrix[:, place].astype(np.float64))
        total = float(exposure[learn].sum())
        found: Floats = exposure[asked] * (float(data.target[learn].sum()) / total if total else 0.0)
        return found

    return answer
