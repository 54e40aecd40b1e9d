"""Intervals cover as often as they say, on data made so that the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from services.models.training.conformal import (
    calibrated,
    factor_for_the_future,
    offsets_of,
    quantile,
    scale_of,
    set_figures,
    set_threshold,
)


def days(count: int, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    forecast = chance.uniform(2, 80, (count, 96))
    return forecast + noise * scale_of(forecast) * chance.normal(size=forecast.shape), forecast


def test_the_quantile_lies_a_little_beyond_its_level() -> None:
    scores = np.arange(1, 101, dtype=float)
    assert np.quantile(scores, 0.9) < quantile(scores, 0.9) < np.quantile(scores, 0.92)


def test_bands_cover_nine_tenths_of_days_they_never_saw() -> None:
    actual, forecast = days(120, 0.3, 0)
    later, ahead = days(60, 0.3, 1)
    low, high = offsets_of(actual, forecast, 0.9).band(ahead)
    # 5,760 values: the standard error of the share is 0.004.
    assert ((later >= low) & (later <= high)).mean() == pytest.approx(0.9, abs=0.02)


def test_a_process_that_grows_noisier_gets_wider_bands() -> None:
    months = [days(30, noise, seed) for seed, noise in enumerate((0.2, 0.25, 0.3, 0.35, 0.4))]
    assert factor_for_the_future(months, 0.9) > 1.1
    steady = [days(30, 0.3, seed) for seed in range(5)]
    assert factor_for_the_future(steady, 0.9) <= 1.03


def test_a_band_never_reaches_below_nought() -> None:
    offsets, _ = calibrated([days(30, 0.5, seed) for seed in range(4)], 0.9)
    low, high = offsets.band(np.full((1, 96), 1.0))
    assert (low >= 0).all()
    assert (high > low).all()


def test_sets_cover_nine_tenths_of_what_was_left_out() -> None:
    chance = np.random.default_rng(3)
    probabilities = chance.dirichlet(np.full(5, 0.7), size=4000)
    target = np.array([chance.choice(5, p=row) for row in probabilities])
    half = np.arange(4000) % 2 == 0
    folds = [(np.flatnonzero(half), np.flatnonzero(~half)), (np.flatnonzero(~half), np.flatnonzero(half))]
    figures = set_figures(probabilities, target, folds, 0.9)
    assert figures["set_coverage"] == pytest.approx(0.9, abs=0.02)
    assert 1 < figures["set_mean_size"] < 5
    threshold = set_threshold(probabilities[np.arange(4000), target], 0.9)
    assert 0 < threshold < 1
