"""Why a model says what it says: each feature set to its typical value, one at a time, in one run of the model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.models.errors import BadInstances
from services.models.inference.compute import Computed, compute
from services.models.inference.release import LoadedRelease

MOST_EXPLAINED = 100


def contributions(
    release: LoadedRelease, matrix: NDArray[np.float32], computed: Computed, options: Any = None
) -> list[dict[str, float]]:
    """For each row: feature -> answer minus the answer with that feature at its typical value; largest first.

    The answer is the value of a regression and the probability of the most likely class of a classification. Effects of
    features that act together are not split, so the numbers need not add up.
    """
    rows, width = matrix.shape
    if rows > MOST_EXPLAINED:
        said = (
            f"解释最多 {MOST_EXPLAINED} 条，收到 {rows} / at most {MOST_EXPLAINED} instances are explained, got {rows}"
        )
        raise BadInstances(errors={"explain": [said]})
    usual = [(column, each.typical) for column, each in enumerate(release.signature.inputs) if each.typical is not None]
    if not usual:
        return [{} for _ in range(rows)]
    changed = np.repeat(matrix, len(usual), axis=0).reshape(rows, len(usual), width)
    for place, (column, value) in enumerate(usual):
        changed[:, place, column] = value
    others = compute(release, changed.reshape(-1, width), options)
    if computed.probabilities is not None and others.probabilities is not None:
        top = computed.probabilities.argmax(axis=1)
        answers = computed.probabilities[np.arange(rows), top]
        moved = others.probabilities.reshape(rows, len(usual), -1)[np.arange(rows), :, top]
    else:
        answers = np.asarray(computed.values)
        moved = np.asarray(others.values).reshape(rows, len(usual))
    difference = answers[:, None] - moved
    names = [release.signature.inputs[column].name for column, _ in usual]
    found = []
    for row in difference:
        order = np.argsort(-np.abs(row), kind="stable")
        found.append({names[place]: round(float(row[place]), 6) for place in order if abs(row[place]) > 1e-9})
    return found
