"""Bands and sets for a model of a firm's own data, and how often they held on rows that nothing had seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from services.models.training.conformal import quantile
from services.models.training.learning_set import Floats

MOST_WIDENED = 3.0


def offsets(errors: Floats, coverage: float) -> tuple[float, float]:
    """What is added to a value for the lower and the upper end, from errors (actual minus predicted) on unseen rows."""
    level = 1 - (1 - coverage) / 2
    return -quantile(-errors, level), quantile(errors, level)


def widening(parts: Sequence[Floats], coverage: float, fewest: int = 2) -> float:
    """By how much bands of the past must be widened to cover what comes next.

    `parts` are errors, oldest first; each from the third on is judged by the bands of those before it.
    """
    judged = [
        (offsets(np.concatenate(parts[:place]), coverage), parts[place])
        for place in range(fewest, len(parts))
        if np.concatenate(parts[:place]).size >= 20
    ]
    factor = 1.0
    while judged and factor < MOST_WIDENED and _covered(judged, factor) < coverage:
        factor += 0.02
    return round(factor, 2)


def _covered(judged: Sequence[tuple[tuple[float, float], Floats]], factor: float) -> float:
    hits = [(errors >= low * factor) & (errors <= high * factor) for (low, high), errors in judged]
    return float(np.concatenate(hits).mean())
