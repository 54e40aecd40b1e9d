"""Wood moisture against the handbook's table, pressing and ducts against worked values."""

from __future__ import annotations

import pytest

from services.models.tools.wood import duct_speed, equilibrium_moisture, press_time, wood_emc

HANDBOOK_70_F = {
    5: 1.3, 10: 2.5, 15: 3.5, 20: 4.5, 25: 5.4, 30: 6.2, 35: 6.9, 40: 7.7, 45: 8.5, 50: 9.2, 55: 10.1, 60: 11.0,
    65: 12.0, 70: 13.1, 75: 14.4, 80: 16.0, 85: 17.9, 90: 20.5, 95: 23.9,
}  # fmt: skip
"""Relative humidity -> moisture in % at 70 degF, table of the USDA Wood Handbook."""


def test_wood_at_20_degrees_and_65_per_cent_comes_to_12() -> None:
    assert wood_emc(20, 0.65, 0).outputs["emc_percent"] == pytest.approx(12.0, abs=0.05)


@pytest.mark.parametrize(("humidity", "moisture"), HANDBOOK_70_F.items())
def test_the_row_of_the_handbook_is_met(humidity: int, moisture: float) -> None:
    assert equilibrium_moisture((70 - 32) / 1.8, humidity / 100) == pytest.approx(moisture, abs=0.1)


def test_damper_air_makes_damper_wood_and_warmer_air_drier() -> None:
    outputs = wood_emc(20, 0.65, 0).outputs
    assert outputs["emc_5_points_drier_percent"] < outputs["emc_percent"] < outputs["emc_5_points_damper_percent"]
    assert wood_emc(40, 0.65, 0).outputs["emc_percent"] < outputs["emc_percent"]


@pytest.mark.parametrize(("measured", "said"), [(11, "收缩"), (5, "吸湿胀起"), (7.2, "基本平衡")])
def test_which_way_the_wood_will_move_is_said(measured: float, said: str) -> None:
    answer = wood_emc(22, 0.35, measured)
    assert answer.outputs["off_points"] == pytest.approx(measured - answer.outputs["emc_percent"], abs=1e-5)
    assert said in answer.notes[0]["zh"]


@pytest.mark.parametrize("wrong", [(95, 0.5, 0), (-15, 0.5, 0), (20, 65, 0), (20, 0, 0), (20, 0.5, -1)])
def test_air_outside_the_formula_is_refused(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        wood_emc(*wrong)


def test_18_mm_at_12_seconds_are_pressed_216_seconds() -> None:
    assert press_time(18, 12, 0, 1, 0).outputs["press_s"] == pytest.approx(216)


def test_boards_of_an_hour_fill_the_hour() -> None:
    outputs = press_time(12, 40, 120, 15, 2.977).outputs
    assert outputs["boards_per_h"] / 15 * outputs["cycle_s"] == pytest.approx(3600)
    assert outputs["m3_per_h"] == pytest.approx(90 * 2.977 * 0.012, rel=1e-6)


@pytest.mark.parametrize(("factor", "said"), [(4, "防开胶"), (12, "之内"), (40, "胶合板本来较慢")])
def test_the_pressing_factor_is_judged(factor: float, said: str) -> None:
    assert said in press_time(18, factor, 0, 1, 0).notes[0]["zh"]


@pytest.mark.parametrize("wrong", [(0, 12, 0, 1, 0), (18, 0, 0, 1, 0), (18, 12, -1, 1, 0), (18, 12, 0, 0, 0)])
def test_a_press_that_cannot_be_is_refused(wrong: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        press_time(*wrong)


def test_3000_cubic_metres_in_230_mm_run_at_20_1() -> None:
    assert duct_speed(3000, 230).outputs["speed_m_s"] == pytest.approx(20.1, abs=0.05)


def test_the_flow_and_the_diameter_for_20_give_20() -> None:
    outputs = duct_speed(1500, 230).outputs
    assert duct_speed(outputs["flow_for_20_m_s_m3_h"], 230).outputs["speed_m_s"] == pytest.approx(20, abs=1e-5)
    assert duct_speed(1500, outputs["largest_diameter_mm"]).outputs["speed_m_s"] == pytest.approx(20, abs=1e-5)


@pytest.mark.parametrize(("flow", "said"), [(1500, "粉尘爆炸"), (3000, "之内"), (5200, "不沉灰")])
def test_dust_that_settles_is_said(flow: float, said: str) -> None:
    note = duct_speed(flow, 230).notes[0]["zh"]
    assert said in note
    assert "GB 15577" in note


@pytest.mark.parametrize("wrong", [(0, 230), (3000, 0)])
def test_a_duct_that_cannot_be_is_refused(wrong: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        duct_speed(*wrong)
