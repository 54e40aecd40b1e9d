"""Colour differences against published test data, K/S by hand."""

from __future__ import annotations

from math import hypot

import pytest

from services.models.tools.colour import Lab, colour_difference, delta_e_76, delta_e_2000, delta_e_cmc, kubelka_munk

SHARMA: list[tuple[Lab, Lab, float]] = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425), ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
    ((50, 2.8361, -74.0200), (50, 0, -82.7485), 3.4412), ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
    ((50, 0, 0), (50, -1, 2), 2.3669), ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
    ((50, 2.49, -0.001), (50, -2.49, 0.0010), 7.1792), ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
    ((50, -0.001, 2.49), (50, 0.0009, -2.49), 4.8045), ((50, -0.001, 2.49), (50, 0.0011, -2.49), 4.7461),
    ((50, 2.5, 0), (50, 0, -2.5), 4.3065), ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((50, 2.5, 0), (61, -5, 29), 22.8977), ((50, 2.5, 0), (56, -27, -3), 31.9030),
    ((50, 2.5, 0), (58, 24, 15), 19.4535), ((50, 2.5, 0), (50, 3.2972, 0), 1.0000),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((63.0109, -31.0961, -5.8663), (62.8187, -29.7946, -4.0864), 1.2630),
    ((61.2901, 3.7196, -5.3901), (61.4292, 2.2480, -4.9620), 1.8731),
    ((35.0831, -44.1164, 3.7933), (35.0232, -40.0716, 1.5901), 1.8645),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((36.4612, 47.8580, 18.3852), (36.2715, 50.5065, 21.2231), 1.4146),
    ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ((90.9257, -0.5406, -0.9208), (88.6381, -0.8985, -0.7239), 1.5381),
    ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]  # fmt: skip
"""Pairs of Sharma, Wu and Dalal (2005), made to find wrong implementations of CIEDE2000."""
CMC: list[tuple[Lab, Lab, float]] = [
    ((50, 20, -10), (51, 22, -9), 1.67244513), ((10, 5, 5), (12, 6, 3), 4.18567050),
    ((70, -30, 40), (69, -28, 42), 1.53030066),
]  # fmt: skip
"""CMC(2:1) by another program (colour-science 0.4.6)."""


@pytest.mark.parametrize(("standard", "sample", "wanted"), SHARMA)
def test_ciede2000_gives_the_published_differences_both_ways(standard: Lab, sample: Lab, wanted: float) -> None:
    assert delta_e_2000(standard, sample) == pytest.approx(wanted, abs=5e-5)
    assert delta_e_2000(sample, standard) == pytest.approx(wanted, abs=5e-5)


@pytest.mark.parametrize(("standard", "sample", "wanted"), CMC)
def test_cmc_agrees_with_another_program(standard: Lab, sample: Lab, wanted: float) -> None:
    assert delta_e_cmc(standard, sample) == pytest.approx(wanted, abs=1e-7)


def test_cmc_of_lightness_alone_by_hand() -> None:
    # S_L at 50 is 0.040975 * 50 / (1 + 0.01765 * 50) = 1.08831; below 16 it is 0.511.
    assert delta_e_cmc((50, 10, 10), (51, 10, 10)) == pytest.approx(1 / (2 * 1.08831), abs=1e-5)
    assert delta_e_cmc((10, 1, 1), (11, 1, 1)) == pytest.approx(1 / (2 * 0.511))


@pytest.mark.parametrize("lab", [(50.0, 0.0, 0.0), (20.0, 30.0, -40.0), (0.0, 0.0, 0.0), (100.0, 0.0, 0.0)])
def test_a_colour_does_not_differ_from_itself(lab: Lab) -> None:
    assert delta_e_76(lab, lab) == delta_e_2000(lab, lab) == delta_e_cmc(lab, lab) == 0


def test_lightness_chroma_and_hue_make_up_the_cielab_difference() -> None:
    outputs = colour_difference(52.4, 21.3, -14.8, 51.9, 21.9, -14.1, 1.0).outputs
    whole = hypot(outputs["dl"], outputs["dc"], outputs["dh"])
    assert whole == pytest.approx(outputs["de_76"], abs=1e-5)
    assert whole == pytest.approx(hypot(0.5, 0.6, 0.7), abs=1e-5)


def test_turning_from_red_to_yellow_is_a_positive_hue_difference() -> None:
    assert colour_difference(50, 20, 0, 50, 19, 5, 1.0).outputs["dh"] > 0
    assert colour_difference(50, 20, 0, 50, 19, -5, 1.0).outputs["dh"] < 0


@pytest.mark.parametrize(("limit", "said"), [(0.5, "超线"), (0.8, "贴线"), (2.0, "合格。")])
def test_the_verdict_follows_the_limit_and_names_the_side(limit: float, said: str) -> None:
    note = colour_difference(52.4, 21.3, -14.8, 51.9, 21.9, -14.1, limit).notes[0]
    assert said in note["zh"]
    assert "偏深、偏红、偏黄" in note["zh"]
    assert "darker, redder, yellower" in note["en"]


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"sample_l": 101}, {"standard_l": -1}])
def test_colours_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    given = {
        "standard_l": 50,
        "standard_a": 0,
        "standard_b": 0,
        "sample_l": 50,
        "sample_a": 0,
        "sample_b": 0,
        "limit": 1,
    }
    with pytest.raises(ValueError, match=r".+ / .+"):
        colour_difference(**{**given, **wrong})


def test_a_reflectance_of_a_fifth_has_k_over_s_1_6() -> None:
    assert kubelka_munk(0.2, 0, 0, 0).outputs == {"k_over_s": 1.6, "k_over_s_of_dye": 1.6}


def test_the_reference_itself_has_full_strength_and_its_own_concentration() -> None:
    outputs = kubelka_munk(0.2, 0.78, 0.2, 1.5).outputs
    assert outputs["strength_percent"] == pytest.approx(100)
    assert outputs["owf_percent"] == pytest.approx(1.5)


def test_twice_the_dye_by_k_over_s_is_twice_the_strength() -> None:
    # K/S of 3.2 belongs to R = 1 + 3.2 - sqrt(3.2^2 + 2 * 3.2).
    doubled = 1 + 3.2 - (3.2**2 + 2 * 3.2) ** 0.5
    assert kubelka_munk(doubled, 0, 0.2, 1.0).outputs["owf_percent"] == pytest.approx(2.0, abs=1e-6)


def test_a_shade_near_saturation_is_flagged() -> None:
    assert "近饱和" in kubelka_munk(0.02, 0, 0, 0).notes[0]["zh"]


@pytest.mark.parametrize(
    "wrong", [(20, 0, 0, 0), (0, 0, 0, 0), (0.2, 78, 0, 0), (0.9, 0.8, 0, 0), (0.2, 0.8, 0.85, 1), (0.2, 0, 0.2, -1)]
)
def test_reflectances_that_cannot_be_are_refused(wrong: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        kubelka_munk(*wrong)
