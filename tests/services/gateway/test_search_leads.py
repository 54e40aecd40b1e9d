"""The page that a search leads to, as callers of the API see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from shared.settings import Settings
from tests.services.gateway.conftest import Door


@pytest.fixture
def door(embedded_settings: Callable[..., Settings], open_gateway: Callable[..., Door]) -> Door:
    return open_gateway(embedded_settings())


def leads(door: Door, q: str, **more: str) -> list[dict[str, Any]]:
    answer = door("GET", "/api/v1/search", query=urlencode({"q": q, **more}))
    assert answer.status == 200, answer.raw
    found: list[dict[str, Any]] = answer.body["leads"]
    return found


@pytest.mark.parametrize(
    ("q", "url"),
    [
        ("工厂诊断", "/diagnosis"),
        ("我厂智能化水平怎么样", "/diagnosis"),
        ("数字化的水平", "/diagnosis"),
        ("不知道从哪里下手", "/diagnosis"),
        ("印染厂诊断", "/diagnosis?industry=dyeing"),
        ("紧固件厂自动化水平怎么样", "/diagnosis?industry=fastener"),
        ("汽车零部件厂智能制造成熟度", "/diagnosis?industry=auto_parts"),
    ],
)
def test_who_asks_how_the_factory_stands_is_led_to_the_self_check_of_the_industry(door: Door, q: str, url: str) -> None:
    assert [(each["kind"], each["url"]) for each in leads(door, q)] == [("diagnosis", url)]
    assert leads(door, q)[0]["title"] == "做一次自查诊断，看先改哪里"
    assert leads(door, q, lang="en")[0]["title"] == "Check the factory yourself: where to begin"
    assert leads(door, q, literal="true") == []


@pytest.mark.parametrize("q", ["印染技改有什么补贴", "液位水平仪怎么校", "水平度"])
def test_other_questions_are_not_led_there(door: Door, q: str) -> None:
    assert [each["url"] for each in leads(door, q) if each["kind"] == "diagnosis"] == []
