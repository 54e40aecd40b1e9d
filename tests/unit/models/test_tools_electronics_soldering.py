"""A reflow profile of straight lines, whose figures are known by hand."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from services.models.tools.electronics_soldering import reflow_window

WINDOWS = {
    "liquidus_c": 217, "peak_low_c": 235, "peak_high_c": 250, "above_liquidus_low_s": 45, "above_liquidus_high_s": 90,
    "ramp_limit_c_s": 3, "soak_from_c": 150, "soak_to_c": 200, "soak_low_s": 60, "soak_high_s": 120,
}  # fmt: skip
CORNERS = [(0, 30), (60, 150), (150, 200), (190, 240), (210, 240), (290, 80)]
"""2 degC/s to 150, 90 s of soak, 1 degC/s to 240, 20 s there, 2 degC/s down."""


def profile(corners: list[tuple[float, float]], step: float = 5.0) -> dict[str, Any]:
    times, temperatures = [], []
    for (start, cold), (end, hot) in pairwise(corners):
        for count in range(round((end - start) / step)):
            times.append(start + count * step)
            temperatures.append(cold + (hot - cold) * count * step / (end - start))
    times.append(corners[-1][0])
    temperatures.append(corners[-1][1])
    return {"time_s": times, "temperature_c": temperatures}


def test_peak_soak_ramp_and_time_above_liquidus_of_straight_lines() -> None:
    outputs = reflow_window(**profile(CORNERS), **WINDOWS).outputs
    assert outputs["peak_c"] == pytest.approx(240)
    assert outputs["soak_s"] == pytest.approx(90)
    assert outputs["ramp_c_s"] == pytest.approx(2)
    assert outputs["cooling_c_s"] == pytest.approx(2)
    # 23 degC above liquidus: 23 s up, 20 s at the peak, 11.5 s down.
    assert outputs["above_liquidus_s"] == pytest.approx(54.5)
    assert outputs["windows_held"] == 4


def test_the_index_is_that_of_the_figure_nearest_to_its_edge() -> None:
    # Peak |2 (240 - 242.5) / 15| = 33, above liquidus |2 (54.5 - 67.5) / 45| = 58, soak 0, ramp 33.
    answer = reflow_window(**profile(CORNERS), **WINDOWS)
    assert answer.outputs["pwi_percent"] == pytest.approx(2 * 13 / 45 * 100, abs=1e-4)
    assert "先动液相以上时间" in answer.notes[0]["zh"]


def test_a_short_soak_decides_where_it_is_nearest_to_its_edge() -> None:
    # A peak of 246 in 235 to 250 is 47, a soak of 70 s in 60 to 120 is 67, and 67 counts.
    corners = [(0, 30), (60, 150), (130, 200), (130 + 46, 246), (130 + 46 + 29, 246), (130 + 46 + 29 + 52, 142)]
    outputs = reflow_window(**profile(corners, 1.0), **WINDOWS).outputs
    # 29 s up, 29 s at the peak, 14.5 s down.
    assert outputs["above_liquidus_s"] == pytest.approx(72.5)
    assert outputs["pwi_percent"] == pytest.approx(200 * 20 / 60, abs=1e-4)


def test_coarse_and_fine_samples_of_one_profile_agree() -> None:
    fine = reflow_window(**profile(CORNERS, 1.0), **WINDOWS).outputs
    coarse = reflow_window(**profile(CORNERS, 10.0), **WINDOWS).outputs
    assert fine["above_liquidus_s"] == pytest.approx(coarse["above_liquidus_s"])
    assert fine["pwi_percent"] == pytest.approx(coarse["pwi_percent"])


def test_a_profile_that_never_melts_has_no_time_above_liquidus_and_fails() -> None:
    cold = [(start, min(hot, 210)) for start, hot in CORNERS]
    answer = reflow_window(**profile(cold), **WINDOWS)
    assert answer.outputs["above_liquidus_s"] == 0
    assert answer.outputs["pwi_percent"] > 100
    assert "超出窗口：峰值、液相以上时间" in answer.notes[0]["zh"]


def test_one_jump_of_a_thermocouple_is_not_read_as_the_ramp() -> None:
    smooth = profile(CORNERS, 1.0)
    jumped = list(smooth["temperature_c"])
    jumped[100] += 3
    jumping = {**smooth, "temperature_c": jumped}
    assert reflow_window(**jumping, **WINDOWS).outputs["ramp_c_s"] == pytest.approx(2)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"time_s": [0, 1], "temperature_c": [20]}, "一一对应"),
        ({"time_s": [0, 1], "temperature_c": [20, 21]}, "至少 10 个点"),
        ({"time_s": [0, 2, 1, *range(3, 12)], "temperature_c": [20] * 12}, "逐点增大"),
        ({"peak_low_c": 260}, "峰值窗口"),
        ({"ramp_limit_c_s": 0}, "升温上限"),
    ],
)
def test_profiles_and_windows_that_cannot_be_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        reflow_window(**{**profile(CORNERS), **WINDOWS, **given})
