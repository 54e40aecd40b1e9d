"""Turning tools against worked values and against the geometry they rest on."""

from __future__ import annotations

from math import sqrt

import pytest

from services.models.tools.machining import cutting_power, surface_roughness, tool_life

CARBIDE = {
    "cutting_speed_m_min": 200, "taylor_exponent": 0.25, "taylor_constant_m_min": 400, "cutting_min_per_part": 0,
}  # fmt: skip
ROUGHING = {
    "specific_force_n_mm2": 2200, "depth_mm": 2, "feed_mm_r": 0.25, "cutting_speed_m_min": 180,
    "drive_efficiency": 0.8, "rated_motor_kw": 0,
}  # fmt: skip


def test_carbide_at_200_m_min_lasts_16_minutes() -> None:
    assert tool_life(**CARBIDE).outputs["life_min"] == pytest.approx(16)


def test_speed_and_life_of_every_answer_satisfy_the_equation() -> None:
    outputs = tool_life(**CARBIDE).outputs
    assert outputs["speed_for_15_min_m_min"] * 15**0.25 == pytest.approx(400, rel=1e-6)
    assert 220 * outputs["life_10_percent_faster_min"] ** 0.25 == pytest.approx(400, rel=1e-6)
    assert 180 * outputs["life_10_percent_slower_min"] ** 0.25 == pytest.approx(400, rel=1e-6)


def test_an_edge_is_changed_before_its_life_ends() -> None:
    answer = tool_life(**{**CARBIDE, "cutting_min_per_part": 1.5})
    assert answer.outputs["parts_per_edge"] == 10
    assert "8 件" in answer.notes[1]["zh"]
    assert "8 parts" in answer.notes[1]["en"]


def test_a_part_longer_than_an_edge_lasts_is_said() -> None:
    answer = tool_life(**{**CARBIDE, "cutting_min_per_part": 20})
    assert answer.outputs["parts_per_edge"] == 0
    assert "做不完一件" in answer.notes[1]["zh"]


def test_the_worked_cut_takes_3_3_kw() -> None:
    outputs = cutting_power(**ROUGHING).outputs
    assert outputs["cutting_kw"] == pytest.approx(3.3)
    assert outputs["motor_kw"] == pytest.approx(3.3 / 0.8)
    assert "load_percent" not in outputs


def test_power_is_specific_energy_times_removal_rate() -> None:
    # kc in N/mm2 is joules per mm3, so kW = kc (cm3/min) / 60000.
    outputs = cutting_power(**ROUGHING).outputs
    assert outputs["cutting_kw"] == pytest.approx(2200 * outputs["removal_cm3_min"] / 60_000)


def test_a_cut_beyond_the_motor_is_told_how_far_to_come_down() -> None:
    answer = cutting_power(**{**ROUGHING, "rated_motor_kw": 3.3})
    assert answer.outputs["load_percent"] == pytest.approx(125)
    assert "80 %" in answer.notes[0]["zh"]
    assert "80 %" in answer.notes[0]["en"]


def test_roughness_of_the_worked_feed_is_6_25_micrometres() -> None:
    outputs = surface_roughness(0.2, 0.8, 0).outputs
    assert outputs["rz_um"] == pytest.approx(6.25)
    assert outputs["ra_um"] == pytest.approx(6.25 / 4)


@pytest.mark.parametrize(("feed", "radius"), [(0.1, 0.4), (0.2, 0.8), (0.3, 1.2)])
def test_roughness_is_the_height_of_the_arc_between_two_turns(feed: float, radius: float) -> None:
    exact = (radius - sqrt(radius**2 - feed**2 / 4)) * 1000
    assert surface_roughness(feed, radius, 0).outputs["rz_um"] == pytest.approx(exact, rel=0.01)


def test_the_largest_feed_gives_just_the_wanted_roughness() -> None:
    feed = surface_roughness(0.2, 0.8, 0.8).outputs["largest_feed_mm_r"]
    assert surface_roughness(feed, 0.8, 0).outputs["ra_um"] == pytest.approx(0.8, rel=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"cutting_speed_m_min": 0},
        {"taylor_exponent": 25},
        {"taylor_constant_m_min": -1},
        {"cutting_min_per_part": -1},
    ],
)
def test_a_tool_life_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        tool_life(**{**CARBIDE, **wrong})


def test_a_life_beyond_any_figure_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="核对速度"):
        tool_life(**{**CARBIDE, "taylor_exponent": 1e-6})


def test_an_efficiency_in_per_cent_is_refused_with_the_share() -> None:
    with pytest.raises(ValueError, match=r"0\.88"):
        cutting_power(**{**ROUGHING, "drive_efficiency": 80})


def test_a_feed_beyond_the_nose_is_refused() -> None:
    with pytest.raises(ValueError, match="刀尖半径"):
        surface_roughness(1.0, 0.8, 0)
