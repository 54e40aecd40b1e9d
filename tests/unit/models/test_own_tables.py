"""Tables as small firms have them: read as they were meant, or refused with what would be right."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from services.models.errors import UnreadableTable
from services.models.intake import sheet_table, tables, text_table
from services.models.logic import result_file
from services.models.training.table import Table

openpyxl = pytest.importorskip("openpyxl", reason="the extra `tables` is not installed")


def codes(table: Table) -> set[str]:
    return {note["code"] for note in table.notes}


def csv_of(*lines: str, encoding: str = "utf-8") -> bytes:
    return ("\n".join(lines) + "\n").encode(encoding)


def book(fill: Callable[[Any], None]) -> bytes:
    made = openpyxl.Workbook()
    fill(made.active)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_any_encoding_and_delimiter_gives_the_same_table(encoding: str, delimiter: str) -> None:
    lines = ["设备,电量,班次"] + [f"定型机{n % 3},{n}.5,{'早' if n % 2 else '中'}" for n in range(30)]
    table = tables.read(csv_of(*(line.replace(",", delimiter) for line in lines), encoding=encoding))
    assert list(table.columns) == ["设备", "电量", "班次"]
    assert table.rows == 30
    assert table.columns["电量"][:2] == [0.5, 1.5]
    assert table.columns["设备"][4] == "定型机1"
    assert not table.notes


def test_a_delimiter_inside_quotes_is_text() -> None:
    table = tables.read(csv_of("a,b", '"x, y",1', '"line\nbreak",2'))
    assert table.columns == {"a": ["x, y", "line\nbreak"], "b": [1.0, 2.0]}


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("电量(kWh)", "电量", "kWh"), ("电量（kWh）", "电量", "kWh"), ("温度/℃", "温度", "°C"), ("温度 ℃", "温度", "°C"),
        ("产量（吨）", "产量", "吨"), ("压力[MPa]", "压力", "MPa"), ("合格率(%)", "合格率", "%"), ("单耗(kWh/t)", "单耗", "kWh/t"),
        ("耗电量（单位：度）", "耗电量", "kWh"), ("产量/班", "产量/班", ""), ("kWh/t", "kWh/t", ""), ("设备(1#)", "设备(1#)", ""),
        ("A/B", "A/B", ""), ("车速(m/min)", "车速", "m/min"), ("湿度(g/kg)", "湿度", "g/kg"),
    ],
)  # fmt: skip
def test_units_are_read_from_headers(header: str, name: str, unit: str) -> None:
    table = tables.read(csv_of(f"{header},x", "1,2", "2,3"))
    assert list(table.columns) == [name, "x"]
    assert table.units.get(name, "") == unit
    assert table.headers[name] == header


def test_two_columns_that_differ_by_their_unit_keep_it_in_their_names() -> None:
    table = tables.read(csv_of("电量(kWh),电量(MWh)", "1,2", "3,4"))
    assert list(table.columns) == ["电量(kWh)", "电量(MWh)"]
    assert table.units == {"电量(kWh)": "kWh", "电量(MWh)": "MWh"}


def test_a_row_of_units_below_the_header_is_no_record() -> None:
    table = tables.read(csv_of("日期,电量,温度", "-,kWh,℃", "2024-05-01,1,20", "2024-05-02,2,21"))
    assert table.rows == 2
    assert table.units == {"电量": "kWh", "温度": "°C"}


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["１２．５", "７", "８"], [12.5, 7.0, 8.0]),
        (["1,234.5", "2，000", "-3,000,000"], [1234.5, 2000.0, -3_000_000.0]),
        (["12.5%", "7%", "100 %"], [12.5, 7.0, 100.0]),
        (["12.5 kWh", "7kWh", "8 kWh"], [12.5, 7.0, 8.0]),
        (["¥1,200", "￥35.5", "$7"], [1200.0, 35.5, 7.0]),
        (["1", "-", "3"], [1.0, None, 3.0]),
        (["1", "", "3"], [1.0, None, 3.0]),
        (["1", "#DIV/0!", "3"], [1.0, None, 3.0]),
        (["1", "NaN", "3"], [1.0, None, 3.0]),
        (["1e3", "+2", ".5"], [1000.0, 2.0, 0.5]),
    ],
)
def test_numbers_as_people_write_them(cells: list[str], values: list[float | None]) -> None:
    table = tables.read(csv_of("a\tb", *(f"{cell}\tx{place}" for place, cell in enumerate(cells))))
    assert table.columns["a"] == values


def test_a_comma_is_decimal_only_where_the_file_shows_it() -> None:
    assert tables.read(csv_of("a;b", "12,5;1", "7,25;2")).columns["a"] == [12.5, 7.25]
    assert tables.read(csv_of("a;b", "2,000;1", "3,500;2")).columns["a"] == [2000.0, 3500.0]


@pytest.mark.parametrize(
    "cells",
    [["000123", "000124", "1"], ["1_000", "2_000", "3"], ["6217001234567890123", "6217001234567890124", "1"],
     ["M8x20", "M10", "M12"], ["inf", "infinity", "x"]],
)  # fmt: skip
def test_what_only_looks_like_a_number_stays_text(cells: list[str]) -> None:
    table = tables.read(csv_of("编号,b", *(f"{cell},{place}" for place, cell in enumerate(cells))))
    assert table.columns["编号"] == cells


def test_units_of_cells_become_the_columns_unit_and_two_of_them_are_said() -> None:
    table = tables.read(csv_of("电量,x", *(f"{n} kWh,{n}" for n in range(1, 9))))
    assert table.units == {"电量": "kWh"}
    mixed = tables.read(csv_of("电量,x", *(f"{n} {'kWh' if n % 2 else 'MWh'},{n}" for n in range(1, 9))))
    assert codes(mixed) == {"mixed_units"}
    assert mixed.kinds["电量"] == "text", "adding kWh to MWh in silence would be worse than not reading them"


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2020/5/1", datetime(2020, 5, 1)), ("2020-05-01 08:30", datetime(2020, 5, 1, 8, 30)),
        ("2020年5月1日", datetime(2020, 5, 1)), ("2020年5月1日 8时30分", datetime(2020, 5, 1, 8, 30)),
        ("2020年5月", datetime(2020, 5, 1)), ("2020.5.1", datetime(2020, 5, 1)), ("20200501", datetime(2020, 5, 1)),
        ("2020/5/1 下午3:05", datetime(2020, 5, 1, 15, 5)), ("5/1/2020 3:05 PM", datetime(2020, 1, 5, 15, 5)),
        ("2020-05-01T08:30:15.25", datetime(2020, 5, 1, 8, 30, 15, 250_000)), ("２０２０／５／１", datetime(2020, 5, 1)),
        ("2020-05-01 24:00", datetime(2020, 5, 2)), ("2020-05-01T00:00:00Z", datetime(2020, 5, 1, 8)),
        ("2020-05-01 08:00:00+08:00", datetime(2020, 5, 1, 8)),
    ],
)  # fmt: skip
def test_dates_as_people_write_them(cell: str, moment: datetime) -> None:
    table = tables.read(csv_of("日期\ta", f"{cell}\t1", "2020/6/3\t2", "\t3"))
    assert table.columns["日期"] == [moment, datetime(2020, 6, 3), None]
    assert table.kinds["日期"] == "date"


def test_a_number_with_four_digits_before_its_point_is_no_month() -> None:
    table = tables.read(csv_of("产量,b", "1234.5,1", "2020.5,2", "停机,3", *(f"{1900 + n}.1,{n}" for n in range(40))))
    assert table.kinds["产量"] == "number"
    assert table.columns["产量"][:3] == [1234.5, 2020.5, None]


def test_excel_serials_are_dates_only_in_a_column_of_dates() -> None:
    table = tables.read(csv_of("日期,件数", "45413,45413", "45414.5,45414"))
    assert table.columns["日期"] == [datetime(2024, 5, 1), datetime(2024, 5, 2, 12)]
    assert table.columns["件数"] == [45413.0, 45414.0]
    assert codes(table) == {"excel_serials"}


def test_titles_totals_and_remarks_are_no_records() -> None:
    table = tables.read(
        csv_of("某车间 5 月能耗报表,,", "制表人：王,,日期：5 月 31 日", "日期,电量,产量", "2024/5/1,10,1", "小计,10,1",
               "2024/5/2,20,2", "合计,30,3", "注：不含办公楼,,")
    )  # fmt: skip
    assert table.columns["电量"] == [10.0, 20.0]
    assert codes(table) == {"title_rows", "total_rows"}
    assert table.lines == [4, 6]
    (left_out,) = [note for note in table.notes if note["code"] == "total_rows"]
    assert left_out["facts"]["lines"] == "5, 7, 8"


def test_two_header_rows_of_a_csv_are_joined() -> None:
    table = tables.read(csv_of("日期,电量,,温度,", ",1#,2#,进,出", "2024/5/1,1,2,3,4", "2024/5/2,5,6,7,8"))
    assert list(table.columns) == ["日期", "电量 1#", "电量 2#", "温度 进", "温度 出"]
    assert codes(table) == {"merged_headers"}


def test_merged_headers_of_a_workbook_are_joined_over_the_cells_they_span() -> None:
    def fill(sheet: Any) -> None:
        for row in (["报表"], ["日期", "电量(kWh)", None, "编号", "产量"], [None, "1#", "2#", None, "吨"]):
            sheet.append(row)
        for place in range(3):
            sheet.append([datetime(2024, 5, 1 + place), 1.5 + place, 2, f"00{place}", place])
        for span in ("A1:E1", "B2:C2", "A2:A3", "D2:D3"):
            sheet.merge_cells(span)

    table = tables.read(book(fill))
    assert list(table.columns) == ["日期", "电量(kWh) 1#", "电量(kWh) 2#", "编号", "产量"]
    assert table.columns["编号"] == ["000", "001", "002"]
    assert table.units["产量"] == "吨"
    assert table.kinds["日期"] == "date"
    assert codes(table) == {"title_rows", "merged_headers"}


def test_numbers_stored_as_text_in_a_workbook_are_read_and_said() -> None:
    def fill(sheet: Any) -> None:
        sheet.append(["a", "b"])
        for place in range(30):
            sheet.append([str(place) if place % 10 == 0 else place, True])

    table = tables.read(book(fill))
    assert table.columns["a"] == [float(place) for place in range(30)]
    assert codes(table) == {"text_numbers"}
    assert table.kinds["b"] == "constant"


def test_the_first_sheet_with_data_is_read_unless_another_is_named() -> None:
    made = openpyxl.Workbook()
    made.active.title = "封面"
    for name, value in (("五月", 1), ("六月", 2)):
        sheet = made.create_sheet(name)
        for row in (["a", "b"], [value, value], [value, 3]):
            sheet.append(row)
    out = io.BytesIO()
    made.save(out)
    assert tables.read(out.getvalue()).columns["a"] == [1.0, 1.0]
    assert codes(tables.read(out.getvalue())) == {"several_sheets"}
    assert tables.read(out.getvalue(), "六月").columns["a"] == [2.0, 2.0]
    with pytest.raises(UnreadableTable, match="五月、六月"):
        tables.read(out.getvalue(), "七月")


def test_same_and_missing_names_are_numbered() -> None:
    table = tables.read(csv_of("a,a,,b", "1,2,3,4", "5,6,7,8"))
    assert list(table.columns) == ["a", "a_2", "列3", "b"]
    assert codes(table) == {"duplicate_headers"}


def test_a_table_survives_its_way_through_a_blob() -> None:
    table = tables.read(csv_of("日期,编号,电量(kWh),班", "2024/5/1,001,1.5,早", "2024/5/2,002,,", ",003,2,早"))
    assert Table.from_bytes(table.as_bytes()) == table


def zipped(entries: list[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return out.getvalue()


def twins() -> bytes:
    """Two parts of one name, as no honest writer makes them."""
    content = zipped([("xl/workbook.xml", b"<x/>"), ("xl/a", b"1"), ("xl/b", b"2")])
    return content.replace(b"xl/b", b"xl/a")


def with_sheet(rows: bytes, head: bytes = b"") -> bytes:
    """A workbook whose only sheet holds `rows` of XML."""
    made = book(lambda sheet: sheet.append(["a"]))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                space = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
                content = head + b"<worksheet " + space + b"><sheetData>" + rows + b"</sheetData></worksheet>"
            target.writestr(entry.filename, content)
    return out.getvalue()


def lying(size: int) -> bytes:
    """A workbook whose directory says that a part is much smaller than it is."""
    content = bytearray(zipped([("xl/workbook.xml", b"<x/>"), ("xl/big.xml", b"0" * size)]))
    place = content.rindex(b"PK\x01\x02")
    struct.pack_into("<I", content, place + 24, 10)
    return bytes(content)


HOSTILE = {
    "bomb": lambda: zipped([("xl/workbook.xml", b"<x/>"), ("xl/worksheets/sheet1.xml", b" " * 50_000_000)]),
    "many parts": lambda: zipped([("xl/workbook.xml", b"<x/>"), *((f"xl/{n}", b"") for n in range(1500))]),
    "twins": twins,
    "lie": lambda: lying(5_000_000),
    "cut": lambda: book(lambda sheet: sheet.append(["a", 1]))[:-200],
    "doctype": lambda: with_sheet(b"", b'<!DOCTYPE x [<!ENTITY a "aaaa">]>'),
    "far column": lambda: with_sheet(b'<row r="1"><c r="XFD1"><v>1</v></c></row>'),
    "far row": lambda: with_sheet(b'<row r="1048576"><c r="A1048576"><v>1</v></c></row>'),
    "no workbook": lambda: zipped([("word/document.xml", b"<x/>")]),
    "not xml": lambda: with_sheet(b"<row <<<"),
    "old workbook": lambda: b"\xd0\xcf\x11\xe0" + b"0" * 600,
    "gzip": lambda: b"\x1f\x8b\x08" + b"0" * 100,
    "binary": lambda: bytes(range(256)) * 50,
    "nul": lambda: b"a,b\n1,\x00\n",
    "empty": lambda: b"",
    "blanks": lambda: b"  \n \n",
    "header only": lambda: csv_of("a,b"),
    "too wide": lambda: csv_of(",".join(f"c{n}" for n in range(300)), ",".join("1" for _ in range(300))),
    "huge cell": lambda: csv_of("a,b", '"' + "x" * 200_000 + '",1'),
    "open quote": lambda: csv_of("a,b", '"' + "1,2\n" * 60_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_a_reason_in_both_languages(name: str) -> None:
    with pytest.raises(UnreadableTable) as refused:
        tables.read(HOSTILE[name]())
    zh, _, en = refused.value.reason.partition(" / ")
    assert any("一" <= letter <= "鿿" for letter in zh) and en


def test_too_many_rows_are_refused_with_both_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_table, "MOST_ROWS", 500)
    monkeypatch.setattr(sheet_table, "MOST_CELLS", 1000)
    with pytest.raises(UnreadableTable, match="最多"):
        tables.read(csv_of("a,b", *("1,2" for _ in range(1000))))

    def fill(sheet: Any) -> None:
        for _ in range(600):
            sheet.append([1, 2])

    with pytest.raises(UnreadableTable, match="600 行 2 列"):
        tables.read(book(fill))


def test_a_filled_workbook_of_zeros_is_no_bomb() -> None:
    def fill(sheet: Any) -> None:
        for _ in range(2000):
            sheet.append([0] * 30)

    sheet_table.guard(book(fill))


DANGEROUS = ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "－1", "=cmd|' /C calc'!A0"]


def test_no_text_becomes_a_formula_in_a_file_that_is_given_back() -> None:
    rows: list[list[Any]] = [["a", "b"], *([cell, -1.5] for cell in DANGEROUS)]
    text = result_file.csv_with_bom(rows)
    assert text.startswith(b"\xef\xbb\xbf")
    for line in text.decode("utf-8-sig").split("\r\n")[1:-1]:
        assert line.lstrip('"').startswith("'") and line.rstrip('"').endswith("-1.5"), line
    sheet = openpyxl.load_workbook(io.BytesIO(result_file.xlsx(rows))).active
    for place, cell in enumerate(DANGEROUS, start=2):
        assert sheet.cell(place, 1).data_type == "s" and sheet.cell(place, 2).value == -1.5
        assert str(sheet.cell(place, 1).value).strip() == cell.strip()


def test_days_moments_and_numbers_are_written_as_they_are_read() -> None:
    row: list[Any] = [date(2024, 5, 1), datetime(2024, 5, 1), 3.0, 0.25, None]
    assert result_file.csv_with_bom([row]).decode("utf-8-sig") == "2024-05-01,2024-05-01 00:00:00,3,0.25,\r\n"
