"""Yield, floor life and takt of electronics against worked values."""

from __future__ import annotations

from typing import Any

import pytest

from services.models.tools.electronics import FLOOR_LIFE_H, msl_exposure, smt_takt, smt_yield

REEL: dict[str, Any] = {
    "level": "3", "exposed_h": 20, "planned_h": 0, "temperature_c": 25, "humidity_percent": 50, "label_h": 0,
}  # fmt: skip
MACHINE: dict[str, float] = {
    "nominal_cph": 40_000, "points": 600, "efficiency": 0.7, "shift_h": 8, "changeovers": 0, "changeover_min": 0,
    "wanted_boards": 0,
}  # fmt: skip


def test_dpmo_100_on_1200_opportunities_yields_0_8869() -> None:
    assert smt_yield(100, 1200, 0, 98).outputs["first_pass_percent"] == pytest.approx(88.69, abs=0.005)


def test_the_dpmo_for_the_target_yields_the_target() -> None:
    wanted = smt_yield(100, 1200, 0, 98).outputs["dpmo_for_target"]
    assert smt_yield(wanted, 1200, 0, 98).outputs["first_pass_percent"] == pytest.approx(98)


def test_two_boards_in_a_row_multiply_their_yields() -> None:
    one, two = (smt_yield(80, count, 0, 98).outputs["first_pass_percent"] / 100 for count in (700, 1400))
    assert two == pytest.approx(one**2)


@pytest.mark.parametrize(("measured", "said"), [(95, "扎堆"), (80, "没计入"), (88.7, "相符")])
def test_a_measured_yield_is_compared_with_the_computed(measured: float, said: str) -> None:
    answer = smt_yield(100, 1200, measured, 98)
    assert said in answer.notes[1]["zh"]
    back = smt_yield(answer.outputs["dpmo_measured"], 1200, 0, 98)
    assert back.outputs["first_pass_percent"] == pytest.approx(measured)


@pytest.mark.parametrize("wrong", [(-1, 1200, 0, 98), (100, 0, 0, 98), (100, 1200, 101, 98), (100, 1200, 0, 0)])
def test_a_yield_that_cannot_be_is_refused(wrong: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        smt_yield(*wrong)


@pytest.mark.parametrize(("level", "hours"), [("2", 8760), ("2a", 672), ("3", 168), ("4", 72), ("5", 48), ("5a", 24)])
def test_each_level_has_its_floor_life_and_is_baked_when_it_is_over(level: str, hours: float) -> None:
    fresh = msl_exposure(**{**REEL, "level": level}).outputs
    assert fresh["floor_life_h"] == hours
    assert fresh["remaining_h"] == hours - 20
    before = msl_exposure(**{**REEL, "level": level, "exposed_h": hours - 0.1}).outputs
    over = msl_exposure(**{**REEL, "level": level, "exposed_h": hours}).outputs
    assert (before["must_bake"], over["must_bake"]) == (0, 1)
    assert over["remaining_h"] == 0


def test_level_one_has_no_clock() -> None:
    outputs = msl_exposure(**{**REEL, "level": "1", "exposed_h": 9000, "humidity_percent": 80}).outputs
    assert (outputs["used_percent"], outputs["must_bake"]) == (0, 0)
    assert "remaining_h" not in outputs


def test_level_six_goes_by_its_label() -> None:
    with pytest.raises(ValueError, match="标签"):
        msl_exposure(**{**REEL, "level": "6", "exposed_h": 2})
    answer = msl_exposure(**{**REEL, "level": "6", "exposed_h": 2, "label_h": 6})
    assert answer.outputs["remaining_h"] == 4
    assert "烘烤" in answer.notes[0]["zh"]


@pytest.mark.parametrize(
    ("level", "temperature", "humidity"), [("3", 31, 50), ("3", 25, 61), ("1", 31, 50), ("1", 25, 86)]
)
def test_a_shop_beyond_the_table_is_refused(level: str, temperature: float, humidity: float) -> None:
    with pytest.raises(ValueError, match="降额"):
        msl_exposure(**{**REEL, "level": level, "temperature_c": temperature, "humidity_percent": humidity})


@pytest.mark.parametrize(("planned", "is_enough"), [(148, 1), (148.5, 0), (0, 1)])
def test_the_next_run_must_fit_in_what_is_left(planned: float, is_enough: int) -> None:
    assert msl_exposure(**{**REEL, "planned_h": planned}).outputs["enough_for_run"] == is_enough


def test_every_level_of_the_standard_is_known() -> None:
    assert list(FLOOR_LIFE_H) == ["1", "2", "2a", "3", "4", "5", "5a", "6"]


def test_600_placements_at_70_percent_of_40000_take_77_1_seconds() -> None:
    assert smt_takt(**MACHINE).outputs["seconds_per_board"] == pytest.approx(77.1, abs=0.05)


def test_a_shift_is_changeovers_and_whole_boards() -> None:
    outputs = smt_takt(**{**MACHINE, "changeovers": 3, "changeover_min": 40}).outputs
    assert outputs["boards_per_shift"] == 280
    assert outputs["boards_per_h"] == pytest.approx(35)
    assert outputs["changeover_percent"] == pytest.approx(25)


def test_the_changeover_time_named_is_just_enough_for_the_target() -> None:
    loaded = {**MACHINE, "changeovers": 3, "changeover_min": 40, "wanted_boards": 330}
    assert "0.9 h" in smt_takt(**loaded).notes[1]["zh"]
    mended = smt_takt(**{**loaded, "changeover_min": (8 - 330 * 77.142857 / 3600) * 60 / 3 - 0.01})
    assert mended.outputs["boards_per_shift"] == 330


@pytest.mark.parametrize(
    "wrong", [{"efficiency": 70}, {"points": 0}, {"changeovers": 12, "changeover_min": 40}, {"changeover_min": -1}]
)
def test_a_shift_that_cannot_be_run_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        smt_takt(**{**MACHINE, **wrong})
