"""Each tool against worked values that were computed apart from this code."""

from __future__ import annotations

import math

import pytest

from services.models.tools.energy import CARRIERS, coal_equivalent
from services.models.tools.fasteners import THREADS, bolt_preload
from services.models.tools.spc import CONSTANTS, process_capability
from services.models.tools.thermal import stenter_heat_balance

STENTER = {
    "fabric_kg_h": 900, "moisture_in": 0.7, "moisture_out": 0.05, "exhaust_kg_h": 12000,
    "exhaust_temperature_c": 150, "ambient_temperature_c": 25, "loss_factor": 1.1,
}  # fmt: skip
M12 = {
    "size": "M12", "property_class": "8.8", "utilisation": 0.9, "thread_friction": 0.12, "head_friction": 0.12,
    "bearing_diameter_mm": 16.6, "hole_diameter_mm": 13.5,
}  # fmt: skip
NOTHING = dict.fromkeys(CARRIERS, 0.0)


def test_a_stenter_at_the_worked_values_needs_987_kw() -> None:
    outputs = stenter_heat_balance(**STENTER).outputs
    assert outputs["heat_kw"] == pytest.approx(987, abs=0.5)
    assert outputs["water_kg_h"] == pytest.approx(585)
    assert outputs["exhaust_humidity"] == pytest.approx(0.0488, abs=1e-4)


def test_the_parts_of_the_heat_balance_add_up() -> None:
    outputs = stenter_heat_balance(**STENTER).outputs
    parts = sum(outputs[name] for name in ("evaporation_kw", "exhaust_air_kw", "fabric_kw", "loss_kw"))
    assert parts == pytest.approx(outputs["heat_kw"], abs=1e-5)


def test_a_dry_exhaust_is_told_how_much_less_air_would_save() -> None:
    answer = stenter_heat_balance(**STENTER)
    less = stenter_heat_balance(**{**STENTER, "exhaust_kg_h": 5850})
    saved = answer.outputs["heat_kw"] - less.outputs["heat_kw"]
    assert f"{saved:.0f} kW" in answer.notes[0]["zh"]
    assert f"{saved:.0f} kW" in answer.notes[0]["en"]


@pytest.mark.parametrize("wrong", [{"moisture_out": 0.8}, {"exhaust_temperature_c": 20}])
def test_a_balance_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        stenter_heat_balance(**{**STENTER, **wrong})


def test_an_m12_of_class_8_8_is_tightened_to_83_6_newton_metres() -> None:
    outputs = bolt_preload(**M12).outputs
    assert outputs["preload_kn"] == pytest.approx(43.1, abs=0.05)
    assert outputs["torque_nm"] == pytest.approx(83.6, abs=0.05)


def test_bearing_face_and_hole_follow_the_size_when_not_given() -> None:
    assumed = bolt_preload(**{**M12, "bearing_diameter_mm": 0, "hole_diameter_mm": 0}).outputs
    assert assumed["torque_nm"] == pytest.approx(bolt_preload(**M12).outputs["torque_nm"], rel=1e-3)


def test_class_8_8_is_a_little_stronger_above_16_mm() -> None:
    thin = bolt_preload(**{**M12, "size": "M16", "bearing_diameter_mm": 0, "hole_diameter_mm": 0})
    thick = bolt_preload(**{**M12, "size": "M18", "bearing_diameter_mm": 0, "hole_diameter_mm": 0})
    assert (thin.outputs["yield_mpa"], thick.outputs["yield_mpa"]) == (640, 660)


@pytest.mark.parametrize("size", THREADS)
def test_every_size_answers_and_more_friction_leaves_less_preload(size: str) -> None:
    slippery = bolt_preload(**{**M12, "size": size, "bearing_diameter_mm": 0, "hole_diameter_mm": 0})
    sticky = bolt_preload(
        **{**M12, "size": size, "bearing_diameter_mm": 0, "hole_diameter_mm": 0, "thread_friction": 0.2}
    )
    assert 0 < sticky.outputs["preload_kn"] < slippery.outputs["preload_kn"]


