"""What is counted of a release, wherever it is computed. Plain Python: the serving process counts with it too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

BUCKETS_MS = (0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
"""Upper ends of the classes of time; the last class is open."""
MOST_ROWS = 64
"""Of one call whose answer somebody waits for; of a larger one rows are taken at even distances."""


class Counts:
    """Counts of one release since they were last taken away."""

    def __init__(self, name: str, version: str, reference: Mapping[str, Any]) -> None:
        """`reference`: how its inputs and answers were spread in training; bins of the same edges are counted."""
        self.name, self.version, self.reference = name, version, reference
        self.clear()

    def clear(self) -> None:
        self.calls = self.errors = self.rows = self.outside = 0
        self.buckets = [0] * (len(BUCKETS_MS) + 1)
        self.features: dict[str, list[int]] = {}
        self.prediction: list[int] = []
        self.compared: dict[str, Any] = {}

    def as_json(self) -> dict[str, Any]:
        found = {
            "calls": self.calls, "errors": self.errors, "buckets": self.buckets, "rows": self.rows,
            "outside": self.outside, "features": self.features, "prediction": self.prediction,
            "compared": self.compared,
        }  # fmt: skip
        return {"component": self.name, "release": self.version, "counts": found}

    def spread_of(self, feature: str, counts: Iterable[Any]) -> None:
        """Adds how many values of a feature fell into each bin."""
        self.features[feature] = _added(self.features.get(feature), counts)

    def spread_of_answers(self, counts: Iterable[Any]) -> None:
        self.prediction = _added(self.prediction, counts)


def bucket(milliseconds: float) -> int:
    for place, bound in enumerate(BUCKETS_MS):
        if milliseconds <= bound:
            return place
    return len(BUCKETS_MS)


def _added(before: list[int] | None, counts: Iterable[Any]) -> list[int]:
    now = [int(each) for each in counts]
    if not before or len(before) != len(now):
        return now
    return [one + other for one, other in zip(before, now, strict=True)]
