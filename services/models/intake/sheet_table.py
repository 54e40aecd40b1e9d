"""An XLSX workbook: looked through before anything of it is parsed, then read cell by cell."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date, datetime, time, timedelta
from typing import Any

from services.models.errors import UnreadableTable
from services.models.intake.limits import (
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_ENTRIES,
    MOST_RATIO,
    MOST_ROWS,
    MOST_UNPACKED_BYTES,
    RATIO_FROM_BYTES,
    SLACK_ROWS,
    too_large,
)
from services.models.intake.text_table import Grid

MAGIC = b"PK\x03\x04"
OLD_MAGIC = b"\xd0\xcf\x11\xe0"
_PIECE = 1 << 20
_SHEET = re.compile(r"^xl/worksheets/[^/]+\.xml$")
_FAR = re.compile(
    # A filled cell beyond column GR (200) or row 999,999: a reader would make room for everything before it.
    rb'<c r="(?:(?:[A-Z]{3}|[H-Z][A-Z]|G[S-Z])\d+|[A-Z]{1,3}\d{7,})"[^>]*[^/>]>'
)
_DOCTYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)")


def read(content: bytes, sheet: str = "") -> Grid:
    """The cells of a sheet (default: the first that has any). Raises `UnreadableTable`."""
    guard(content)
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = [each.name for each in book.sheets_metadata if _shown(each)]
        if sheet and sheet not in names:
            known = "、".join(names[:10])
            raise UnreadableTable(reason=f"没有工作表「{sheet[:40]}」，有：{known} / no such sheet, there are: {known}")
        sheets = [(name, book.get_sheet_by_name(name)) for name in ([sheet] if sheet else names)]
        filled = [(name, each) for name, each in sheets if each.height and each.width]
        if not filled:
            raise UnreadableTable(reason="工作簿里没有数据 / the workbook has no data")
        name, chosen = filled[0]
        _check_size(chosen.height, chosen.width)
        rows = chosen.to_python(skip_empty_area=False)
        merged = [((a, b), (c, d)) for (a, b), (c, d) in chosen.merged_cell_ranges or []]
    except UnreadableTable:
        raise
    except Exception as wrong:
        # The parser names its own faults only; what a user can do is the same for all.
        reason = "工作簿损坏或有密码，请另存为 .xlsx 后重试 / the workbook is damaged or locked, save it as .xlsx again"
        raise UnreadableTable(reason=f"{reason} ({type(wrong).__name__})") from None
    others = tuple(each for each, _ in filled[1:])
    return Grid([[_cell(cell) for cell in row] for row in rows], merged, False, sheets=(name, *others))


def _shown(sheet: Any) -> bool:
    return str(sheet.visible).endswith("Visible") and str(sheet.typ).endswith("WorkSheet")


def _check_size(height: int, width: int) -> None:
    if width > MOST_COLUMNS or height > MOST_ROWS + SLACK_ROWS or height * width > MOST_CELLS:
        raise too_large(height, width)


def _cell(value: Any) -> object:
    """Text, a float, a datetime, or an empty text."""
    if value is None or isinstance(value, (str, float, datetime)):
        return "" if value is None else value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return float(value)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, time):
        return value.isoformat()
    return value.total_seconds() / 3600 if isinstance(value, timedelta) else str(value)


def guard(content: bytes) -> None:
    """Unpacks every part once, counted, keeping nothing. Raises `UnreadableTable` for a bomb, a lie or a DTD."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_ENTRIES:
                raise _refused(f"有 {len(entries)} 个部分，最多 {MOST_ENTRIES}", f"{len(entries)} parts")
            if len({each.filename for each in entries}) != len(entries):
                raise _refused("有同名的部分", "two parts of one name")
            if "xl/workbook.xml" not in {each.filename for each in entries}:
                raise UnreadableTable(reason="不是 Excel 工作簿（.xlsx）或 CSV / neither an Excel workbook nor a CSV")
            left = MOST_UNPACKED_BYTES
            for entry in entries:
                left -= _unpacked(archive, entry, left)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as wrong:
        raise _refused(f"压缩包损坏（{type(wrong).__name__}）", type(wrong).__name__) from None


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> int:
    """How many bytes the entry really has."""
    if entry.flag_bits & 1:
        raise UnreadableTable(reason="工作簿有密码，请去掉后上传 / the workbook has a password: remove it")
    size, tail = 0, b""
    is_sheet = bool(_SHEET.match(entry.filename))
    with archive.open(entry) as stream:
        while piece := stream.read(_PIECE):
            size += len(piece)
            if size > left:
                raise _refused(f"解开后超过 {MOST_UNPACKED_BYTES >> 20} MB", f"more than {MOST_UNPACKED_BYTES} bytes")
            if size > RATIO_FROM_BYTES and size > MOST_RATIO * max(entry.compress_size, 1):
                raise _refused(f"压缩比超过 {MOST_RATIO}", f"a ratio above {MOST_RATIO}")
            window = tail + piece
            if _DOCTYPE.search(window):
                raise _refused("含有 DTD", "a DTD")
            if is_sheet and _FAR.search(window):
                said = f"第 {MOST_COLUMNS} 列之外或很远的行里还有内容，请删去"
                raise UnreadableTable(reason=f"{said} / cells beyond column {MOST_COLUMNS} or far below: remove them")
            tail = window[-200:]
    return size


def _refused(zh: str, en: str) -> UnreadableTable:
    return UnreadableTable(reason=f"工作簿的压缩包不合要求：{zh} / the workbook's archive is not taken: {en}")
