"""Line balancing and load shifting against published optima and cases solved by hand."""

from __future__ import annotations

from typing import Any

import pytest

from services.models.tools.balancing import line_balance
from services.models.tools.load_shifting import peak_shift

JACKSON = (
    ("1", 6, ""), ("2", 2, "1"), ("3", 5, "1"), ("4", 7, "1"), ("5", 1, "1"), ("6", 2, "2"), ("7", 3, "3,4,5"),
    ("8", 6, "6"), ("9", 5, "7"), ("10", 5, "8"), ("11", 4, "9,10"),
)  # fmt: skip


def quiet(_fraction: float, _message: str) -> None:
    pass


def balanced(rows: Any, takt_s: float) -> Any:
    operations = [{"operation": name, "seconds": seconds, "after": after} for name, seconds, after in rows]
    return line_balance(operations, 28800 / takt_s, 28800, 30, quiet)


@pytest.mark.parametrize(("takt_s", "stations"), [(7, 8), (9, 6), (10, 5), (13, 4), (14, 4), (21, 3)])
def test_jacksons_line_needs_the_published_stations(takt_s: float, stations: int) -> None:
    outputs = balanced(JACKSON, takt_s).outputs
    assert (outputs["stations"], outputs["bound_stations"]) == (stations, stations)
    assert outputs["balance_rate_percent"] == pytest.approx(100 * 46 / (stations * outputs["cycle_s"]), abs=0.01)


def test_no_operation_stands_before_those_that_come_before_it() -> None:
    answer = balanced(JACKSON, 10)
    station = {name: row[0] for row in answer.tables[0]["rows"] for name in row[1].split("、")}
    assert len(station) == len(JACKSON)
    for name, _, after in JACKSON:
        assert all(station[earlier] <= station[name] for earlier in after.split(",") if earlier)
    assert all(row[2] <= 10 for row in answer.tables[0]["rows"])


def test_the_longest_station_is_as_short_as_can_be() -> None:
    # 4 + 3 + 2 + 3 in this order at a takt of 9: two stations, best parted into 4 + 3 | 2 + 3, never 4 + 3 + 2 | 3.
    outputs = balanced((("a", 4, ""), ("b", 3, "a"), ("c", 2, "b"), ("d", 3, "c")), 9).outputs
    assert (outputs["stations"], outputs["cycle_s"]) == (2, 7)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ((("a", 12, ""),), "超过节拍"),
        ((("a", 1, "z"),), "不在表里"),
        ((("a", 1, "b"), ("b", 1, "a")), "成环"),
        ((("a", 1, ""), ("a", 1, "")), "重名"),
    ],
)
def test_lines_that_cannot_be_are_refused_in_words(rows: Any, said: str) -> None:
    with pytest.raises(ValueError, match=rf"{said}.* / .+"):
        balanced(rows, 10)


def tariff(*rows: tuple[float, float, float, float]) -> list[dict[str, Any]]:
    return [{"start_h": a, "end_h": b, "yuan_per_kwh": price, "base_kw": base} for a, b, price, base in rows]


def load(
    name: str, kw: float, hours: float, window: tuple[float, float], now: float, pause: str = "否"
) -> dict[str, Any]:
    return {
        "load": name, "kw": kw, "hours": hours, "earliest_h": window[0], "latest_h": window[1], "start_now_h": now,
        "may_pause": pause,
    }  # fmt: skip


def shifted(loads: list[dict[str, Any]], prices: list[dict[str, Any]], charge: float = 0, most: float = 0) -> Any:
    return peak_shift(loads, prices, charge, 25, most, 20, quiet)


NIGHT = tariff((0, 8, 0.3, 10), (8, 24, 1.0, 50))


def test_a_load_moves_into_the_cheap_hours() -> None:
    outputs = shifted([load("炉", 100, 4, (0, 24), 9)], NIGHT).outputs
    assert outputs["saving_yuan_per_day"] == pytest.approx(100 * 4 * 0.7)
    assert outputs["saving_yuan_per_month"] == pytest.approx(25 * 280)
    assert outputs["peak_kw"] == pytest.approx(110)


def test_a_demand_charge_spreads_two_loads_over_the_night() -> None:
    loads = [load("甲", 100, 4, (0, 8), 0), load("乙", 100, 4, (0, 8), 0)]
    assert shifted(loads, NIGHT, charge=40).outputs["peak_kw"] == pytest.approx(110)
    assert shifted(loads, NIGHT, charge=40).outputs["saving_yuan_per_day"] == pytest.approx(40 / 25 * 100)


def test_a_load_that_may_not_pause_runs_in_one_piece() -> None:
    prices = tariff((0, 2, 0.3, 0), (2, 4, 1.0, 0), (4, 6, 0.3, 0), (6, 24, 2.0, 0))
    whole = shifted([load("炉", 10, 4, (0, 24), 8)], prices)
    parted = shifted([load("泵", 10, 4, (0, 24), 8, "是")], prices)
    # Any four hours in a row before six cost two at 1.0; two pieces avoid them.
    assert whole.outputs["energy_cost"] == pytest.approx(10 * (2 * 0.3 + 2 * 1.0))
    assert parted.outputs["energy_cost"] == pytest.approx(10 * 4 * 0.3)
    assert "–" in parted.tables[0]["rows"][0][3]


def test_a_window_past_midnight_uses_the_next_morning() -> None:
    answer = shifted([load("烘料", 10, 3, (20, 31), 20)], NIGHT)
    assert answer.outputs["energy_cost"] == pytest.approx(10 * 3 * 0.3)


def test_the_limit_of_the_transformer_is_kept_or_said_to_be_impossible() -> None:
    loads = [load("甲", 100, 4, (0, 8), 0), load("乙", 100, 4, (0, 8), 0)]
    assert shifted(loads, NIGHT, most=120).outputs["peak_kw"] <= 120
    with pytest.raises(ValueError, match="没有可行方案"):
        shifted(loads, NIGHT, most=90)


@pytest.mark.parametrize(
    ("loads", "prices", "said"),
    [
        ([load("炉", 10, 5, (8, 10), 8)], NIGHT, "时段只有 2 h"),
        ([load("炉", 10, 1, (8.2, 10), 8)], NIGHT, "半点"),
        ([load("炉", 10, 1, (8, 10), 8)], tariff((0, 8, 0.3, 0)), "缺 8 时"),
        ([load("炉", 10, 1, (8, 10), 8)], tariff((0, 9, 0.3, 0), (8, 24, 1, 0)), "重复"),
    ],
)
def test_windows_and_tariffs_that_cannot_be_are_refused(loads: Any, prices: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        shifted(loads, prices)
