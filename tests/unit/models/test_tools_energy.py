"""Steam, air, drives, heat and electricity against worked values that were computed apart from this code."""

from __future__ import annotations

import math

import pytest

from services.models.tools.boilers import boiler_efficiency, condensate_recovery, steam_coal_equivalent
from services.models.tools.compressed_air import air_leak_orifice, air_leakage
from services.models.tools.drives import fan_affinity, motor_efficiency_saving
from services.models.tools.drying import dryer_steam, dye_bath_steam, exhaust_heat_recovery
from services.models.tools.electricity import electricity_demand_charge, power_factor_correction
from services.models.tools.furnaces import furnace_energy
from services.models.tools.insulation import pipe_insulation_loss
from services.models.tools.maintenance import bearing_life, vibration_zone
from services.models.tools.steam import saturated, steam_kj_kg
from services.models.tools.unit_energy import unit_energy


def test_a_tonne_of_steam_is_91_6_kilograms_of_coal_and_101_8_with_the_boiler() -> None:
    assert steam_coal_equivalent(1, 0.8, 20, 1.0, 0).outputs["kgce"] == pytest.approx(91.6, abs=0.05)
    assert steam_coal_equivalent(1, 0.8, 20, 0.9, 0).outputs["kgce"] == pytest.approx(101.8, abs=0.05)


def test_superheated_steam_holds_what_the_formulation_says() -> None:
    assert steam_kj_kg(0.8, 250) == pytest.approx(2951, abs=1)
    # The verification values of IAPWS-IF97, region 2, at 0.0035 MPa and 300 K lie outside; at saturation both ways meet.
    assert steam_kj_kg(0.8, saturated(0.8).temperature_c + 0.1) == pytest.approx(steam_kj_kg(0.8, 0), abs=5)


def test_a_boiler_is_judged_by_the_direct_method() -> None:
    found = boiler_efficiency(10000, 1.0, 104, "天然气", 720, 35588, 0).outputs
    assert found["efficiency_percent"] == pytest.approx(91.4, abs=0.1)
    assert found["heat_kw"] + found["loss_kw"] == pytest.approx(720 * 35588 / 3600, rel=1e-6)


def test_of_condensate_at_six_bar_eleven_percent_flash() -> None:
    found = condensate_recovery(3000, 0.6, 0.1, 0.8, "否", 20, 6000, 80).outputs
    assert found["flash_percent"] == pytest.approx(100 * (670 - 417) / (2675 - 417), abs=0.01)
    more = condensate_recovery(3000, 0.6, 0.1, 0.8, "是", 20, 6000, 80).outputs
    assert more["heat_kw"] > found["heat_kw"]


def test_a_fifth_of_the_air_leaks_and_costs_92400_yuan() -> None:
    found = air_leakage(120, 480, 7, 110, 6000, 0.7, 0, 0).outputs
    assert found["leak_percent"] == pytest.approx(20)
    assert found["leak_yuan"] == pytest.approx(92400)


def test_a_hole_of_one_millimetre_loses_48_litres_a_minute() -> None:
    assert air_leak_orifice(1, 7, 20, 0.65, 1, 8000, 0.12, 0.7).outputs["m3_min"] == pytest.approx(0.0480, abs=2e-4)
    with pytest.raises(ValueError, match=r".+ / .+"):
        air_leak_orifice(1, 0.3, 20, 0.65, 1, 8000, 0.12, 0.7)


def test_a_fan_at_four_fifths_draws_24_kilowatts() -> None:
    found = fan_affinity(45, 0.8, 6000, 0.96, 0, 0, 0.7).outputs
    assert found["power_kw"] == pytest.approx(24.0)
    assert found["saving_kwh"] == pytest.approx(126000)
    assert fan_affinity(45, 0.8, 6000, 0.96, 0.5, 0, 0.7).outputs["power_kw"] > found["power_kw"]


def test_a_better_motor_saves_the_difference_of_the_inputs() -> None:
    found = motor_efficiency_saving(22, 0.75, 0.89, 0.93, 6000, 0.7, 0).outputs
    assert found["saving_kwh"] == pytest.approx(22 * 0.75 * (1 / 0.89 - 1 / 0.93) * 6000)
    with pytest.raises(ValueError, match=r".+ / .+"):
        motor_efficiency_saving(22, 0.75, 0.93, 0.89, 6000, 0.7, 0)


def test_capacity_and_demand_cost_the_same_at_the_break_even() -> None:
    found = electricity_demand_charge(1000, 700, 28, 40, 600, 0.85, 0.95).outputs
    assert found["capacity_yuan"] == found["demand_yuan"] == 28000
    assert found["break_even_kw"] == pytest.approx(700)
    assert found["kvar"] == pytest.approx(600 * (math.tan(math.acos(0.85)) - math.tan(math.acos(0.95))), rel=1e-6)