def test_coal_equivalents_are_sums_of_amount_times_coefficient() -> None:
    amounts = {**NOTHING, "electricity_kwh": 100_000, "natural_gas_m3": 20_000, "heat_gj": 10}
    outputs = coal_equivalent(**amounts, electricity_kgce_per_kwh=0.1229).outputs
    assert outputs["total_kgce"] == pytest.approx(100_000 * 0.1229 + 20_000 * 1.2143 + 10 * 34.12)
    assert outputs["total_tce"] == pytest.approx(outputs["total_kgce"] / 1000)


def test_a_gigajoule_of_heat_is_its_calorific_value_in_coal() -> None:
    # 1 kgce = 29,307.6 kJ.
    assert CARRIERS["heat_gj"].kgce == pytest.approx(1e6 / 29_307.6, rel=1e-4)
    assert CARRIERS["electricity_kwh"].kgce == pytest.approx(3600 / 29_307.6, rel=1e-3)


def test_an_unverified_coefficient_is_named_only_when_it_was_used() -> None:
    used = coal_equivalent(**{**NOTHING, "steam_kg": 1000}, electricity_kgce_per_kwh=0.1229)
    unused = coal_equivalent(**{**NOTHING, "electricity_kwh": 1000}, electricity_kgce_per_kwh=0.1229)
    assert "低压蒸汽" in used.notes[0]["zh"]
    assert not unused.notes


def test_no_energy_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="至少填一种"):
        coal_equivalent(**NOTHING, electricity_kgce_per_kwh=0.1229)


def test_capability_of_subgroups_by_hand() -> None:
    # Five subgroups of four: every range is 3, every mean 10.5, so s_within = 3 / 2.059.
    values = [9.0, 10.0, 11.0, 12.0] * 5
    outputs = process_capability(values, 5.0, 17.0, 4).outputs
    within = 3 / 2.059
    assert outputs["sigma_within"] == pytest.approx(within, abs=1e-6)
    assert outputs["cp"] == pytest.approx(12 / (6 * within), abs=1e-6)
    assert outputs["cpk"] == pytest.approx(5.5 / (3 * within), abs=1e-6)


def test_capability_of_individuals_uses_the_moving_range() -> None:
    values = [10.0, 11.0] * 10
    answer = process_capability(values, 5.0, 16.0, 1)
    assert answer.outputs["sigma_within"] == pytest.approx(1 / 1.128, abs=1e-6)
    individuals, moving = answer.charts
    assert individuals["upper"] == pytest.approx(10.5 + 2.66)
    assert moving["upper"] == pytest.approx(3.267)


def test_control_limits_of_averages_and_ranges_follow_the_constants() -> None:
    values = [9.0, 10.0, 11.0, 12.0, 13.0] * 5
    averages, ranges = process_capability(values, 0.0, 30.0, 5).charts
    assert averages["upper"] == pytest.approx(11 + 0.577 * 4)
    assert (ranges["upper"], ranges["lower"]) == (pytest.approx(2.114 * 4), 0.0)


def test_a_point_outside_the_limits_says_that_the_index_does_not_hold() -> None:
    values = [10.0, 10.1] * 20 + [20.0]
    answer = process_capability(values, 5.0, 25.0, 1)
    assert answer.outputs["chart_signals"] > 0
    assert "能力指数还不能用" in answer.notes[0]["zh"]


@pytest.mark.parametrize("size", CONSTANTS)
def test_chart_constants_agree_with_each_other(size: int) -> None:
    # A2 = 3 / (d2 sqrt(n)), and D3 and D4 lie evenly about one unless D3 is cut at nought.
    a2, d3, d4, d2 = CONSTANTS[size]
    assert a2 == pytest.approx(3 / (d2 * math.sqrt(size)), abs=2e-3)
    assert d3 == 0 or d3 + d4 == pytest.approx(2, abs=2e-3)


@pytest.mark.parametrize(
    ("values", "low", "high", "size"),
    [([1.0] * 30, 0, 2, 1), ([1.0, 2.0] * 5, 0, 3, 1), ([1.0, 2.0] * 20, 3, 0, 1), ([1.0, 2.0] * 20, 0, 3, 2.5)],
)
def test_data_that_cannot_be_judged_are_refused(values: list[float], low: float, high: float, size: float) -> None:
    with pytest.raises(ValueError, match=" / "):
        process_capability(values, low, high, size)
