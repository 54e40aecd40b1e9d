"""Scores as the cards state them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def regression(actual: Floats, predicted: Floats) -> dict[str, float]:
    """MAE and RMSE in the target's unit, WAPE in percent."""
    error = predicted - actual
    return {
        "mae": round(float(np.abs(error).mean()), 3),
        "rmse": round(float(np.sqrt((error**2).mean())), 3),
        "wape_percent": round(float(100 * np.abs(error).sum() / np.abs(actual).sum()), 2),
    }


def f1_by_class(actual: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> list[float]:
    """A class never predicted and never present counts 0."""
    found = []
    for each in range(classes):
        hit = float(((predicted == each) & (actual == each)).sum())
        wrong = float(((predicted == each) != (actual == each)).sum())
        found.append(2 * hit / (2 * hit + wrong) if hit or wrong else 0.0)
    return found


def classification(actual: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> dict[str, float]:
    """Accuracy, and F1 averaged over classes."""
    f1 = f1_by_class(actual, predicted, classes)
    return {"accuracy": round(float((predicted == actual).mean()), 4), "macro_f1": round(float(np.mean(f1)), 4)}


def coverage(actual: Floats, low: Floats, high: Floats) -> float:
    return round(float(((actual >= low) & (actual <= high)).mean()), 4)
