"""Paper machine and boxes against worked values; variance components by hand."""

from __future__ import annotations

import random
from math import sqrt

import pytest

from services.models.tools.papermaking import box_compression, cd_profile, paper_output

MACHINE = {"gsm": 140, "speed_m_min": 500, "trimmed_width_m": 4.2, "efficiency": 0.95, "hours_per_day": 24}
BOX = {
    "edge_crush_n_m": 6000, "caliper_mm": 5, "perimeter_m": 1.6, "height_m": 0, "safety_factor": 4, "box_kg": 12,
}  # fmt: skip


def test_the_worked_machine_makes_402_tonnes_a_day() -> None:
    outputs = paper_output(**MACHINE).outputs
    assert outputs["gross_t_h"] == pytest.approx(17.64)
    assert outputs["net_t_h"] == pytest.approx(16.76, abs=0.005)
    assert outputs["net_t_day"] == pytest.approx(402, abs=0.5)


def test_a_point_of_efficiency_is_worth_what_one_point_more_gives() -> None:
    outputs, more = paper_output(**MACHINE).outputs, paper_output(**{**MACHINE, "efficiency": 0.96}).outputs
    assert more["net_t_day"] - outputs["net_t_day"] == pytest.approx(outputs["t_day_per_point"], abs=1e-4)


@pytest.mark.parametrize("wrong", [{"efficiency": 95}, {"gsm": 0}, {"hours_per_day": 30}])
def test_a_machine_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        paper_output(**{**MACHINE, **wrong})


def test_a_fixed_profile_is_all_cross_direction() -> None:
    outputs = cd_profile([99.0, 100.0, 101.0] * 5, 3).outputs
    assert outputs["sigma_cd"] == pytest.approx(1)
    assert (outputs["sigma_md"], outputs["sigma_res"]) == (0, 0)
    assert outputs["two_sigma_percent"] == pytest.approx(2)


def test_a_sheet_that_moves_as_a_whole_is_all_machine_direction() -> None:
    scans = [value for level in (98, 99, 100, 101, 102) for value in [float(level)] * 4]
    outputs = cd_profile(scans, 4).outputs
    # Sample variance of 98 to 102 is 2.5.
    assert outputs["sigma_md"] == pytest.approx(sqrt(2.5), abs=1e-6)
    assert (outputs["sigma_cd"], outputs["sigma_res"]) == (0, 0)


def test_the_components_of_a_made_up_sheet_are_found_again() -> None:
    made = random.Random(1)
    across = [made.gauss(0, 2) for _ in range(60)]
    scans = []
    for _ in range(200):
        along = made.gauss(0, 1)
        scans += [100 + value + along + made.gauss(0, 0.5) for value in across]
    outputs = cd_profile(scans, 60).outputs
    assert outputs["sigma_cd"] == pytest.approx(2, rel=0.25)
    assert outputs["sigma_md"] == pytest.approx(1, rel=0.15)
    assert outputs["sigma_res"] == pytest.approx(0.5, rel=0.05)
    parts = [outputs[f"sigma_{name}"] ** 2 for name in ("cd", "md", "res")]
    assert sum(parts) == pytest.approx(outputs["sigma_total"] ** 2, rel=1e-4)


def test_a_streak_lies_outside_the_limits_of_its_chart() -> None:
    made = random.Random(2)
    scans = [100 + (3 if place == 4 else 0) + made.gauss(0, 0.5) for _ in range(30) for place in range(10)]
    answer = cd_profile(scans, 10)
    chart = answer.charts[0]
    assert [place for place, point in enumerate(chart["points"]) if point > chart["upper"]] == [4]
    assert "横向" in answer.notes[0]["zh"]


@pytest.mark.parametrize(
    ("scans", "positions", "said"),
    [
        ([1.0] * 16, 3, "多 1 个"), ([1.0] * 15, 2.5, "整数"), ([1.0] * 12, 3, "至少 5 次"), ([1.0] * 20, 1, "不小于 3"),
        ([-1.0] * 15, 3, "均值"), ([1e20] * 15, 3, "不像测量值"),
    ],
)  # fmt: skip
def test_scans_that_cannot_be_split_are_refused(scans: list[float], positions: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        cd_profile(scans, positions)


def test_the_worked_box_carries_3152_newtons() -> None:
    assert box_compression(**BOX).outputs["bct_n"] == pytest.approx(3152, abs=0.5)


def test_a_caliper_crushed_to_4_mm_loses_a_tenth() -> None:
    crushed = box_compression(**{**BOX, "caliper_mm": 4}).outputs["bct_n"]
    assert crushed / box_compression(**BOX).outputs["bct_n"] == pytest.approx(sqrt(0.8), rel=1e-6)


def test_the_lowest_box_carries_all_layers_above_but_not_one_more() -> None:
    outputs = box_compression(**BOX).outputs
    assert (outputs["layers"] - 1) * 12 * 9.80665 <= outputs["stacking_n"] < outputs["layers"] * 12 * 9.80665
    # Eight layers of 12 kg at a factor of 4 ask for 3300 N, more than the box has.
    assert outputs["layers"] == 7


def test_a_flat_box_is_outside_the_formula_and_gets_no_layers() -> None:
    answer = box_compression(**{**BOX, "height_m": 0.2})
    assert "layers" not in answer.outputs
    assert "不适用" in answer.notes[0]["zh"]


@pytest.mark.parametrize("wrong", [{"safety_factor": 0.5}, {"caliper_mm": 0}, {"box_kg": -1}])
def test_a_box_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        box_compression(**{**BOX, **wrong})
