"""Counts, weaving, weights and markers against worked values."""

from __future__ import annotations

from typing import Any

import pytest

from services.models.tools.textile import fabric_weight, loom_output, marker_utilisation, yarn_count

CLOTH: dict[str, Any] = {
    "ends_per_10_cm": 420, "picks_per_10_cm": 240, "warp_tex": 8.3, "weft_tex": 8.3, "warp_crimp": 0.07,
    "weft_crimp": 0.04, "crimp_of": "fabric_length", "width_m": 0,
}  # fmt: skip
LOOMS = {"speed_r_min": 600, "picks_per_10_cm": 240, "efficiency": 0.88, "looms": 24, "hours_per_day": 24}
MARKER = {"piece_area_m2": 12.75, "marker_length_m": 10, "fabric_width_m": 1.5, "layers": 1, "wanted_percent": 88}


def test_18_45_tex_is_ne_32_and_166_denier() -> None:
    outputs = yarn_count(18.45, "tex", 0).outputs
    assert outputs["ne"] == pytest.approx(32.0, abs=0.05)
    assert outputs["den"] == pytest.approx(166, abs=0.5)


@pytest.mark.parametrize("system", ["tex", "dtex", "den", "Ne", "Nm"])
def test_a_count_comes_back_from_every_system(system: str) -> None:
    outputs = yarn_count(25, "tex", 0).outputs
    assert yarn_count(outputs[system.lower()], system, 0).outputs["tex"] == pytest.approx(25, rel=1e-5)


def test_ne_counts_hanks_of_840_yards_in_a_pound() -> None:
    metres = yarn_count(1, "Ne", 0).outputs["metres_per_kg"] * 0.45359237
    assert metres == pytest.approx(840 * 0.9144, rel=1e-4)


def test_a_filament_of_75_denier_and_72_holes_has_1_16_dtex() -> None:
    assert yarn_count(75, "den", 72).outputs["dtex_per_filament"] == pytest.approx(1.157, abs=1e-3)
    assert "超细" in yarn_count(50, "den", 144).notes[0]["zh"]


def test_a_denier_typed_as_english_count_is_asked_back() -> None:
    assert "旦" in yarn_count(150, "Ne", 0).notes[0]["zh"]
    assert "旦" not in yarn_count(32, "Ne", 0).notes[0]["zh"]


def test_24_looms_weave_7603_metres_a_day() -> None:
    outputs = loom_output(**LOOMS).outputs
    assert outputs["metres_per_hour_loom"] == pytest.approx(13.2)
    assert outputs["metres_per_day"] == pytest.approx(7603, abs=0.5)


def test_a_point_of_efficiency_is_worth_what_one_point_more_gives() -> None:
    outputs = loom_output(**LOOMS).outputs
    more = loom_output(**{**LOOMS, "efficiency": 0.89}).outputs
    assert more["metres_per_day"] - outputs["metres_per_day"] == pytest.approx(outputs["metres_per_point"], abs=1e-4)


def test_picks_are_metres_times_density() -> None:
    outputs = loom_output(**LOOMS).outputs
    assert outputs["picks_per_day_loom"] == pytest.approx(outputs["metres_per_hour_loom"] * 24 * 2400, rel=1e-6)


@pytest.mark.parametrize("wrong", [{"efficiency": 88}, {"picks_per_10_cm": 0}, {"hours_per_day": 25}, {"looms": 0}])
def test_looms_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        loom_output(**{**LOOMS, **wrong})


def test_the_worked_cloth_weighs_58_grams() -> None:
    assert fabric_weight(**CLOTH).outputs["gsm"] == pytest.approx(58.0, abs=0.05)
    assert fabric_weight(**{**CLOTH, "crimp_of": "yarn_length"}).outputs["gsm"] == pytest.approx(58.2, abs=0.05)


def test_a_square_metre_holds_the_length_of_yarn_that_weighs_as_much() -> None:
    # 4200 ends of 1.07 m and 2400 picks of 1.04 m, 8.3 g a kilometre.
    metres = 4200 * 1.07 + 2400 * 1.04
    assert fabric_weight(**CLOTH).outputs["gsm"] == pytest.approx(metres / 1000 * 8.3)


def test_both_ways_to_state_crimp_agree_when_converted() -> None:
    by_yarn = fabric_weight(
        **{**CLOTH, "warp_crimp": 0.07 / 1.07, "weft_crimp": 0.04 / 1.04, "crimp_of": "yarn_length"}
    )
    assert by_yarn.outputs["gsm"] == pytest.approx(fabric_weight(**CLOTH).outputs["gsm"], abs=1e-5)


@pytest.mark.parametrize("wrong", [{"warp_crimp": 7}, {"weft_tex": 0}, {"ends_per_10_cm": -1}, {"width_m": -1}])
def test_a_cloth_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        fabric_weight(**{**CLOTH, **wrong})


def test_the_worked_marker_uses_85_per_cent() -> None:
    assert marker_utilisation(**MARKER).outputs["utilisation_percent"] == pytest.approx(85.0)


def test_the_metres_saved_lead_to_the_wanted_use() -> None:
    saved = marker_utilisation(**MARKER).outputs["saved_m"]
    better = marker_utilisation(**{**MARKER, "marker_length_m": 10 - saved})
    assert better.outputs["utilisation_percent"] == pytest.approx(88, abs=1e-3)
    assert marker_utilisation(**{**MARKER, "wanted_percent": 80}).outputs["saved_m"] == 0


@pytest.mark.parametrize("wrong", [{"piece_area_m2": 15.1}, {"layers": 0}, {"wanted_percent": 0}])
def test_a_marker_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        marker_utilisation(**{**MARKER, **wrong})


def test_a_count_of_nought_is_refused() -> None:
    with pytest.raises(ValueError, match="大于 0"):
        yarn_count(0, "tex", 0)
