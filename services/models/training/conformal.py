"""Intervals and sets that cover as often as they say, from errors that the model made on what it had not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NEIGHBOURS = 4
SCALE_BASE, SCALE_SLOPE = 3.0, 0.5
"""Half of a band grows with the forecast: errors are about half of it, and 3 kWh where it is nearly nothing."""


def quantile(scores: Floats, level: float) -> float:
    """The split-conformal quantile: a little beyond `level`, since the sample is finite."""
    return float(np.quantile(scores, min(1.0, level * (1 + 1 / scores.size))))


@dataclass(frozen=True)
class Offsets:
    """What is added to a forecast of each slot, in units of its scale, for the lower and the upper end."""

    low: Floats
    high: Floats

    def band(self, forecast: Floats) -> tuple[Floats, Floats]:
        """`forecast` is (days, slots). Consumption is never negative."""
        scale = scale_of(forecast)
        return np.maximum(forecast + self.low * scale, 0.0), forecast + self.high * scale

    def widened(self, factor: float) -> Offsets:
        return Offsets(self.low * factor, self.high * factor)

    def as_json(self) -> dict[str, Any]:
        return {
            "low": [round(float(each), 6) for each in self.low],
            "high": [round(float(each), 6) for each in self.high],
            "scale_base": SCALE_BASE,
            "scale_slope": SCALE_SLOPE,
        }


def scale_of(forecast: Floats) -> Floats:
    return SCALE_BASE + SCALE_SLOPE * np.abs(forecast)


def offsets_of(actual: Floats, forecast: Floats, coverage: float) -> Offsets:
    """From (days, slots) of forecasts that had not seen `actual`; each slot pools the errors of its neighbours."""
    scaled = (actual - forecast) / scale_of(forecast)
    slots = scaled.shape[1]
    level = 1 - (1 - coverage) / 2
    low, high = np.empty(slots), np.empty(slots)
    for slot in range(slots):
        near = [(slot + shift) % slots for shift in range(-NEIGHBOURS, NEIGHBOURS + 1)]
        pool = scaled[:, near].reshape(-1)
        high[slot], low[slot] = quantile(pool, level), -quantile(-pool, level)
    return Offsets(low, high)


def factor_for_the_future(months: Sequence[tuple[Floats, Floats]], coverage: float, fewest: int = 2) -> float:
    """By how much bands of the past must be widened to cover the next month: consumption drifts, they are too narrow.

    `months` are (actual, forecast), oldest first; each month from the third on is judged by the bands of those before.
    """
    judged = []
    for place in range(fewest, len(months)):
        actual, forecast = (np.vstack(parts) for parts in zip(*months[:place], strict=True))
        judged.append((offsets_of(actual, forecast, coverage), *months[place]))
    factor = 1.0
    while judged and factor < 2.0 and _covered(judged, factor) < coverage:
        factor += 0.01
    return round(factor, 2)


def _covered(judged: Sequence[tuple[Offsets, Floats, Floats]], factor: float) -> float:
    hits = []
    for offsets, actual, forecast in judged:
        low, high = offsets.widened(factor).band(forecast)
        hits.append(((actual >= low) & (actual <= high)).reshape(-1))
    return float(np.concatenate(hits).mean())


def calibrated(months: Sequence[tuple[Floats, Floats]], coverage: float) -> tuple[Offsets, float]:
    """The offsets from all months, widened for the future, and the factor."""
    actual, forecast = (np.vstack(parts) for parts in zip(*months, strict=True))
    factor = factor_for_the_future(months, coverage)
    return offsets_of(actual, forecast, coverage).widened(factor), factor


def set_threshold(probability_of_truth: Floats, coverage: float) -> float:
    """A class belongs to the set when 1 - its probability is at most this."""
    return quantile(1 - probability_of_truth, coverage)


def set_figures(
    probabilities: Floats, target: NDArray[np.int64], folds: Sequence[tuple[Any, Any]], coverage: float
) -> Mapping[str, float]:
    """Coverage and mean size of the sets, each fold judged by the threshold of the others."""
    own = probabilities[np.arange(len(target)), target]
    covered, sizes = [], []
    for train, test in folds:
        threshold = set_threshold(own[train], coverage)
        covered.append(1 - own[test] <= threshold)
        sizes.append((1 - probabilities[test] <= threshold).sum(axis=1))
    return {
        "set_coverage": round(float(np.concatenate(covered).mean()), 4),
        "set_mean_size": round(float(np.concatenate(sizes).mean()), 2),
    }
