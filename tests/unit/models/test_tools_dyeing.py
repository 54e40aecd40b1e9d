"""A dye lot against its worked value."""

from __future__ import annotations

import pytest

from services.models.tools.dyeing import dye_recipe

LOT = {"fabric_kg": 500, "liquor_ratio": 6, "dye_owf_percent": 2, "salt_g_l": 50, "alkali_g_l": 15, "filled_l": 0}


def test_the_worked_lot_takes_3000_litres_10_kg_of_dye_150_of_salt_and_45_of_soda() -> None:
    outputs = dye_recipe(**LOT).outputs
    assert (outputs["bath_l"], outputs["dye_g"]) == (pytest.approx(3000), pytest.approx(10_000))
    assert (outputs["salt_kg"], outputs["alkali_kg"]) == (pytest.approx(150), pytest.approx(45))


def test_half_a_cubic_metre_too_much_thins_the_salt_to_43_grams() -> None:
    answer = dye_recipe(**{**LOT, "filled_l": 3500})
    assert answer.outputs["true_liquor_ratio"] == pytest.approx(7)
    assert answer.outputs["true_salt_g_l"] == pytest.approx(42.9, abs=0.05)
    assert "先校液位" in answer.notes[0]["zh"]


def test_dye_follows_the_fabric_and_salt_the_water() -> None:
    ordered, diluted = dye_recipe(**LOT).outputs, dye_recipe(**{**LOT, "liquor_ratio": 12}).outputs
    assert diluted["dye_g"] == ordered["dye_g"]
    assert diluted["salt_kg"] == pytest.approx(2 * ordered["salt_kg"])
    assert diluted["dye_g_l"] == pytest.approx(ordered["dye_g_l"] / 2, abs=1e-6)


@pytest.mark.parametrize(
    "wrong", [{"fabric_kg": 0}, {"liquor_ratio": 0}, {"dye_owf_percent": 0}, {"salt_g_l": -1}, {"filled_l": -1}]
)
def test_a_lot_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        dye_recipe(**{**LOT, **wrong})
