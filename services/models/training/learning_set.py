"""What a model learns from: a matrix of known columns, the target, and in which order and groups the rows came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Said:
    """A sentence or a name in both languages."""

    zh: str
    en: str

    def as_json(self) -> dict[str, str]:
        return {"zh": self.zh, "en": self.en}


@dataclass(frozen=True)
class Column:
    title: str
    unit: str = ""
    choices: tuple[str, ...] = ()
    """Of a column of words: the matrix holds the place in this list."""
    meaning: Said = Said("", "")
    """How the caller gets the value, where it is not simply a column of the file."""
    source: str = ""
    """The file's column that it is computed from; empty when it is the column itself."""


@dataclass(frozen=True)
class RowRule:
    """A simple rule whose answer for each row is known before anything is learnt, such as the plan or last week."""

    said: Said
    values: Floats


@dataclass(frozen=True)
class LearningSet:
    """Rows in the order of time where there is a time. A missing value is NaN; a word is its place in `choices`."""

    columns: tuple[Column, ...]
    matrix: NDArray[np.float32]
    target: Floats
    """Numbers of a regression, places in `classes` of a classification."""
    classes: tuple[str, ...] = ()
    when: Floats | None = None
    """Seconds, or any number that grows with time; ascending."""
    groups: Ints | None = None
    rules: tuple[RowRule, ...] = ()
    notes: tuple[Said, ...] = ()
    """What was left out, filled or changed before learning."""
    gap: int = 0
    """Rows between what is learnt from and what is tested, where a row's features reach into its neighbours."""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return int(self.target.size)

    @property
    def classification(self) -> bool:
        return bool(self.classes)

    def part(self, rows: Ints) -> LearningSet:
        return replace(
            self,
            matrix=self.matrix[rows],
            target=self.target[rows],
            when=None if self.when is None else self.when[rows],
            groups=None if self.groups is None else self.groups[rows],
            rules=tuple(RowRule(each.said, each.values[rows]) for each in self.rules),
        )

    def with_columns(self, columns: Sequence[Column], matrix: Floats) -> LearningSet:
        return replace(self, columns=tuple(columns), matrix=matrix.astype(np.float32))


def distinct_in_single_precision(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each column on a grid so coarse that the middle between two neighbours is a float32 as well: what is learnt in
    double precision then splits the rows as the exported model does. The grid is two millionths of the largest value."""
    largest = np.nan_to_num(np.nanmax(np.abs(matrix.astype(np.float64)), axis=0)) if matrix.size else np.zeros(0)
    step = 2.0 ** np.ceil(np.log2(np.maximum(largest, 1e-30)) - 20)
    found: NDArray[np.float32] = (np.round(matrix.astype(np.float64) / step) * step).astype(np.float32)
    return found
