"""Sewing capacity and four-point grading against worked values."""

from __future__ import annotations

import pytest

from services.models.tools.apparel import four_point_grade, sewing_capacity

LINE: dict[str, float] = {"sam_min": 18, "operators": 30, "shift_min": 480, "efficiency": 0.65, "wanted_pieces": 0}
ROLL: dict[str, float] = {"points": 40, "length_m": 100, "width_m": 1.5, "limit": 0}


def test_thirty_operators_sew_520_pieces() -> None:
    outputs = sewing_capacity(**LINE).outputs
    assert outputs["pieces_per_day"] == pytest.approx(520)
    assert outputs["pieces_per_operator"] * 30 == pytest.approx(520, abs=1e-3)
    assert outputs["interval_s"] * 520 == pytest.approx(480 * 60, abs=1e-2)


def test_the_operators_needed_sew_what_is_wanted() -> None:
    needed = sewing_capacity(**{**LINE, "wanted_pieces": 650}).outputs
    again = sewing_capacity(**{**LINE, "operators": needed["operators_needed"]}).outputs
    assert again["pieces_per_day"] == pytest.approx(650)
    faster = sewing_capacity(**{**LINE, "efficiency": needed["efficiency_needed_percent"] / 100}).outputs
    assert faster["pieces_per_day"] == pytest.approx(650)


@pytest.mark.parametrize(("wanted", "said"), [(650, "还差 130 件"), (500, "够做"), (520, "够做")])
def test_whether_the_target_can_be_met_is_said(wanted: float, said: str) -> None:
    assert said in sewing_capacity(**{**LINE, "wanted_pieces": wanted}).notes[1]["zh"]


@pytest.mark.parametrize("wrong", [{"efficiency": 65}, {"efficiency": 0}, {"sam_min": 0}, {"operators": 0}])
def test_a_line_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        sewing_capacity(**{**LINE, **wrong})


def test_forty_points_on_150_square_metres_are_26_7() -> None:
    outputs = four_point_grade(**ROLL).outputs
    assert outputs["points_per_100m2"] == pytest.approx(26.7, abs=0.05)
    assert outputs["points_per_100yd2"] == pytest.approx(outputs["points_per_100m2"] * 0.83612736)


def test_a_wide_cloth_with_the_same_points_grades_better() -> None:
    assert four_point_grade(**{**ROLL, "width_m": 2.8}).outputs["points_per_100m2"] == pytest.approx(14.3, abs=0.05)


def test_the_points_allowed_touch_the_limit() -> None:
    allowed = four_point_grade(**{**ROLL, "limit": 24}).outputs["allowed_points"]
    assert four_point_grade(**{**ROLL, "points": allowed}).outputs["points_per_100m2"] == pytest.approx(24)


def test_no_verdict_is_given_without_a_contract() -> None:
    answer = four_point_grade(**ROLL)
    assert "合同" in answer.notes[0]["zh"]
    assert "allowed_points" not in answer.outputs


@pytest.mark.parametrize(("length", "most"), [(10, 40), (9.5, 40), (10.2, 44)])
def test_a_metre_has_four_points_at_most(length: float, most: float) -> None:
    four_point_grade(**{**ROLL, "length_m": length, "points": most})
    with pytest.raises(ValueError, match=f"最多 {most:g} 分"):
        four_point_grade(**{**ROLL, "length_m": length, "points": most + 1})


@pytest.mark.parametrize("wrong", [{"length_m": 0}, {"width_m": -1}, {"points": -1}])
def test_a_roll_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        four_point_grade(**{**ROLL, **wrong})
