"""A CSV as people have it: UTF-8, UTF-16 or GB18030, separated by comma, tab, semicolon or bar."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass

from services.models.errors import UnreadableTable
from services.models.intake.limits import MOST_CELLS, MOST_COLUMNS, MOST_ROWS, SLACK_ROWS, too_large

DELIMITERS = (",", "\t", ";", "|")
_SAMPLE = 64 * 1024
_CHECKED_ROWS = 200
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass
class Grid:
    """Cells of a table as they stood in the file, row by row."""

    rows: list[list[object]]
    merged: list[tuple[tuple[int, int], tuple[int, int]]]
    """First and last cell (row, column) of merged ranges."""
    from_text: bool
    """Whether every cell is text, as in a CSV."""
    sheets: tuple[str, ...] = ()
    """Sheets with data, the one that was read first."""
    delimiter: str = ""


def read(content: bytes) -> Grid:
    """The cells of a CSV. Raises `UnreadableTable`."""
    text = decoded(content)
    delimiter = _delimiter(text)
    rows: list[list[object]] = []
    cells = 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            rows.append(list(row))
            cells += len(row)
            if len(rows) > MOST_ROWS + SLACK_ROWS or cells > MOST_CELLS or len(row) > MOST_COLUMNS * 5:
                raise too_large(len(rows), len(row))
    except csv.Error as wrong:
        said = f"第 {reader.line_num} 行无法读取：{wrong} / line {reader.line_num} cannot be read: {wrong}"
        raise UnreadableTable(reason=said) from None
    return Grid(rows, [], True, delimiter=delimiter)


def decoded(content: bytes) -> str:
    """The text by its byte order mark, else strict UTF-8, else GB18030. Raises `UnreadableTable` for what is none.

    In this order it was right for every file tried; a guess by letter frequency took short GBK files for UTF-16.
    """
    encodings = ("utf-16",) if content.startswith(_UTF16) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        return text
    raise UnreadableTable(
        reason="不是文本：编码应为 UTF-8 或 GBK（GB18030） / not text: the encoding must be UTF-8 or GBK (GB18030)"
    )


def _delimiter(text: str) -> str:
    """What the standard library's sniffer says if the rows then agree in length, else the one by which most agree."""
    sample = text[:_SAMPLE]
    if len(text) > _SAMPLE:
        sample = sample[: sample.rfind("\n") + 1] or sample
    try:
        sniffed = csv.Sniffer().sniff(sample[:8192], "".join(DELIMITERS)).delimiter
    except csv.Error:
        sniffed = ","
    if _agreement(sample, sniffed) >= 0.9:
        return sniffed
    best = max(DELIMITERS, key=lambda each: _agreement(sample, each))
    return best if _agreement(sample, best) > 0 else ","


def _agreement(sample: str, delimiter: str) -> float:
    """Share of the first rows that have the usual number of cells; 0 when that is one."""
    try:
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        lengths = [len(row) for row, _ in zip(reader, range(_CHECKED_ROWS), strict=False) if any(row)]
    except csv.Error:
        return 0.0
    if not lengths:
        return 0.0
    usual, count = Counter(lengths).most_common(1)[0]
    return count / len(lengths) if usual > 1 else 0.0
