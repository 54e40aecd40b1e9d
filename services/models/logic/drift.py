"""Whether what a release is asked, and what it answers, still looks like training: the population stability index, and
a two-sample test on the same bins. Plain Python, for the serving process."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

FEWEST_ROWS = 200
"""With fewer rows the index is mostly chance: it is about (bins - 1) x (1/n + 1/m) even when nothing moved."""
MOVED, WARNED = 0.25, 0.1
"""The usual reading of the index: below 0.1 stable, above 0.25 moved (Siddiqi 2006, Credit Risk Scorecards)."""
SURE = 0.001
_EMPTY = 1e-4
"""The least share of a bin, so that one that is empty on one side does not count for ever."""


@dataclass(frozen=True)
class Drift:
    psi: float
    statistic: float
    p: float
    rows: int
    verdict: str
    """few, stable, watch or moved."""


def drift(shares: Sequence[float], counts: Sequence[int], trained_rows: int, tests: int = 1) -> Drift:
    """`shares` of the bins in training, `counts` now. `tests`: how many such tests are read together (Bonferroni)."""
    rows = sum(counts)
    if not rows or len(shares) != len(counts):
        return Drift(0.0, 0.0, 1.0, rows, "few")
    now = [count / rows for count in counts]
    index = sum(_part(max(share, _EMPTY), max(other, _EMPTY)) for share, other in zip(shares, now, strict=True))
    statistic = _largest_gap(shares, now)
    p = kolmogorov_p(statistic, trained_rows, rows)
    return Drift(round(index, 4), round(statistic, 4), p, rows, _verdict(index, p * tests, rows))


def kolmogorov_p(statistic: float, one: int, other: int) -> float:
    """Probability of such a gap by chance, by the asymptotic series with Stephens' correction for small samples
    (Stephens 1970, J. R. Stat. Soc. B 32). Binned samples make it larger than it is: the test is on the safe side."""
    if one <= 0 or other <= 0:
        return 1.0
    root = math.sqrt(one * other / (one + other))
    scaled = (root + 0.12 + 0.11 / root) * statistic
    if scaled < 0.2:
        return 1.0
    series = (2.0 * (-1.0) ** (term - 1) * math.exp(-2 * term**2 * scaled**2) for term in range(1, 101))
    return float(min(max(sum(series), 0.0), 1.0))


def _part(share: float, other: float) -> float:
    return (other - share) * math.log(other / share)


def _largest_gap(shares: Sequence[float], now: Sequence[float]) -> float:
    one = other = largest = 0.0
    for first, second in zip(shares, now, strict=True):
        one, other = one + first, other + second
        largest = max(largest, abs(one - other))
    return largest


def _verdict(index: float, p: float, rows: int) -> str:
    if rows < FEWEST_ROWS:
        return "few"
    if p < SURE and index > MOVED:
        return "moved"
    return "watch" if p < SURE and index > WARNED else "stable"