def test_capacitors_follow_the_power_triangle() -> None:
    found = power_factor_correction(500, 0.8, 0.95, 400, 450).outputs
    assert found["kvar"] == pytest.approx(500 * (0.75 - math.tan(math.acos(0.95))), rel=1e-6)
    assert found["current_before_a"] / found["current_after_a"] == pytest.approx(0.95 / 0.8)


def test_a_bath_of_three_cubic_metres_takes_527_kilograms_of_steam() -> None:
    assert dye_bath_steam(3000, 25, 98, 2048, 0.85, 0, 6).outputs["steam_kg"] == pytest.approx(527, abs=0.6)


def test_a_dryer_section_evaporates_what_the_dryness_says() -> None:
    found = dryer_steam(0.48, 0.92, 1.3, 0, 200).outputs
    assert found["water_kg_kg"] == pytest.approx(0.917, abs=5e-4)
    assert found["steam_kg_kg"] == pytest.approx(1.19, abs=5e-3)
    assert found["per_point_percent"] == pytest.approx(4, abs=0.5)


def test_half_of_the_exhaust_heat_is_204_kilowatts() -> None:
    found = exhaust_heat_recovery(12000, 1.02, 140, 20, 0.5, 6000, 80, 0, 0.7).outputs
    assert found["heat_kw"] == pytest.approx(204)
    assert found["heat_gj"] == pytest.approx(4406, abs=1)
    assert found["gross_yuan"] == pytest.approx(352512, abs=1)


def test_a_charge_of_a_tonne_takes_337_kilowatt_hours() -> None:
    found = furnace_energy(1000, 20, 860, 0.65, 0.45, 0, 0).outputs
    assert found["kwh"] == pytest.approx(337, abs=0.1)
    assert found["kwh_per_kg"] == pytest.approx(0.337, abs=1e-4)


def test_an_insulated_pipe_loses_what_a_cylinder_conducts() -> None:
    found = pipe_insulation_loss(170, 20, 108, 50, 0.045, 100, 6000, 80, 10).outputs
    inner, outer = 0.054, 0.104
    expected = 150 / (math.log(outer / inner) / (2 * math.pi * 0.045) + 1 / (2 * math.pi * outer * 10))
    assert found["insulated_w_m"] == pytest.approx(expected, rel=1e-4)
    assert found["bare_w_m"] == pytest.approx(2 * math.pi * inner * 10 * 150, rel=1e-4)


def test_a_bearing_at_a_tenth_of_its_rating_lives_11111_hours() -> None:
    found = bearing_life(50, 5, 1500, "球轴承", "90", 1, 6000, 20000).outputs
    assert found["l10_mrev"] == pytest.approx(1000)
    assert found["l10h_h"] == pytest.approx(11111, abs=0.5)
    assert bearing_life(50, 5, 1500, "球轴承", "98", 1, 6000, 20000).outputs["lnmh_h"] == pytest.approx(
        0.37 * 11111.1, abs=1
    )


@pytest.mark.parametrize(
    ("velocity", "zone"), [(1.39, "A"), (1.4, "B"), (2.79, "B"), (3.0, "C"), (4.49, "C"), (4.5, "D")]
)
def test_vibration_falls_into_its_zone(velocity: float, zone: str) -> None:
    """A value on a boundary counts as the worse zone."""
    assert vibration_zone(velocity, "2组刚性", 0, 1480).outputs["zone"] == zone


def test_energy_per_product_counts_every_carrier_by_its_heat() -> None:
    found = unit_energy(
        100, 20000, 3000, 0, 0, 0, 0, 0, 0.1229, 35588, 2.684, 0.5366, 55.53, 110, 1.9003, 3.0959, 3.1013, 0
    ).outputs
    assert found["kgce"] == pytest.approx(20000 * 0.1229 + 3000 * 35588 / 29307.6, rel=1e-4)
    assert found["kgce_per_unit"] == pytest.approx(found["kgce"] / 100)
    assert found["tco2"] == pytest.approx((20000 * 0.5366 + 3000 * 35588 / 1e6 * 55.53) / 1000, rel=1e-4)
    with pytest.raises(ValueError, match=r".+ / .+"):
        unit_energy(100, 0, 0, 0, 0, 0, 0, 0, 0.1229, 35588, 2.684, 0.5366, 55.53, 110, 1.9003, 3.0959, 3.1013, 0)
