"""Amounts in a query, and which of a tool's inputs they fill."""

from __future__ import annotations

import pytest

from services.gateway.search.quantities import found_in
from services.gateway.search.slots import filled
from shared.search.analysis import normalise


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("每小时5吨蒸汽折多少标煤", [(5.0, "t", "h")]),
        ("5t/h", [(5.0, "t", "h")]),
        ("五吨", [(5.0, "t", "")]),
        ("两千件抽几件", [(2000.0, "件", "")]),
        ("1.5万件订单", [(15000.0, "件", "")]),
        ("一万五千件", [(15000.0, "件", "")]),
        ("投五十万技改", [(500_000.0, "元", "")]),
        ("投资一百二十万每年省三十万", [(1_200_000.0, "元", ""), (300_000.0, "元", "")]),
        ("两百公斤布浴比1比8", [(200.0, "kg", ""), (8.0, "1:", "")]),
        ("每分钟六百米", [(600.0, "m", "min")]),
        ("十万度电", [(100_000.0, "kwh", "")]),
        ("温度25度", [(25.0, "°c", "")]),
        ("一点五吨", [(1.5, "t", "")]),
        ("0.8MPa", [(0.8, "mpa", "")]),
        ("一百五十立方天然气", [(150.0, "m3", "")]),
    ],
)
def test_shop_floor_amounts_are_read(text: str, meant: list[tuple[float, str, str]]) -> None:
    assert [(each.value, each.unit, each.per) for each in found_in(normalise(text))] == meant


@pytest.mark.parametrize(
    "text", ["", "M12螺栓", "万能试验机", "什么是OEE", "一", "百分之", "千瓦", "a" * 300, "每" * 300]
)
def test_what_is_no_amount_is_none(text: str) -> None:
    assert found_in(normalise(text)) == ()


STEAM = [
    {"name": "steam_kg", "unit": "kg", "title_zh": "低压蒸汽", "minimum": 0, "maximum": 1e8},
    {"name": "raw_coal_kg", "unit": "kg", "title_zh": "原煤", "minimum": 0, "maximum": 1e8},
    {"name": "electricity_kwh", "unit": "kWh", "title_zh": "用电量", "minimum": 0, "maximum": 1e8},
]


def fill(inputs: list[dict[str, object]], text: str) -> dict[str, object]:
    plain = normalise(text)
    return filled(inputs, plain, found_in(plain))


def test_an_amount_fills_the_input_that_its_neighbours_name_in_the_inputs_unit() -> None:
    assert fill(STEAM, "每小时5吨蒸汽折多少标煤") == {"steam_kg": 5000.0}
    assert fill(STEAM, "烧了两吨原煤和三百度电") == {"raw_coal_kg": 2000.0, "electricity_kwh": 300.0}


def test_an_amount_that_could_mean_two_inputs_fills_none() -> None:
    assert fill(STEAM, "5吨折多少标煤") == {}


def test_a_value_beyond_an_inputs_limits_is_not_filled_in() -> None:
    inputs = [{"name": "pressure", "unit": "MPa", "title_zh": "蒸汽压力", "minimum": 0.1, "maximum": 2.0}]
    assert fill(inputs, "蒸汽压力0.8MPa折多少") == {"pressure": 0.8}
    assert fill(inputs, "蒸汽压力80MPa折多少") == {}


def test_choices_are_filled_by_their_name_as_a_word() -> None:
    inputs = [
        {"name": "thread", "title_zh": "规格", "choices": ["M8", "M10", "M12"]},
        {"name": "grade", "title_zh": "等级", "choices": ["8.8", "10.9"]},
    ]
    assert fill(inputs, "M12 8.8级螺栓拧多少力矩") == {"thread": "M12", "grade": "8.8"}
    assert fill(inputs, "螺栓拧多少力矩") == {}


def test_a_rate_is_not_taken_for_an_amount_of_another_time() -> None:
    inputs = [{"name": "flow", "unit": "t/h", "title_zh": "蒸汽流量", "minimum": 0, "maximum": 100}]
    assert fill(inputs, "每小时5吨蒸汽怎么算") == {"flow": 5.0}
    assert fill(inputs, "每天5吨蒸汽怎么算") == {}
