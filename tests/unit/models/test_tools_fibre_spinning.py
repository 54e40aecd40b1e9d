"""Melt spinning against worked values, one of them a published product."""

from __future__ import annotations

import pytest

from services.models.tools.fibre_spinning import FDY_WINDOWS, draw_ratio, fdy_window, package_doffing, pump_throughput

NOTHING = dict.fromkeys(FDY_WINDOWS, 0.0)


def test_167_dtex_at_5000_m_min_takes_83_grams_a_minute() -> None:
    outputs = pump_throughput(167, 5000, 0.006, 12, 0).outputs
    assert outputs["g_min_per_end"] == pytest.approx(83.0, abs=0.05)
    assert outputs["kg_h"] == pytest.approx(59.8, abs=0.05)
    assert outputs["wound_g_min"] == pytest.approx(83.5)


def test_ten_kilometres_of_yarn_weigh_its_dtex() -> None:
    # At 10 km/min one minute winds what the count is defined by.
    assert pump_throughput(150, 10_000, 0, 1, 0).outputs["g_min_per_end"] == pytest.approx(150)


@pytest.mark.parametrize(("measured", "said"), [(81.3, "先查泵转速"), (83.2, "之内")])
def test_a_measured_metering_is_compared(measured: float, said: str) -> None:
    answer = pump_throughput(167, 5000, 0.006, 12, measured)
    assert answer.outputs["measured_deviation_percent"] == pytest.approx((measured / 82.999 - 1) * 100, abs=1e-4)
    assert said in answer.notes[0]["zh"]


@pytest.mark.parametrize("wrong", [(0, 5000, 0.006, 12, 0), (167, 5000, 0.6, 12, 0), (167, 5000, 0.006, 12, -1)])
def test_a_metering_that_cannot_be_is_refused(wrong: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        pump_throughput(*wrong)


def test_the_published_godets_draw_2_363() -> None:
    answer = draw_ratio(2150, 5080, 0)
    assert answer.outputs["draw_ratio"] == pytest.approx(2.363, abs=5e-4)
    assert "之内" in answer.notes[0]["zh"]


def test_a_hundredth_of_ratio_is_what_the_second_godet_moves() -> None:
    outputs = draw_ratio(2150, 5080, 0).outputs
    faster = draw_ratio(2150, 5080 + outputs["m_min_per_hundredth"], 0).outputs
    assert faster["draw_ratio"] - outputs["draw_ratio"] == pytest.approx(0.01, abs=1e-6)


def test_a_winder_faster_than_the_godet_is_said() -> None:
    answer = draw_ratio(2150, 4600, 4650)
    assert answer.outputs["overfeed_percent"] == pytest.approx(-50 / 4600 * 100, abs=1e-5)
    assert "卷绕快于热辊" in answer.notes[0]["zh"]


@pytest.mark.parametrize("wrong", [(2150, 2150, 0), (0, 5080, 0), (2150, 5080, -1)])
def test_a_draw_that_cannot_be_is_refused(wrong: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        draw_ratio(*wrong)


def test_96_packages_of_15_kg_are_770_a_day() -> None:
    outputs = package_doffing(15, 83.5, 96, 1).outputs
    assert outputs["minutes_per_package"] == pytest.approx(179.6, abs=0.05)
    assert outputs["packages_per_day"] == pytest.approx(770, abs=0.5)


def test_the_packages_of_a_day_weigh_what_was_wound() -> None:
    outputs = package_doffing(15, 83.5, 96, 12).outputs
    assert outputs["packages_per_day"] * 15 == pytest.approx(83.5 * 96 * 1.44, rel=1e-6)
    assert outputs["doffs_per_day"] * outputs["minutes_between_doffs"] == pytest.approx(1440, rel=1e-6)


@pytest.mark.parametrize("wrong", [(15, 0, 96, 1), (15, 83.5, 96, 97), (15, 83.5, 96, 0)])
def test_a_doffing_that_cannot_be_is_refused(wrong: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        package_doffing(*wrong)


@pytest.mark.parametrize("name", FDY_WINDOWS)
def test_every_window_holds_both_its_ends_and_no_more(name: str) -> None:
    *_, low, high = FDY_WINDOWS[name]
    for value, place in ((low, 0), (high, 100)):
        outputs = fdy_window(viscosity_dl_g=0.645, **{**NOTHING, name: value}).outputs
        assert (outputs["outside"], outputs["looked_at"]) == (0, 1)
        assert outputs[f"{name}_place"] == pytest.approx(place, abs=1e-6)
    above = fdy_window(viscosity_dl_g=0.645, **{**NOTHING, name: high * 1.02})
    assert above.outputs["outside"] == 1
    assert FDY_WINDOWS[name][0] in above.notes[0]["zh"]


def test_a_more_even_yarn_than_published_is_not_blamed() -> None:
    assert fdy_window(viscosity_dl_g=0.645, **{**NOTHING, "unevenness_percent": 1.1}).outputs["outside"] == 0


def test_chips_far_from_the_papers_are_flagged() -> None:
    given = {**NOTHING, "spinning_c": 290}
    assert len(fdy_window(viscosity_dl_g=0.72, **given).notes) == 2
    assert len(fdy_window(viscosity_dl_g=0.66, **given).notes) == 1


def test_a_sheet_without_any_figure_is_refused() -> None:
    with pytest.raises(ValueError, match="至少填一项"):
        fdy_window(viscosity_dl_g=0.645, **NOTHING)
