"""Clamp forces and cooling against worked values and the full series of heat conduction."""

from __future__ import annotations

from math import exp, pi

import pytest

from services.models.tools.moulding import die_casting_clamp, injection_clamp, injection_cooling

WALL = {"wall_mm": 2.5, "diffusivity_mm2_s": 0.09, "melt_c": 230, "mould_c": 50, "ejection_c": 90}


def test_the_worked_die_needs_4140_kn() -> None:
    outputs = die_casting_clamp(600, 60, 1.15, 0).outputs
    assert outputs["clamp_kn"] == pytest.approx(4140)
    assert outputs["clamp_t"] == pytest.approx(4140 / 9.80665, rel=1e-6)


def test_the_worked_mould_needs_1925_kn() -> None:
    assert injection_clamp(500, 35, 1.1, 0).outputs["clamp_kn"] == pytest.approx(1925)


def test_a_clamp_force_is_pressure_on_an_area() -> None:
    # 1 MPa on 1 m2 is 1 MN.
    assert injection_clamp(10_000, 1, 1, 0).outputs["clamp_kn"] == pytest.approx(1000)


@pytest.mark.parametrize(("machine", "said"), [(1800, "锁不住"), (2000, "余量小"), (2450, "之内"), (6000, "机台偏大")])
def test_the_load_of_the_machine_is_judged(machine: float, said: str) -> None:
    answer = injection_clamp(500, 35, 1.1, machine)
    assert answer.outputs["load_percent"] == pytest.approx(1925 / machine * 100, rel=1e-6)
    assert said in answer.notes[0]["zh"]


def test_the_worked_wall_cools_in_12_28_seconds() -> None:
    assert injection_cooling(**WALL).outputs["cooling_s"] == pytest.approx(12.28, abs=0.005)


@pytest.mark.parametrize("ejection", [70, 90, 120, 140])
def test_the_middle_of_the_wall_is_at_the_ejection_temperature_by_the_full_series(ejection: float) -> None:
    outputs = injection_cooling(**{**WALL, "ejection_c": ejection}).outputs
    left = sum(
        4 / pi * (-1) ** term / (2 * term + 1) * exp(-((2 * term + 1) ** 2) * pi**2 * outputs["fourier"])
        for term in range(8)
    )
    assert left == pytest.approx((ejection - 50) / 180, rel=0.01)


def test_a_thinner_wall_saves_what_is_said() -> None:
    outputs = injection_cooling(**WALL).outputs
    thinner = injection_cooling(**{**WALL, "wall_mm": 2.25}).outputs
    assert outputs["cooling_s"] - thinner["cooling_s"] == pytest.approx(outputs["saved_10_percent_thinner_s"], abs=1e-5)


def test_an_ejection_near_the_melt_is_flagged() -> None:
    assert "首项" in injection_cooling(**{**WALL, "ejection_c": 200}).notes[0]["zh"]


@pytest.mark.parametrize("wrong", [{"ejection_c": 40}, {"ejection_c": 240}, {"wall_mm": 0}, {"diffusivity_mm2_s": 0}])
def test_a_cooling_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        injection_cooling(**{**WALL, **wrong})


@pytest.mark.parametrize("wrong", [(0, 35, 1.1, 0), (500, 0, 1.1, 0), (500, 35, 0.9, 0), (500, 35, 1.1, -1)])
def test_a_clamp_force_that_cannot_be_is_refused(wrong: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        injection_clamp(*wrong)
    with pytest.raises(ValueError, match=r".+ / .+"):
        die_casting_clamp(*wrong)
