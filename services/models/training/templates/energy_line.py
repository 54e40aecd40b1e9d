"""The straight line of an energy baseline: least squares, what it expects, and how sure a sum of days is.

Residual variance enlarged for autocorrelation as in ASHRAE Guideline 14, n' = n * (1 - rho) / (1 + rho).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from services.models.training.learning_set import Floats

MOST_DAYS = 3650


@dataclass(frozen=True)
class Line:
    """Least squares on the baseline: coefficients (constant first) and what its uncertainty needs."""

    weights: Floats
    inverse: Floats
    """(X'X)^-1."""
    residual: float
    """Standard error of a day."""
    rho: float
    """Correlation of a day's residual with the next day's, not below 0."""
    freedom: float
    r2: float
    cv_rmse: float

    def expected(self, drivers: Floats) -> Floats:
        found: Floats = _design(drivers) @ self.weights
        return found


def _design(drivers: Floats) -> Floats:
    return np.column_stack([np.ones(len(drivers)), drivers])


def fit(drivers: Floats, energy: Floats) -> Line:
    x = _design(drivers)
    # Tonnes stand beside a one: columns are brought to one size before anything is inverted.
    size = np.maximum(np.abs(x).max(axis=0), 1e-12)
    inverse: Floats = np.asarray(np.linalg.pinv((x / size).T @ (x / size)) / np.outer(size, size), dtype=np.float64)
    weights: Floats = np.asarray(inverse @ x.T @ energy, dtype=np.float64)
    left = energy - x @ weights
    rho = float(np.clip(np.corrcoef(left[1:], left[:-1])[0, 1], 0.0, 0.95)) if left.std() > 0 else 0.0
    parameters = int(np.linalg.matrix_rank(x / size))
    effective = len(energy) * (1 - rho) / (1 + rho)
    freedom = max(effective - parameters, 2.0)
    residual = float(np.sqrt((left**2).sum() / max(len(energy) - parameters, 1)))
    spread = float(((energy - energy.mean()) ** 2).sum())
    r2 = 1 - float((left**2).sum()) / spread if spread else 0.0
    return Line(weights, inverse, residual, rho, freedom, r2, residual / max(abs(float(energy.mean())), 1e-12))


@dataclass(frozen=True)
class Saving:
    total: float
    """Expected minus actual, in the energy's unit."""
    half: float
    """Half width of its interval."""
    expected: float
    days: int

    @property
    def shown(self) -> bool:
        return abs(self.total) > self.half


def saving(line: Line, drivers: Floats, energy: Floats, coverage: float) -> Saving:
    expected = line.expected(drivers)
    half = half_width(line, _design(drivers).sum(axis=0), len(energy), coverage)
    return Saving(float((expected - energy).sum()), half, float(expected.sum()), len(energy))


def half_width(line: Line, summed: Floats, days: int, coverage: float) -> float:
    """Of the sum over `days` days whose design rows sum to `summed`: their own scatter and that of the coefficients,
    both enlarged by the autocorrelation of the residuals."""
    inflated = line.residual**2 * (1 + line.rho) / (1 - line.rho)
    variance = inflated * (days + float(summed @ line.inverse @ summed))
    return float(student.ppf(0.5 + coverage / 2, line.freedom) * np.sqrt(variance))


def days_needed(line: Line, typical: Floats, percent: float, expected_a_day: float, coverage: float) -> int | None:
    """Days of reporting after which the sum is known to +-`percent` of the expected energy, or None: never, since the
    baseline itself is too uncertain."""
    row = np.concatenate([[1.0], typical])
    for days in range(1, MOST_DAYS + 1):
        if 100 * half_width(line, row * days, days, coverage) <= percent * expected_a_day * days:
            return days
    return None
