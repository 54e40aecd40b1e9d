"""Is it better by more than chance: the paired difference of two answers' losses on the same unseen rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm as normal
from scipy.stats import t as student

from services.models.training.learning_set import Floats, Ints

DRAWS = 4000
MOST_DRAWN = 1000
"""With more units than this their mean is as good as normal, and drawing them would only take memory."""
SURE = 0.95
SEED = 7


@dataclass(frozen=True)
class Difference:
    """Mean loss of the model minus that of the rule, and its interval. Below zero is better."""

    mean: float
    low: float
    high: float
    model: float
    naive: float
    rows: int
    units: int
    """How many independent parts the interval rests on."""
    sure: float = SURE

    @property
    def better(self) -> bool:
        return self.high < 0

    def as_json(self) -> dict[str, Any]:
        return {
            "mean": shortened(self.mean),
            "low": shortened(self.low),
            "high": shortened(self.high),
            "units": self.units,
            "sure": round(self.sure, 4),
        }


def difference(model: Floats, naive: Floats, units: Ints, sure: float = SURE) -> Difference:
    """`model` and `naive` are losses by row. Whole units are drawn with replacement, since their rows err together; the
    percentiles are widened as Student's are beside the normal's, since units may be few. One unit alone proves nothing:
    its interval is far wider than anything."""
    _, places = np.unique(units, return_inverse=True)
    count = int(places.max()) + 1
    sums = np.bincount(places, weights=model - naive)
    sizes = np.bincount(places).astype(np.float64)
    mean = float(sums.sum() / sizes.sum())
    facts = (float(model.mean()), float(naive.mean()), model.size, count, sure)
    if count < 2:
        far = 1e6 * max(abs(mean), 1.0)
        return Difference(mean, mean - far, mean + far, *facts)
    if count > MOST_DRAWN:
        spread = float(np.sqrt((((sums - mean * sizes) / sizes.mean()) ** 2).mean() / count))
        half = float(student.ppf(0.5 + sure / 2, count - 1)) * spread
        return Difference(mean, mean - half, mean + half, *facts)
    random = np.random.default_rng(SEED)
    drawn = random.integers(0, count, size=(DRAWS, count))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.5 - sure / 2, 0.5 + sure / 2])
    wider = float(student.ppf(0.5 + sure / 2, count - 1) / normal.ppf(0.5 + sure / 2) * np.sqrt(count / (count - 1)))
    return Difference(mean, mean + float(low - mean) * wider, mean + float(high - mean) * wider, *facts)


def shortened(value: float) -> float:
    """Four significant digits: more would claim what no test has shown."""
    return float(f"{value:.4g}")
