"""Running the model of a loaded release on a matrix: values, bands, probabilities, sets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.models.errors import ModelFailed
from services.models.inference.novelty import is_novel
from services.models.inference.release import LoadedRelease
from services.models.inference.signature import Signature

Floats = NDArray[np.float64]
FEW = 64
"""Up to so many numbers Python's own loop takes less time than numpy needs to begin."""


@dataclass
class Computed:
    """One row a prediction. `low`/`high` for regressions, `probabilities` (n, k) for classifications."""

    values: Floats | None = None
    low: Floats | None = None
    high: Floats | None = None
    probabilities: Floats | None = None


def compute(release: LoadedRelease, matrix: NDArray[np.float32], options: Any = None) -> Computed:
    """`matrix` is (n, features) in the signature's order. Raises `ModelFailed` when an answer is not finite."""
    try:
        outputs = release.session.run(release.output_names, {release.input_name: matrix}, options)
    except Exception as wrong:
        if isinstance(wrong, MemoryError):
            raise
        raise ModelFailed(component=release.name, reason=type(wrong).__name__) from None
    if release.signature.task == "classification":
        probabilities = np.asarray(outputs[-1], dtype=np.float64).reshape(matrix.shape[0], -1)
        if not _finite(probabilities):
            raise ModelFailed(component=release.name, reason="非有限值 / not finite")
        return Computed(probabilities=probabilities)
    values = np.asarray(outputs[0], dtype=np.float64).reshape(-1)
    if not _finite(values):
        raise ModelFailed(component=release.name, reason="非有限值 / not finite")
    floor = release.intervals.get("minimum")
    if floor is not None:
        values = np.maximum(values, floor)
    low, high = _band(release, matrix, values)
    return Computed(values=values, low=low, high=high)


def _finite(values: Floats) -> bool:
    if values.size <= FEW:
        return all(map(isfinite, values.reshape(-1).tolist()))
    return bool(np.isfinite(values).all())


def _band(release: LoadedRelease, matrix: NDArray[np.float32], values: Floats) -> tuple[Floats | None, Floats | None]:
    """Conformal band: the calibrated offsets of the row's group, scaled by its difficulty when the card says so."""
    intervals = release.intervals
    if "low" not in intervals:
        return None, None
    groups = matrix[:, intervals["group_feature"]].astype(int) if "group_feature" in intervals else 0
    lower = np.asarray(intervals["low"], dtype=np.float64)[groups]
    upper = np.asarray(intervals["high"], dtype=np.float64)[groups]
    if "scale_slope" in intervals:
        scale = intervals["scale_base"] + intervals["scale_slope"] * np.abs(values)
        lower, upper = lower * scale, upper * scale
    low, high = values + lower, values + upper
    floor = intervals.get("minimum")
    if floor is not None:
        low = np.maximum(low, floor)
    return low, high


def out_of_range(release: LoadedRelease, matrix: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n, features) true where a value lies outside the trained range."""
    lows, highs = _limits(release.signature)
    return ~((matrix >= lows) & (matrix <= highs))


def unlike_training(release: LoadedRelease, matrix: NDArray[np.float32]) -> NDArray[np.bool_] | None:
    """(n,) true where a row is a combination that training never saw; None when the release cannot tell."""
    known = release.intervals.get("novelty")
    return None if known is None else is_novel(matrix, known)


@lru_cache(maxsize=256)
def _limits(signature: Signature) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    lows = np.array([-np.inf if each.minimum is None else each.minimum for each in signature.inputs])
    highs = np.array([np.inf if each.maximum is None else each.maximum for each in signature.inputs])
    # float32 inputs are compared with bounds that float32 can hold, widened by one step.
    low32 = np.nextafter(lows.astype(np.float32), np.float32(-np.inf))
    return low32, np.nextafter(highs.astype(np.float32), np.float32(np.inf))
