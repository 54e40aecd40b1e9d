"""Key figures of production, stock and payback against worked values that were computed apart from this code."""

from __future__ import annotations

import math
from typing import Any

import pytest

from services.models.tools.investment import annuity, internal_rate, retrofit_payback
from services.models.tools.production import oee, operations_kpi
from services.models.tools.stock import order_quantity, safety_stock

SHIFT = {"planned_min": 480, "production_min": 390, "cycle_min": 0.5, "output_pieces": 700, "good_pieces": 686}
UNIT: dict[str, float] = {
    "planned_min": 480, "busy_min": 450, "setup_min": 45, "production_min": 390, "delay_min": 12, "cycle_min": 0.5,
    "output_pieces": 700, "good_pieces": 686, "scrap_pieces": 6, "rework_pieces": 8, "inspected_pieces": 700,
    "first_pass_pieces": 679, "order_h": 7.5, "failures": 2, "running_h": 6.6, "repair_h": 0.3,
}  # fmt: skip
STOCK: dict[str, float] = {
    "service_factor": 1.65, "demand_deviation": 20, "lead_days": 9, "daily_demand": 100, "lead_deviation_days": 0,
}  # fmt: skip
ORDER: dict[str, float] = {
    "annual_demand": 12_000, "order_yuan": 200, "holding_yuan": 3, "pack_pieces": 1, "present_pieces": 0,
}  # fmt: skip
RETROFIT: dict[str, Any] = {
    "equipment_yuan": 2_000_000, "technology_yuan": 500_000, "annual_benefit_yuan": 700_000, "discount_rate": 0.08,
    "years": 8, "recognised": "是",
}  # fmt: skip


def test_the_worked_shift_has_an_oee_of_71_46_percent() -> None:
    outputs = oee(**SHIFT).outputs
    assert outputs["availability_percent"] == pytest.approx(81.25)
    assert outputs["effectiveness_percent"] == pytest.approx(89.74, abs=0.005)
    assert outputs["quality_percent"] == pytest.approx(98)
    assert outputs["oee_percent"] == pytest.approx(71.46, abs=0.005)


def test_losses_and_good_time_add_up_to_the_planned_time() -> None:
    outputs = oee(**SHIFT).outputs
    losses = sum(outputs[name] for name in ("stop_loss_min", "speed_loss_min", "quality_loss_min"))
    assert losses + 0.5 * 686 == pytest.approx(480)
    assert outputs["oee_percent"] == pytest.approx(100 * 0.5 * 686 / 480)


@pytest.mark.parametrize(
    ("change", "less", "regained"),
    [
        ({}, {"production_min": 399.0, "output_pieces": 700 * 399 / 390, "good_pieces": 686 * 399 / 390}, "stops"),
        ({"production_min": 470}, {"output_pieces": 724.0, "good_pieces": 724 * 0.98}, "speed"),
        ({"production_min": 480, "output_pieces": 960, "good_pieces": 800}, {"good_pieces": 816.0}, "defects"),
    ],
)
def test_a_tenth_less_of_the_largest_loss_is_worth_what_a_recount_gives(
    change: dict[str, float], less: dict[str, float], regained: str
) -> None:
    now = {**SHIFT, **change}
    note = oee(**now).notes[1]["en"]
    assert regained in note
    more = less["good_pieces"] - now["good_pieces"]
    assert f"about {more:.1f} good pieces" in note


def test_effectiveness_above_one_hundred_says_that_the_cycle_is_wrong() -> None:
    answer = oee(**{**SHIFT, "cycle_min": 0.6})
    assert answer.outputs["effectiveness_percent"] > 100
    assert "不能用" in answer.notes[0]["zh"]
    assert answer.outputs["longest_cycle_min"] == pytest.approx(390 / 700, abs=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [{"production_min": 500}, {"good_pieces": 701}, {"output_pieces": 0}, {"production_min": 0}, {"good_pieces": -1}],
)
def test_a_shift_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        oee(**{**SHIFT, **wrong})


