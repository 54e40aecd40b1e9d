"""Weibull lives and age replacement against published figures, scipy and numerical search."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from services.models.tools.weibull import (
    cost_rate,
    fitted,
    optimal_age,
    time_in_use,
    weibull_replacement,
)

# Lives of 23 ball bearings in million revolutions, Lieblein and Zelen 1956.
BEARINGS = [
    17.88, 28.92, 33.00, 41.52, 42.12, 45.60, 48.40, 51.84, 51.96, 54.12, 55.56, 67.80, 68.64, 68.64, 68.88, 84.12, 93.12,
    98.64, 105.12, 105.84, 127.92, 128.04, 173.40,
]  # fmt: skip


def test_the_published_bearings_have_a_shape_of_2_10_and_a_scale_of_81_9() -> None:
    outputs = weibull_replacement(BEARINGS, [0], 400, 2000).outputs
    assert outputs["beta"] == pytest.approx(2.10, abs=0.005)
    assert outputs["eta"] == pytest.approx(81.9, abs=0.05)


def test_censored_lives_agree_with_scipy() -> None:
    random = np.random.default_rng(7)
    lives = 1000 * random.weibull(2.5, 40)
    taken_out = random.uniform(300, 1500, 40)
    times, flags = np.minimum(lives, taken_out), lives > taken_out
    assert 8 < flags.sum() < 32
    fit = fitted(list(times), list(~flags))
    shape, _, scale = stats.weibull_min.fit(stats.CensoredData.right_censored(times, flags), floc=0)
    assert fit.shape == pytest.approx(shape, rel=1e-4)
    assert fit.scale == pytest.approx(scale, rel=1e-4)


def test_the_unit_of_the_lives_changes_nothing_but_the_unit() -> None:
    hours, seconds = (weibull_replacement([time * by for time in BEARINGS], [0], 4, 20).outputs for by in (1, 3600))
    assert seconds["beta"] == pytest.approx(hours["beta"], abs=1e-6)
    assert seconds["optimal_interval"] == pytest.approx(3600 * hours["optimal_interval"], rel=1e-6)


def test_the_interval_of_the_shape_holds_the_truth_nine_times_in_ten() -> None:
    random = np.random.default_rng(19)
    held = 0
    for _ in range(400):
        fit = fitted(list(random.weibull(2, 40)), [True] * 40)
        held += fit.low <= 2 <= fit.high
    # Standard deviation of the count is 6; the approximation is a little too narrow.
    assert 340 <= held <= 378


@pytest.mark.parametrize("shape", [0.7, 1.0, 1.05, 2.0, 8.0, 50.0])
@pytest.mark.parametrize("age", [0.01, 0.3, 1.0, 2.5, 5.0])
def test_time_in_use_is_the_integral_of_survival(shape: float, age: float) -> None:
    wanted, _ = integrate.quad(lambda at: math.exp(-(at**shape)), 0, age, points=[min(age, 1)], epsabs=1e-13)
    assert time_in_use(age, shape) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("shape", [1.5, 2.0, 3.5, 8.0])
@pytest.mark.parametrize("ratio", [0.02, 0.2, 0.6])
def test_the_age_found_is_the_cheapest(shape: float, ratio: float) -> None:
    age = optimal_age(shape, ratio)
    assert age is not None
    found = optimize.minimize_scalar(
        lambda at: cost_rate(at, shape, ratio, 1), bounds=(age / 3, age * 3), method="bounded", options={"xatol": 1e-9}
    )
    assert age == pytest.approx(found.x, rel=1e-5)


def test_costs_are_those_of_the_renewal_formula() -> None:
    outputs = weibull_replacement(BEARINGS, [0], 400, 2000).outputs
    shape, scale, age = outputs["beta"], outputs["eta"], outputs["optimal_interval"]
    used, _ = integrate.quad(lambda at: math.exp(-((at / scale) ** shape)), 0, age)
    reached = math.exp(-((age / scale) ** shape))
    assert outputs["cost_at_interval"] == pytest.approx((400 * reached + 2000 * (1 - reached)) / used, rel=1e-5)
    assert outputs["cost_at_failure"] == pytest.approx(2000 / outputs["mean_life"], rel=1e-5)
    assert outputs["failed_before_percent"] == pytest.approx(100 * (1 - reached), rel=1e-5)


def test_a_tenth_has_failed_at_the_b10_life() -> None:
    outputs = weibull_replacement(BEARINGS, [0], 400, 2000).outputs
    assert math.exp(-((outputs["b10_life"] / outputs["eta"]) ** outputs["beta"])) == pytest.approx(0.9, abs=1e-6)


@pytest.mark.parametrize(("shape", "ratio"), [(1.0, 0.1), (0.6, 0.1), (3.0, 1.0), (3.0, 2.0)])
def test_without_wear_or_gain_nothing_is_replaced_early(shape: float, ratio: float) -> None:
    assert optimal_age(shape, ratio) is None


def test_early_failures_are_sent_to_fitting_not_to_the_calendar() -> None:
    answer = weibull_replacement([3, 8, 15, 30, 60, 120, 300, 700, 1500, 2600], [0], 300, 1500)
    assert answer.outputs["beta_high"] < 1
    assert "optimal_interval" not in answer.outputs
    assert "早期失效" in answer.notes[0]["zh"]


def test_a_saving_not_worth_its_trouble_gives_no_interval() -> None:
    answer = weibull_replacement(BEARINGS, [0], 1500, 2000)
    assert "optimal_interval" not in answer.outputs
    assert "不值得" in answer.notes[1]["zh"]


@pytest.mark.parametrize(
    ("times", "censored", "costs"),
    [
        ([5.0, 6.0], [0.0], (1, 2)), ([5.0, 5.0, 5.0], [0.0], (1, 2)), ([5.0, 6.0, 0.0], [0.0], (1, 2)),
        ([5.0, 6.0, 7.0], [0.0, 1.0], (1, 2)), ([5.0, 6.0, 7.0], [0.0, 1.0, 2.0], (1, 2)), ([5.0, 6.0, 7.0], [1.0], (1, 2)),
        ([5.0, 6.0, 7.0], [0.0], (0, 2)), ([5.0, 5.0001, 5.0002], [0.0], (1, 2)),
    ],
)  # fmt: skip
def test_lives_that_cannot_be_fitted_are_refused(
    times: list[float], censored: list[float], costs: tuple[float, float]
) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        weibull_replacement(times, censored, *costs)
