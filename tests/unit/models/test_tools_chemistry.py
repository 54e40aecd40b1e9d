"""The mole balance of a batch by hand."""

from __future__ import annotations

import pytest

from services.models.tools.chemistry import batch_yield


def test_conversion_selectivity_and_yield_by_hand() -> None:
    outputs = batch_yield(100, 20, 72, 1).outputs
    assert outputs["conversion_percent"] == pytest.approx(80)
    assert outputs["selectivity_percent"] == pytest.approx(90)
    assert outputs["yield_percent"] == pytest.approx(72)
    assert outputs["elsewhere_mol"] == pytest.approx(8)


@pytest.mark.parametrize(
    ("charged", "left", "product", "ratio"), [(100, 20, 72, 1), (250, 30, 105, 2), (3, 0.1, 1.2, 1.5)]
)
def test_yield_is_conversion_times_selectivity_and_the_moles_add_up(
    charged: float, left: float, product: float, ratio: float
) -> None:
    outputs = batch_yield(charged, left, product, ratio).outputs
    assert outputs["yield_percent"] == pytest.approx(
        outputs["conversion_percent"] * outputs["selectivity_percent"] / 100
    )
    assert left + product * ratio + outputs["elsewhere_mol"] == pytest.approx(charged)


def test_more_product_than_reactant_used_up_doubts_the_assay() -> None:
    answer = batch_yield(100, 30, 72, 1)
    assert answer.outputs["selectivity_percent"] > 100
    assert "复测" in answer.notes[0]["zh"]


@pytest.mark.parametrize(("left", "product", "said"), [(28, 71, "主要在未反应"), (1, 80, "主要在副反应")])
def test_where_the_yield_was_lost_is_said(left: float, product: float, said: str) -> None:
    assert said in batch_yield(100, left, product, 1).notes[0]["zh"]


@pytest.mark.parametrize(
    "wrong", [(0, 0, 1, 1), (100, 100, 0, 1), (100, 20, 101, 1), (100, -1, 50, 1), (100, 20, 50, 0)]
)
def test_a_balance_that_cannot_be_is_refused(wrong: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        batch_yield(*wrong)