def test_the_set_of_key_figures_follows_its_definitions() -> None:
    outputs = operations_kpi(**UNIT).outputs
    assert outputs["oee_percent"] == pytest.approx(oee(**SHIFT).outputs["oee_percent"])
    assert outputs["allocation_percent"] == pytest.approx(93.75)
    assert outputs["utilisation_percent"] == pytest.approx(86.6667, abs=1e-4)
    assert outputs["technical_percent"] == pytest.approx(100 * 390 / 402, abs=1e-5)
    assert outputs["setup_percent"] == pytest.approx(100 * 45 / 435, abs=1e-5)
    assert outputs["nee_percent"] == pytest.approx(100 * 435 / 480 * (350 / 390) * 0.98, abs=1e-4)
    assert outputs["first_pass_percent"] == pytest.approx(97)
    assert outputs["throughput_per_h"] == pytest.approx(700 / 7.5, abs=1e-5)
    assert (outputs["mtbf_h"], outputs["mttr_h"]) == (pytest.approx(2.2), pytest.approx(0.1))


def test_net_effectiveness_is_the_oee_with_setup_counted_as_use() -> None:
    outputs = operations_kpi(**UNIT).outputs
    assert outputs["nee_percent"] / outputs["oee_percent"] == pytest.approx(435 / 390)
    without = operations_kpi(**{**UNIT, "setup_min": 0}).outputs
    assert without["nee_percent"] == pytest.approx(without["oee_percent"])


def test_a_key_figure_without_its_quantities_is_left_out() -> None:
    outputs = operations_kpi(
        **{**UNIT, "inspected_pieces": 0, "first_pass_pieces": 0, "order_h": 0, "running_h": 0}
    ).outputs
    assert not {"first_pass_percent", "throughput_per_h", "mtbf_h", "mttr_h"} & set(outputs)


def test_counts_that_disagree_and_times_that_are_missing_are_said() -> None:
    notes = operations_kpi(**{**UNIT, "rework_pieces": 30, "production_min": 300, "cycle_min": 0.4}).notes
    said = " ".join(note["zh"] for note in notes)
    assert "合计 722，与产出 700 不符" in said
    assert "没有记录去向：93 min" in said


@pytest.mark.parametrize(
    "wrong", [{"busy_min": 490}, {"setup_min": 60}, {"scrap_pieces": 701}, {"first_pass_pieces": 701}, {"repair_h": -1}]
)
def test_times_and_counts_that_do_not_fit_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        operations_kpi(**{**UNIT, **wrong})


def test_the_worked_item_needs_99_pieces_of_safety_stock_and_is_ordered_at_999() -> None:
    outputs = safety_stock(**STOCK).outputs
    assert (outputs["safety_pieces"], outputs["reorder_pieces"]) == (pytest.approx(99), pytest.approx(999))
    assert outputs["service_percent"] == pytest.approx(95.05, abs=0.005)


def test_variances_of_demand_and_lead_time_add_up() -> None:
    both = safety_stock(**{**STOCK, "lead_deviation_days": 2}).outputs
    lead = safety_stock(**{**STOCK, "lead_deviation_days": 2, "demand_deviation": 0}).outputs
    assert both["safety_pieces"] == pytest.approx(math.hypot(99, lead["safety_pieces"]), abs=1e-4)
    assert lead["safety_pieces"] == pytest.approx(1.65 * 200)
    assert both["lead_share_percent"] == pytest.approx(100 * 40_000 / 43_600, abs=1e-4)


def test_the_saving_named_for_the_main_cause_is_what_a_new_computation_gives() -> None:
    late = {**STOCK, "lead_deviation_days": 3}
    saved = (
        safety_stock(**late).outputs["safety_pieces"]
        - safety_stock(**{**late, "lead_deviation_days": 1.5}).outputs["safety_pieces"]
    )
    assert f"可少约 {saved:.0f} 件" in safety_stock(**late).notes[1]["zh"]


def test_intermittent_demand_is_flagged() -> None:
    notes = safety_stock(**{**STOCK, "demand_deviation": 3, "daily_demand": 1}).notes
    assert "间断需求" in notes[-1]["zh"]


@pytest.mark.parametrize("wrong", [{"service_factor": 95}, {"lead_days": 0}, {"demand_deviation": -1}])
def test_stock_that_cannot_be_computed_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        safety_stock(**{**STOCK, **wrong})


def test_the_worked_item_is_ordered_in_1265_pieces() -> None:
    outputs = order_quantity(**ORDER).outputs
    assert outputs["quantity_pieces"] == pytest.approx(1265, abs=0.5)
    assert outputs["orders_per_year"] * outputs["quantity_pieces"] == pytest.approx(12_000)


