"""Rows as a file that a spreadsheet opens as it was meant: Chinese by a byte order mark, no text ever as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from services.models.training.table import Value

Cell = Value | date
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def csv_with_bom(rows: Iterable[Sequence[Cell]]) -> bytes:
    """A CSV in UTF-8 with a byte order mark, without which Excel reads Chinese as something else."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for row in rows:
        writer.writerow([_in_csv(value) for value in row])
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8")


def _in_csv(value: Cell) -> str:
    """Numbers as they are; a text that a spreadsheet would take for a formula gets an apostrophe before it."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return "" if value is None else _plain(value)


def _plain(value: float | date) -> str:
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, date):
        return value.isoformat()
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def xlsx(rows: Iterable[Sequence[Cell]]) -> bytes:
    """A workbook of one sheet. Texts are typed as texts, so that none becomes a formula."""
    import openpyxl
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("结果")
    sheet.freeze_panes = "A2"

    def cell(value: Cell) -> Any:
        if not isinstance(value, str):
            return value
        plain = ILLEGAL_CHARACTERS_RE.sub("", value)
        if not plain.startswith(_FORMULA):
            return plain
        typed = WriteOnlyCell(sheet, plain)
        typed.data_type = "s"
        return typed

    for row in rows:
        sheet.append([cell(value) for value in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
