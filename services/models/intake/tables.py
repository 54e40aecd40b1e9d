"""A CSV or XLSX file as a `Table`: read in a process with caps, never in the one that serves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.models.errors import UnreadableTable
from services.models.intake import headers, sheet_table, text_table
from services.models.intake.cells import column
from services.models.intake.limits import MOST_CELLS, MOST_COLUMNS, MOST_ROWS, too_large
from services.models.intake.text_table import Grid
from services.models.training.table import Kind, Table, Value
from services.models.training.table_warnings import warning

CSV, XLSX = "csv", "xlsx"
FORMATS = (CSV, XLSX)
_GZIP = b"\x1f\x8b"


def format_of(content: bytes) -> str:
    """`csv` or `xlsx` by its first bytes. Raises `UnreadableTable` for an old workbook or an archive."""
    if content.startswith(sheet_table.MAGIC):
        return XLSX
    if content.startswith(sheet_table.OLD_MAGIC):
        raise UnreadableTable(
            reason="旧版或加密的 Excel 文件，请另存为不带密码的 .xlsx / an old or locked workbook: save it as .xlsx"
        )
    if content.startswith((_GZIP, b"Rar!", b"7z\xbc\xaf", b"%PDF")):
        raise UnreadableTable(reason="请上传 CSV 或 XLSX，不要压缩 / upload a CSV or XLSX that is not packed")
    return CSV


def read(content: bytes, sheet: str = "") -> Table:
    """The table in a file. Raises `UnreadableTable` with what is wrong and what would be right."""
    if not content.strip():
        raise UnreadableTable(reason="文件是空的 / the file is empty")
    grid = sheet_table.read(content, sheet) if format_of(content) == XLSX else text_table.read(content)
    return table_of(grid)


def table_of(grid: Grid) -> Table:
    """The grid's header found, its records kept, each column read as what most of its cells are."""
    header = headers.find(grid)
    if header is None:
        raise UnreadableTable(reason="没有表头和数据行 / there is no header with rows below it")
    notes = header.notes
    if len(grid.sheets) > 1:
        notes.append(warning("several_sheets", count=len(grid.sheets), example=grid.sheets[0]))
    records, lines = _records(grid, header, notes)
    width = len(header.columns)
    if width > MOST_COLUMNS or len(records) > MOST_ROWS or len(records) * width > MOST_CELLS:
        raise too_large(len(records), width)
    if not records:
        raise UnreadableTable(reason="表头下面没有数据行 / there are no rows below the header")
    most = max(map(len, grid.rows))
    short = any(len(row) < most for row in records)
    by_place = list(zip(*(_padded(row, most) for row in records) if short else records, strict=True))
    found = Table({}, {}, len(records), lines=lines, notes=notes)
    for name, unit, said, place in zip(header.names, header.units, header.headers, header.columns, strict=True):
        read_column = column(name, by_place[place], unit, from_text=grid.from_text, commas=grid.delimiter == ";")
        found.columns[name] = read_column.values
        found.kinds[name] = _kind(read_column.kind, read_column.values)
        found.headers[name] = said or name
        found.notes += read_column.notes
        if unit or read_column.unit:
            found.units[name] = unit or read_column.unit
    return found


def _records(
    grid: Grid, header: headers.Header, notes: list[dict[str, Any]]
) -> tuple[list[Sequence[object]], list[int]]:
    """Rows that are records with their lines in the file; totals and remarks are left out and said."""
    rows = grid.rows
    end = len(rows)
    width = len(header.columns)
    left_out: list[int] = []
    while end > header.first_row and headers.is_no_record(rows[end - 1], width, last=True):
        end -= 1
        if any(map(headers.filled, rows[end])):
            left_out.append(end + 1)
    records: list[Sequence[object]] = []
    lines: list[int] = []
    ragged: list[int] = []
    place = header.columns[-1] + 1
    for number in range(header.first_row, end):
        row = rows[number]
        if len(row) > place and any(map(headers.filled, row[place:])):
            ragged.append(number + 1)
        if headers.is_no_record(row, width, last=False):
            if any(map(headers.filled, row)):
                left_out.append(number + 1)
            continue
        records.append(row)
        lines.append(number + 1)
    for code, found in (("total_rows", left_out), ("ragged_rows", ragged)):
        if found:
            shown = ", ".join(map(str, sorted(found)[:5])) + (" …" if len(found) > 5 else "")
            notes.append(warning(code, lines=shown))
    return records, lines


def _padded(row: Sequence[object], width: int) -> Sequence[object]:
    return row if len(row) == width else [*row, *[""] * (width - len(row))]


def _kind(kind: str, values: Sequence[Value]) -> Kind:
    if kind == "empty":
        return "empty"
    first = next(value for value in values if value is not None)
    if all(value is None or value == first for value in values):
        return "constant"
    if isinstance(first, datetime):
        return "date"
    return "number" if isinstance(first, float) else "text"