def test_at_the_economic_quantity_ordering_costs_as_much_as_holding() -> None:
    outputs = order_quantity(**ORDER).outputs
    assert outputs["cost_yuan"] == pytest.approx(2 * 12_000 * 200 / outputs["quantity_pieces"], abs=0.01)


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_a_quarter_off_costs_two_and_a_half_percent(factor: float) -> None:
    best = order_quantity(**ORDER).outputs
    off = order_quantity(**{**ORDER, "present_pieces": best["quantity_pieces"] * factor}).outputs
    assert off["present_excess_yuan"] / best["cost_yuan"] == pytest.approx(0.025, abs=1e-5)


@pytest.mark.parametrize(("pack", "whole"), [(500, 1500), (1000, 1000), (1200, 1200), (5000, 5000)])
def test_whole_packs_are_the_cheaper_of_the_neighbours(pack: float, whole: float) -> None:
    assert order_quantity(**{**ORDER, "pack_pieces": pack}).outputs["whole_packs_pieces"] == whole


@pytest.mark.parametrize(
    "wrong", [{"holding_yuan": 0}, {"annual_demand": 0}, {"pack_pieces": 0}, {"present_pieces": -5}]
)
def test_an_order_that_cannot_be_computed_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        order_quantity(**{**ORDER, **wrong})


def test_the_worked_retrofit_is_granted_300000_and_pays_back_in_3_14_years() -> None:
    outputs = retrofit_payback(**RETROFIT).outputs
    assert outputs["grant_yuan"] == 300_000
    assert outputs["payback_years"] == pytest.approx(3.14, abs=0.005)
    assert outputs["npv_yuan"] == pytest.approx(1_822_647, abs=0.5)


def test_an_unrecognised_project_is_granted_nothing() -> None:
    outputs = retrofit_payback(**{**RETROFIT, "recognised": "否"}).outputs
    assert outputs["grant_yuan"] == 0
    assert outputs["net_investment_yuan"] == 2_500_000


def test_the_grant_ends_at_fifteen_million() -> None:
    outputs = retrofit_payback(**{**RETROFIT, "equipment_yuan": 300_000_000}).outputs
    assert outputs["grant_yuan"] == 15_000_000


def test_at_the_internal_rate_the_net_present_value_is_nought() -> None:
    rate = retrofit_payback(**RETROFIT).outputs["irr_percent"] / 100
    assert abs(retrofit_payback(**{**RETROFIT, "discount_rate": rate}).outputs["npv_yuan"]) < 20


def test_the_benefit_needed_breaks_even_and_is_paid_back_at_the_end() -> None:
    needed = retrofit_payback(**RETROFIT).outputs["benefit_needed_yuan"]
    outputs = retrofit_payback(**{**RETROFIT, "annual_benefit_yuan": needed + 0.01}).outputs
    assert abs(outputs["npv_yuan"]) < 0.1
    assert outputs["discounted_payback_years"] == pytest.approx(8, abs=1e-3)


def test_without_a_benefit_there_is_no_payback() -> None:
    answer = retrofit_payback(**{**RETROFIT, "annual_benefit_yuan": 0})
    assert answer.outputs["npv_yuan"] == -2_200_000
    assert not {"payback_years", "irr_percent", "discounted_payback_years"} & set(answer.outputs)
    assert "收不回" in answer.notes[0]["zh"]


def test_an_annuity_without_interest_is_the_number_of_years() -> None:
    assert annuity(0, 8) == 8
    # 8 payments of one buy back 8 at no interest; two payments of one buy 1.5 at 21.53 %, by (1+r)^2 1.5 = (1+r) + 1.
    assert internal_rate(8, 8) == pytest.approx(0, abs=1e-9)
    assert internal_rate(1.5, 2) == pytest.approx((1 + math.sqrt(7)) / 3 - 1)


def test_that_the_plan_has_ended_is_said_beside_a_grant() -> None:
    assert "期限已过" in retrofit_payback(**RETROFIT).notes[1]["zh"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"discount_rate": 8}, {"years": 2.5}, {"years": 0}, {"annual_benefit_yuan": -1},
        {"equipment_yuan": 0, "technology_yuan": 0},
    ],
)  # fmt: skip
def test_a_retrofit_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        retrofit_payback(**{**RETROFIT, **wrong})
