"""Torque coefficient, proof load and upsetting against worked values and the tables of the standard."""

from __future__ import annotations

import pytest

from services.models.tools.fasteners import (
    PROOF_MPA,
    TENSILE_MPA,
    YIELD_MPA,
    proof_load,
    torque_coefficient,
    upset_length,
)

STRESS_AREAS_MM2 = {
    "M3": 5.03, "M4": 8.78, "M5": 14.2, "M6": 20.1, "M8": 36.6, "M10": 58.0, "M12": 84.3, "M14": 115, "M16": 157,
    "M18": 192, "M20": 245, "M22": 303, "M24": 353, "M27": 459, "M30": 561, "M36": 817,
}  # fmt: skip
"""Table of ISO 898-1."""


def test_m12_at_50_kn_and_k_0_13_takes_78_newton_metres() -> None:
    assert torque_coefficient(0.13, 50, 12, 0).outputs["torque_nm"] == pytest.approx(78)


def test_the_coefficient_comes_back_from_its_own_torque() -> None:
    assert torque_coefficient(0.13, 50, 12, 78).outputs["measured_coefficient"] == pytest.approx(0.13)


@pytest.mark.parametrize(("measured", "said"), [(412, "相符"), (620, "差一成以上")])
def test_a_measured_coefficient_is_compared(measured: float, said: str) -> None:
    assert said in torque_coefficient(0.135, 155, 20, measured).notes[0]["zh"]


@pytest.mark.parametrize("wrong", [(0, 50, 12, 0), (0.13, 0, 12, 0), (0.13, 50, 0, 0), (0.13, 50, 12, -1)])
def test_a_torque_that_cannot_be_is_refused(wrong: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        torque_coefficient(*wrong)


def test_m10_of_class_8_8_holds_33_6_and_breaks_at_46_4_kn() -> None:
    outputs = proof_load("M10", "8.8", 0).outputs
    assert outputs["proof_kn"] == pytest.approx(33.6, abs=0.05)
    assert outputs["breaking_kn"] == pytest.approx(46.4, abs=0.05)


@pytest.mark.parametrize(("size", "area"), STRESS_AREAS_MM2.items())
def test_stress_areas_are_those_of_the_standard(size: str, area: float) -> None:
    # The table keeps three figures.
    assert f"{proof_load(size, '10.9', 0).outputs['stress_area_mm2']:.3g}" == f"{area:.3g}"


def test_class_8_8_is_stronger_above_16_mm() -> None:
    assert proof_load("M16", "8.8", 0).outputs["proof_mpa"] == 580
    thick = proof_load("M18", "8.8", 0).outputs
    assert thick["proof_mpa"] == 600
    assert thick["breaking_kn"] / thick["proof_kn"] == pytest.approx(830 / 600, rel=1e-6)


@pytest.mark.parametrize("property_class", PROOF_MPA)
def test_a_class_holds_less_than_it_yields_at_and_breaks_above(property_class: str) -> None:
    assert PROOF_MPA[property_class] < YIELD_MPA[property_class] < TENSILE_MPA[property_class]
    # The digits of a class: tensile strength in hundreds of MPa, and yield over tensile.
    hundreds, tenths = property_class.split(".")
    assert TENSILE_MPA[property_class] == pytest.approx(int(hundreds) * 100, rel=0.05)
    assert YIELD_MPA[property_class] / TENSILE_MPA[property_class] == pytest.approx(int(tenths) / 10, abs=0.02)


def test_a_working_load_above_the_proof_load_is_said() -> None:
    answer = proof_load("M8", "8.8", 25)
    assert answer.outputs["used_percent"] > 100
    assert "超过保证载荷" in answer.notes[0]["zh"]


def test_class_9_8_ends_at_m16() -> None:
    assert proof_load("M16", "9.8", 0).outputs["proof_mpa"] == 650
    with pytest.raises(ValueError, match=r"M16.+ / "):
        proof_load("M18", "9.8", 0)


def test_the_worked_head_takes_23_6_mm_and_two_blows() -> None:
    outputs = upset_length(1500, 9).outputs
    assert outputs["length_mm"] == pytest.approx(23.6, abs=0.05)
    assert outputs["ratio"] == pytest.approx(2.62, abs=0.005)
    assert outputs["blows"] == 2


@pytest.mark.parametrize(("ratio", "blows"), [(2.49, 1), (2.51, 2), (4.49, 2), (4.51, 3)])
def test_the_blows_follow_the_ratio(ratio: float, blows: int) -> None:
    volume = 3.141592653589793 / 4 * 10**2 * ratio * 10
    outputs = upset_length(volume, 10).outputs
    assert outputs["ratio"] == pytest.approx(ratio, abs=1e-5)
    assert outputs["blows"] == blows


@pytest.mark.parametrize("wrong", [(0, 9), (1500, 0)])
def test_a_head_that_cannot_be_is_refused(wrong: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        upset_length(*wrong)
