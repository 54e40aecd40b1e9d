"""What the serving process counts of components that are a provider's own service, by the rule of the runner."""

from __future__ import annotations

import bisect
import ctypes
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from services.models.inference.counts import MOST_ROWS, Counts, bucket
from services.models.inference.release import ReleaseFolder
from services.models.inference.signature import Feature


class EndpointCounts:
    """Counts of each release since they were last taken away. Any number of threads may count."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], Counts] = {}
        self._lock = threading.Lock()

    def called(self, about: ReleaseFolder, seconds: float, *, failed: bool) -> None:
        """`failed`: whether the service is to blame that there is no answer."""
        with self._lock:
            counts = self._of(about)
            counts.calls += 1
            counts.errors += failed
            counts.buckets[bucket(seconds * 1000)] += 1

    def answered(
        self, about: ReleaseFolder, instances: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]
    ) -> None:
        """The rows of one call, at even distances when it has more than `MOST_ROWS`."""
        step = -(-len(instances) // MOST_ROWS)
        with self._lock:
            count_rows(self._of(about), about, instances[::step], predictions[::step])

    def taken(self) -> dict[str, Any]:
        """All counts since the last time, which start anew."""
        found = []
        with self._lock:
            for counts in self._counts.values():
                if counts.calls:
                    found.append(counts.as_json())
                    counts.clear()
        return {"source": "http", "observed": found, "logged": []}

    def _of(self, about: ReleaseFolder) -> Counts:
        key = (about.name, about.version)
        if key not in self._counts:
            self._counts[key] = Counts(about.name, about.version, about.reference)
        return self._counts[key]


def count_rows(
    counts: Counts,
    about: ReleaseFolder,
    instances: Sequence[Mapping[str, Any]],
    predictions: Sequence[Mapping[str, Any]],
) -> None:
    """Adds rows of `about` and their answers. `instances` hold every feature, as they were checked."""
    counts.rows += len(instances)
    counts.outside += sum(not each["in_range"] for each in predictions)
    features = counts.reference.get("features", {})
    for feature in about.signature.inputs:
        if feature.name in features and (feature.numeric or feature.choices):
            values = [_number(feature, each[feature.name]) for each in instances]
            counts.spread_of(feature.name, _binned(values, features[feature.name].get("edges", ())))
    classes, spread = about.signature.classes, counts.reference.get("prediction") or {}
    answers = [each["value"] for each in predictions]
    if classes:
        counts.spread_of_answers([answers.count(each) for each in classes])
    elif "edges" in spread:
        counts.spread_of_answers(_binned(answers, spread["edges"]))


def _number(feature: Feature, value: Any) -> float:
    """A word counts by its place among the choices, as models see it."""
    return float(feature.choices.index(value)) if feature.choices else float(value)


def _binned(values: Sequence[float], edges: Sequence[float]) -> list[int]:
    """How many values fall into each bin, in single precision as the edges were made. A value on an edge belongs to
    the bin below it."""
    single = [ctypes.c_float(each).value for each in edges]
    found = [0] * (len(edges) + 1)
    for value in values:
        found[bisect.bisect_left(single, ctypes.c_float(value).value)] += 1
    return found
