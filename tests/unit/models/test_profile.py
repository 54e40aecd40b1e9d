"""What is wrong with a table is named by its code and its column, and a clean table is left in peace."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.models.intake import tables
from services.models.logic.target_warnings import target_warnings
from services.models.logic.trainings import features_of
from services.models.training.profile import profile
from services.models.training.table_warnings import WORDS

Rows = list[list[Any]]
START = datetime(2024, 3, 1)


def file_of(header: list[str], rows: Rows) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode("gb18030")


def looked_at(content: bytes, target: str = "") -> tuple[dict[str, Any], list[dict[str, Any]]]:
    found = profile(tables.read(content))
    return found, found["warnings"] + (target_warnings(found, target) if target else [])


def stenter(rows: int = 400, seed: int = 1) -> tuple[list[str], Rows]:
    """A clean hour-by-hour log of a stenter: output, temperatures, humidity, energy with noise."""
    chance = random.Random(seed)
    made: Rows = []
    for hour in range(rows):
        cloth = round(chance.uniform(200, 600), 1)
        temperature = round(chance.gauss(180, 6), 1)
        humidity = round(chance.uniform(8, 16), 2)
        energy = round(0.9 * cloth + 2.5 * (temperature - 150) + chance.gauss(0, 25), 1)
        line = chance.choice(["1号机", "2号机", "3号机"])
        made.append([f"{START + timedelta(hours=hour):%Y/%m/%d %H:%M}", line, cloth, temperature, humidity, energy])
    return ["时间", "设备", "产量(kg)", "温度(℃)", "湿度(g/kg)", "电量(kWh)"], made


def quality(rows: int = 400, seed: int = 2) -> tuple[list[str], Rows]:
    """A clean record of inspected parts, one in five bad."""
    chance = random.Random(seed)
    made: Rows = []
    for _ in range(rows):
        pressure, speed = round(chance.gauss(80, 8), 2), round(chance.gauss(1.2, 0.2), 3)
        bad = chance.random() < (0.5 if pressure > 86 else 0.12)
        made.append([chance.choice("ABC"), pressure, speed, round(chance.gauss(25, 3), 1), "不合格" if bad else "合格"])
    return ["模具", "压力(MPa)", "速度(m/s)", "室温(℃)", "结果"], made


def changed(make: Callable[[], tuple[list[str], Rows]], change: Callable[[list[str], Rows], Any]) -> bytes:
    header, rows = make()
    change(header, rows)
    return file_of(header, rows)


def cell(column: int, value: Callable[[Any, int], Any]) -> Callable[[list[str], Rows], None]:
    def change(_: list[str], rows: Rows) -> None:
        for place, row in enumerate(rows):
            row[column] = value(row[column], place)

    return change


def extra(name: str, value: Callable[[list[Any], int], Any]) -> Callable[[list[str], Rows], None]:
    def change(header: list[str], rows: Rows) -> None:
        header.append(name)
        for place, row in enumerate(rows):
            row.append(value(row, place))

    return change


def swap_times(_: list[str], rows: Rows) -> None:
    rows[50][0], rows[90][0] = rows[90][0], rows[50][0]


def repeat_rows(_: list[str], rows: Rows) -> None:
    rows += [list(row) for row in rows[100:110]]
    rows.sort(key=lambda row: row[0])


CHANCE = random.Random(7)
FAULTS: list[tuple[str, str | None, str, Callable[[], bytes]]] = [
    # code, column, target, file
    ("leakage_equal", "电表读数差", "电量",
     lambda: changed(stenter, extra("电表读数差", lambda row, _: round(row[5] * 1.0002 + 0.01, 2)))),
    ("leakage_equal", "电量_kJ", "电量(kWh)", lambda: changed(stenter, extra("电量_kJ", lambda row, _: row[5] * 3600))),
    ("leakage_sum", "白天、夜间", "全天",
     lambda: changed(stenter, lambda header, rows: (
         extra("白天", lambda row, _: round(CHANCE.uniform(10, 90), 1))(header, rows),
         extra("夜间", lambda row, _: round(CHANCE.uniform(10, 60), 1))(header, rows),
         extra("全天", lambda row, _: round(row[6] + row[7], 1))(header, rows)))),
    ("leakage_sum", "产量、电量", "单耗",
     lambda: changed(stenter, extra("单耗", lambda row, _: round(row[5] / row[2], 5)))),
    ("leakage_sum", "毛重、皮重", "净重",
     lambda: changed(stenter, lambda header, rows: (
         extra("毛重", lambda row, _: round(CHANCE.uniform(900, 1200), 1))(header, rows),
         extra("皮重", lambda row, _: round(CHANCE.uniform(50, 90), 1))(header, rows),
         extra("净重", lambda row, _: round(row[6] - row[7], 1))(header, rows)))),
    ("leakage_determines", "处置", "结果",
     lambda: changed(quality, extra("处置", lambda row, _: "返工" if row[4] == "不合格" else "入库"))),
    ("leakage_determines", "返工工时", "结果",
     lambda: changed(quality, extra("返工工时", lambda row, _: round(CHANCE.uniform(0.5, 3), 2) if row[4] == "不合格" else 0))),
    ("leakage_determines", "缺陷分", "结果",
     lambda: changed(quality, extra("缺陷分", lambda row, _: round(CHANCE.uniform(60, 99) if row[4] == "不合格" else CHANCE.uniform(1, 59), 3)))),
    ("constant", "厂区", "", lambda: changed(stenter, extra("厂区", lambda row, _: "一厂"))),
    ("nearly_empty", "备注值", "", lambda: changed(stenter, extra("备注值", lambda row, place: 1.5 + place if place % 20 == 0 else ""))),
    ("nearly_empty", "停用", "", lambda: changed(stenter, extra("停用", lambda row, _: "-"))),
    ("duplicate_rows", None, "", lambda: changed(quality, lambda header, rows: rows.extend([list(row) for row in rows[100:120]]))),
    ("sorted_by_class", "结果", "结果", lambda: changed(quality, lambda header, rows: rows.sort(key=lambda row: row[4]))),
    ("merged_headers", None, "", lambda: changed(
        stenter, lambda header, rows: (rows.insert(0, ["", "", "", "进口", "出口", ""]),
                                       header.__setitem__(slice(None), ["时间", "设备", "产量", "温度", "", "电量"])))),
    ("mixed_units", "电量", "", lambda: changed(stenter, cell(5, lambda value, place: value / 1000 if place % 7 == 0 else value))),
    ("mixed_units", "电量", "", lambda: changed(stenter, cell(5, lambda value, place: f"{value} {'MWh' if place % 9 == 0 else 'kWh'}"))),
    ("mixed_units", "湿度", "", lambda: changed(stenter, cell(4, lambda value, place: f"{value}%" if place % 3 else value / 100))),
    ("too_few_rows", None, "", lambda: changed(lambda: stenter(30), lambda header, rows: None)),
    ("time_out_of_order", "时间", "", lambda: changed(stenter, swap_times)),
    ("time_out_of_order", "时间", "", lambda: changed(stenter, lambda header, rows: random.Random(3).shuffle(rows))),
    ("time_gaps", "时间", "", lambda: changed(stenter, lambda header, rows: rows.__delitem__(slice(100, 130)))),
    ("time_duplicated", "时间", "", lambda: changed(stenter, cell(0, lambda value, place: f"{START + timedelta(hours=place - (place == 77)):%Y/%m/%d %H:%M}"))),
    ("duplicate_rows", None, "", lambda: changed(stenter, repeat_rows)),
    ("outliers", "温度", "", lambda: changed(stenter, cell(3, lambda value, place: 9999 if place in (40, 41) else value))),
    ("outliers", "产量", "", lambda: changed(stenter, cell(2, lambda value, place: -99999 if place == 12 else value))),
    ("id_as_feature", "批号", "", lambda: changed(stenter, extra("批号", lambda row, place: f"B{place:05d}"))),
    ("id_as_feature", "序号", "", lambda: changed(stenter, extra("序号", lambda row, place: place + 1))),
    ("id_as_feature", "设备编号", "", lambda: changed(stenter, extra("设备编号", lambda row, place: f"{place * 37 % 1000000:06d}"))),
    ("text_numbers", "湿度", "", lambda: changed(stenter, cell(4, lambda value, place: "约12" if place % 50 == 0 else value))),
    ("text_numbers", "产量", "", lambda: changed(stenter, cell(2, lambda value, place: "停机" if place % 4 == 0 else value))),
    ("inconsistent_categories", "设备", "", lambda: changed(stenter, cell(1, lambda value, place: f" {value}" if place % 40 else value.replace("号机", "号 机")))),
    ("inconsistent_categories", "模具", "", lambda: changed(quality, cell(0, lambda value, place: f"{value.lower()}线 " if place % 30 == 0 else f"{value}线"))),
    ("single_class", "结果", "结果", lambda: changed(quality, cell(4, lambda value, place: "合格"))),
    ("imbalance", "结果", "结果", lambda: changed(quality, cell(4, lambda value, place: "不合格" if place in (11, 99, 250) else "合格"))),
    ("time_zone", "时间", "", lambda: changed(stenter, cell(0, lambda value, place: f"{START + timedelta(hours=place):%Y-%m-%dT%H:%M:%SZ}"))),
    ("time_zone", "时间", "", lambda: changed(stenter, cell(0, lambda value, place: f"{START + timedelta(hours=place):%Y-%m-%d %H:%M:%S}{'+08:00' if place % 2 else ''}"))),
    ("ambiguous_dates", "日期", "", lambda: changed(lambda: quality(120), extra("日期", lambda row, place: f"{place % 12 + 1:02d}/{place // 12 + 1:02d}/2024"))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "column", "target", "make"), FAULTS, ids=[f"{place}-{each[0]}" for place, each in enumerate(FAULTS)]
)
def test_a_planted_fault_is_named(code: str, column: str | None, target: str, make: Callable[[], bytes]) -> None:
    _, found = looked_at(make(), target)
    assert (code, column) in [(each["code"], each["column"]) for each in found], [
        (each["code"], each["column"], each["found"]["zh"]) for each in found
    ]


def test_every_code_about_columns_and_rows_has_a_planted_fault() -> None:
    of_reading = {"title_rows", "total_rows", "ragged_rows", "several_sheets", "duplicate_headers", "excel_serials"}
    assert {each[0] for each in FAULTS} == set(WORDS) - of_reading
    assert len(FAULTS) >= 30


def night_shift() -> tuple[list[str], Rows]:
    """Working hours only: nights are a rhythm, not gaps."""
    header, rows = stenter(600)
    return header, [row for row in rows if 8 <= int(str(row[0])[11:13]) < 20]


def by_machine() -> tuple[list[str], Rows]:
    """Three machines one after the other, each in order of time."""
    header, rows = stenter(300)
    return header, [
        [row[0], machine, *[round(each * factor, 2) for each in row[2:]]]
        for machine, factor in (("1#", 1.0), ("2#", 1.1), ("3#", 0.93))
        for row in rows
    ]


def skewed() -> tuple[list[str], Rows]:
    """Waiting times and costs: long tails are no outliers."""
    chance = random.Random(5)
    rows: Rows = [
        [round(chance.lognormvariate(2, 1.2), 2), round(chance.expovariate(0.1), 2), chance.choice("甲乙丙"),
         chance.randint(0, 4)]
        for _ in range(500)
    ]  # fmt: skip
    return ["等待(min)", "费用(元)", "班组", "缺陷数"], rows


def monthly() -> tuple[list[str], Rows]:
    chance = random.Random(6)
    rows: Rows = [
        [f"{2015 + month // 12}年{month % 12 + 1}月", round(chance.gauss(120, 15), 1), round(chance.gauss(900, 80), 1)]
        for month in range(96)
    ]
    return ["月份", "用电量(万千瓦时)", "产值(万元)"], rows


def sparse_events() -> tuple[list[str], Rows]:
    """Events of irregular times, many zeros, categories, a true and a false."""
    chance = random.Random(8)
    moment, rows = START, []
    for _ in range(400):
        moment += timedelta(minutes=chance.randint(3, 300))
        rows.append(
            [f"{moment:%Y-%m-%d %H:%M}", chance.choice(["断经", "断纬", "机械"]), max(0, chance.randint(-5, 9)),
             chance.choice(["是", "否"]), round(chance.uniform(1, 60), 1)]
        )  # fmt: skip
    return ["发生时间", "原因", "停机次数", "已处理", "时长(min)"], rows


def spaced(rows: int, seed: int) -> tuple[list[str], Rows]:
    """Related columns that do not follow from one another: noise keeps them apart."""
    chance = random.Random(seed)
    made: Rows = []
    for _ in range(rows):
        current = chance.uniform(20, 90)
        made.append(
            [round(current, 2), round(current * 0.38 + chance.gauss(0, 1.5), 2), round(chance.gauss(400, 3), 1),
             round(chance.uniform(0.75, 0.98), 3), chance.choice(["高", "中", "低"])]
        )  # fmt: skip
    return ["电流(A)", "功率(kW)", "电压(V)", "功率因数", "负荷"], made


CLEAN: list[tuple[Callable[[], tuple[list[str], Rows]], str]] = [
    (stenter, "电量"), (quality, "结果"), (night_shift, "电量"), (by_machine, "电量"), (skewed, "等待"),
    (monthly, "用电量"), (sparse_events, "时长"), (lambda: spaced(300, 9), "功率"),
    (lambda: stenter(5000, 11), "产量"), (lambda: quality(2000, 12), "结果"), (lambda: spaced(60, 13), "负荷"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "target"), CLEAN, ids=[str(place) for place in range(len(CLEAN))])
def test_a_clean_table_raises_no_alarm(make: Callable[[], tuple[list[str], Rows]], target: str) -> None:
    _, found = looked_at(file_of(*make()), target)
    assert not found, [(each["code"], each["column"], each["found"]["zh"]) for each in found]


def test_a_workbook_gives_the_same_warnings_as_its_csv() -> None:
    openpyxl = pytest.importorskip("openpyxl")
    header, rows = stenter()
    extra("序号", lambda row, place: place + 1)(header, rows)
    made = openpyxl.Workbook()
    for row in [header, *rows]:
        made.active.append([datetime.strptime(row[0], "%Y/%m/%d %H:%M") if row[0] != "时间" else row[0], *row[1:]])
    out = io.BytesIO()
    made.save(out)
    from_book, _ = looked_at(out.getvalue())
    from_text, _ = looked_at(file_of(header, rows))
    assert from_book == from_text


def test_suspects_and_identifiers_are_left_out_unless_the_user_names_the_features() -> None:
    content = changed(
        stenter,
        lambda header, rows: (
            extra("单耗", lambda row, _: round(row[5] / row[2], 5))(header, rows),
            extra("序号", lambda row, place: place + 1)(header, rows),
        ),
    )
    found, _ = looked_at(content)
    asked = {"target": "单耗", "features": [], "time": "时间", "group": None}
    names, left_out = features_of(found, asked)
    assert names == ["设备", "产量", "温度", "湿度"], "output is planned, energy is measured with its ratio"
    assert {(each["column"], each["code"]) for each in left_out} == {("电量", "leakage_sum"), ("序号", "id_as_feature")}
    assert features_of(found, {**asked, "target": "电量"})[0] == ["设备", "产量", "温度", "湿度"], "the ratio goes"
    assert features_of(found, {**asked, "features": ["电量", "温度"]}) == (["电量", "温度"], [])
    relations = [each for each in found["relations"] if each["target"] == "单耗"]
    assert [each["said"]["zh"] for each in relations] == ["单耗 = 电量 ÷ 产量"]


def test_warnings_say_line_value_and_what_to_do_in_both_languages() -> None:
    _, found = looked_at(changed(stenter, cell(3, lambda value, place: 9999 if place == 40 else value)))
    (outlier,) = found
    assert "9999" in outlier["found"]["zh"] and "42" in outlier["found"]["zh"]
    assert "9999" in outlier["found"]["en"] and outlier["do"]["zh"] and outlier["do"]["en"]
    for each in WORDS.values():
        assert len(each) == 4 and all(each)
