"""Tempering, carburising and baking against worked values."""

from __future__ import annotations

import pytest

from services.models.tools.heat_treatment import case_depth, hydrogen_bake, tempering_parameter


def test_450_degrees_for_an_hour_and_a_half_is_14_59() -> None:
    assert tempering_parameter(450, 1.5, 20, 0).outputs["parameter"] == pytest.approx(14.59, abs=0.005)


def test_the_temperature_of_equal_effect_has_the_same_parameter() -> None:
    outputs = tempering_parameter(450, 1.5, 20, 1).outputs
    assert outputs["same_effect_c"] == pytest.approx(456, abs=0.5)
    again = tempering_parameter(outputs["same_effect_c"], 1, 20, 0).outputs
    assert again["parameter"] == pytest.approx(outputs["parameter"], abs=1e-5)


def test_ten_degrees_change_the_parameter_by_what_is_said() -> None:
    outputs = tempering_parameter(450, 1.5, 20, 0).outputs
    hotter = tempering_parameter(460, 1.5, 20, 0).outputs
    assert hotter["parameter"] - outputs["parameter"] == pytest.approx(outputs["per_10_k"], abs=1e-5)


@pytest.mark.parametrize(
    "wrong", [(450, 0, 20, 0), (0, 1, 20, 0), (450, 1, 0, 0), (450, 1e-30, 20, 0), (450, 1, 20, -1)]
)
def test_a_tempering_that_cannot_be_is_refused(wrong: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        tempering_parameter(*wrong)


@pytest.mark.parametrize(
    ("temperature", "hours", "depth"), [(927, 4, 1.28), (920, 6, 1.50), (930, 6, 1.59), (920, 6.6, 1.57)]
)
def test_case_depths_by_harris(temperature: float, hours: float, depth: float) -> None:
    assert case_depth(temperature, hours, 0).outputs["depth_mm"] == pytest.approx(depth, abs=0.006)


def test_four_times_the_time_doubles_the_case() -> None:
    once, longer = case_depth(920, 3, 0).outputs, case_depth(920, 12, 0).outputs
    assert longer["depth_mm"] == pytest.approx(2 * once["depth_mm"], abs=1e-5)


def test_the_hours_for_a_depth_give_that_depth() -> None:
    hours = case_depth(920, 6, 1.6).outputs["hours_for_wanted"]
    assert case_depth(920, hours, 0).outputs["depth_mm"] == pytest.approx(1.6, abs=1e-5)


@pytest.mark.parametrize("wrong", [(840, 4, 0), (990, 4, 0), (927, 0, 0), (927, 4, -1)])
def test_a_carburising_outside_the_estimate_is_refused(wrong: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        case_depth(*wrong)


@pytest.mark.parametrize(
    ("hardness", "source", "bake"),
    [(39, "electroplating", 1), (38.9, "electroplating", 0), (42, "acid_pickling", 1), (42, "none", 0)],
)
def test_hard_plated_or_pickled_parts_are_baked(hardness: float, source: str, bake: int) -> None:
    assert hydrogen_bake(hardness, source, 0, 0).outputs["bake"] == bake


def test_a_bake_has_four_hours_to_begin() -> None:
    early, late = hydrogen_bake(42, "electroplating", 1, 0), hydrogen_bake(42, "electroplating", 14, 0)
    assert early.outputs["hours_left"] == 3
    assert (early.outputs["bake_low_c"], early.outputs["bake_high_c"]) == (190, 230)
    assert late.outputs["hours_left"] < 0
    assert "隔离" in late.notes[0]["zh"]


def test_figures_still_to_be_verified_are_said_to_be() -> None:
    for hardness in (28, 42):
        assert "待核实" in hydrogen_bake(hardness, "electroplating", 0, 0).notes[0]["zh"]


def test_a_bake_above_the_tempering_temperature_is_warned_of() -> None:
    assert "低于回火温度" in hydrogen_bake(45, "electroplating", 0, 200).notes[0]["zh"]
    assert "低于回火温度" not in hydrogen_bake(45, "electroplating", 0, 400).notes[0]["zh"]


@pytest.mark.parametrize("wrong", [(0, "electroplating", 0, 0), (40, "electroplating", -1, 0)])
def test_a_bake_that_cannot_be_is_refused(wrong: tuple[float, str, float, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        hydrogen_bake(*wrong)
