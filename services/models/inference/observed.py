"""Rows that a release computed become counts of it: in the runner of what it set aside, in the worker of every row."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from services.models.inference.compute import out_of_range
from services.models.inference.counts import Counts
from services.models.inference.reference import counted
from services.models.inference.release import LoadedRelease
from services.models.inference.seen import MOST_CALLS, Seen


class Observed(Counts):
    """Counts of one release, and what it computed lately."""

    def __init__(self, release: LoadedRelease) -> None:
        super().__init__(release.name, release.version, release.about.reference)
        self.about = release.about
        self.seen: deque[Seen] = deque(maxlen=MOST_CALLS)


def count(observed: Observed, seen: Sequence[Seen]) -> None:
    """Adds the rows of `seen`, which holds one call at least."""
    matrix = np.concatenate([each.matrix for each in seen])
    observed.rows += matrix.shape[0]
    release = LoadedRelease(observed.about)
    observed.outside += int(out_of_range(release, matrix).any(axis=1).sum())
    features: Mapping[str, Any] = observed.reference.get("features", {})
    for place, feature in enumerate(observed.about.signature.inputs):
        if feature.name in features:
            observed.spread_of(feature.name, counted(matrix[:, place], features[feature.name]["edges"]))
    answers = np.concatenate([each.answers for each in seen])
    spread = observed.reference.get("prediction")
    if answers.ndim == 2:
        observed.spread_of_answers(np.bincount(np.argmax(answers, axis=1), minlength=answers.shape[1]))
    elif spread is not None and "edges" in spread:
        observed.spread_of_answers(counted(answers, spread["edges"]))


def all_of(seen: deque[Seen]) -> list[Seen]:
    """Takes away what was set aside."""
    found = []
    while seen:
        found.append(seen.popleft())
    return found
