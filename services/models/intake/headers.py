"""Where the header of a table stands, in one row or in two, and which rows below are no records."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.models.intake import dates
from services.models.intake.cells import MISSING, number_in
from services.models.intake.text_table import Grid
from services.models.intake.units_in_text import is_unit, split, unit_of
from services.models.training.table_warnings import warning

_SPACE = re.compile(r"\s+")
_TOTAL = re.compile(
    r"^(?:合\s*计|总\s*计|小\s*计|累\s*计|汇\s*总|共\s*计|平\s*均(?:值)?|最大值|最小值|grand total|sub-?total|totals?|sum|average|mean)"
    r"\s*[:：]?$",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r"^(?:备\s*注|注\s*[:：]|注[0-9一二三]|说\s*明|制\s*表|审\s*核|填\s*表|单位负责人|统计人|note)", re.IGNORECASE
)
_MOST_TITLES = 15
_MOST_HEADER_ROWS = 3
_LONGEST_NAME = 80


@dataclass
class Header:
    names: list[str]
    units: list[str]
    headers: list[str]
    """As they stood in the file."""
    first_row: int
    """Of the grid, the first below the header."""
    columns: list[int]
    """Of the grid, those that the table has."""
    notes: list[dict[str, Any]] = field(default_factory=list)


def filled(cell: object) -> bool:
    return not (cell is None or (isinstance(cell, str) and not cell.strip()))


def _is_value(cell: object) -> bool:
    """A number, a date or a sign for none: what stands below a header rather than in it."""
    if isinstance(cell, (float, datetime)):
        return True
    text = str(cell).strip()
    return text in MISSING or number_in(text) is not None or dates.looks_like_one(text)


def find(grid: Grid) -> Header | None:
    """The header of the grid; None when it has no two rows."""
    start = _start(grid.rows)
    if start is None:
        return None
    width = max(len(row) for row in grid.rows[start : start + 50])
    depth, unit_row = _depth(grid, start, width)
    block = [_padded(row, width) for row in grid.rows[start : start + depth]]
    first_row = start + depth + (1 if unit_row else 0)
    below = _padded(grid.rows[start + depth], width) if unit_row else [""] * width
    columns = [
        place for place in range(width)
        if any(filled(row[place]) for row in block)
        or any(place < len(row) and filled(row[place]) for row in grid.rows[first_row:])
    ]  # fmt: skip
    joined = _joined(grid, block, start)
    notes = []
    if start:
        notes.append(warning("title_rows", count=start))
    if depth > 1:
        example = next((joined[place] for place in columns if " " in joined[place]), joined[columns[0]])
        notes.append(warning("merged_headers", count=depth, example=example))
    headers = [joined[place] for place in columns]
    names, units = _named(headers, [str(below[place] or "") for place in columns], notes)
    return Header(names, units, headers, first_row, columns, notes)


def _start(rows: Sequence[Sequence[object]]) -> int | None:
    """The first row of the header: titles, lines such as 制表人：… and blank rows above it are passed over."""
    usual = sorted(sum(map(filled, row)) for row in rows[:200] if any(map(filled, row)))
    if len(usual) < 2:
        return None
    typical = usual[len(usual) // 2]
    for place, row in enumerate(rows[:_MOST_TITLES]):
        cells = [str(cell).strip() for cell in row if filled(cell)]
        if not cells:
            continue
        labelled = any(re.search(r"[:：]", cell) for cell in cells) and len(cells) < typical
        if (len(cells) >= 2 or typical == 1) and not labelled:
            return place
    return next((place for place, row in enumerate(rows) if any(map(filled, row))), None)


def _depth(grid: Grid, start: int, width: int) -> tuple[int, bool]:
    """Rows of the header, and whether a row of units follows."""
    rows, depth = grid.rows, 1
    while depth < _MOST_HEADER_ROWS and start + depth + 1 < len(rows):
        above = _padded(rows[start + depth - 1], width)
        row = [cell for cell in rows[start + depth] if filled(cell)]
        spans = any(
            first[0] <= start + depth - 1 <= last[0] and (last[1] > first[1] or last[0] >= start + depth)
            for first, last in grid.merged
        )
        blanks = any(not filled(cell) for cell in above)
        if not row or not (spans or blanks) or any(_is_value(cell) for cell in row) or _units_only(row):
            break
        if not any(_is_value(cell) for cell in rows[start + depth + 1]) and not spans:
            # Text below text may be a table of categories: two rows count as a header only above values.
            break
        depth += 1
    if start + depth >= len(rows):
        return depth, False
    below = [cell for cell in rows[start + depth] if filled(cell)]
    return depth, len(below) >= 1 and _units_only(below) and start + depth + 1 < len(rows)


def _units_only(row: Sequence[object]) -> bool:
    texts = [str(cell).strip("()（） ") for cell in row if not isinstance(cell, (float, datetime))]
    unit_like = [each for each in texts if is_unit(each) or each in ("单位", "-", "—", "/")]
    return len(texts) == len(row) and len(unit_like) == len(texts) and any(is_unit(each) for each in texts)


def _padded(row: Sequence[object], width: int) -> list[object]:
    return [*row, *[""] * (width - len(row))][:width]


def _joined(grid: Grid, block: list[list[object]], start: int) -> list[str]:
    """One header a column: group names reach over the columns that they were merged across, or up to the next one."""
    rows = [[_SPACE.sub(" ", str(cell).strip()) if filled(cell) else "" for cell in row] for row in block]
    for first, last in grid.merged:
        for line in range(max(first[0], start), min(last[0], start + len(rows) - 1) + 1):
            for place in range(first[1], min(last[1], len(rows[0]) - 1) + 1):
                if first[0] >= start:
                    rows[line - start][place] = rows[first[0] - start][first[1]]
    if grid.from_text:
        for upper, lower in itertools.pairwise(rows):
            for place in range(1, len(upper)):
                if not upper[place] and lower[place] and upper[place - 1]:
                    upper[place] = upper[place - 1]
    found = []
    for place in range(len(rows[0])):
        parts: list[str] = []
        for row in rows:
            if row[place] and row[place] not in parts:
                parts.append(row[place])
        found.append(" ".join(parts))
    return found


def _named(headers: list[str], below: list[str], notes: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """A name of its own and a unit for each column."""
    pairs = [split(header) for header in headers]
    bare = [name for name, _ in pairs]
    names: list[str] = []
    units: list[str] = []
    mended = []
    for place, (header, (name, unit)) in enumerate(zip(headers, pairs, strict=True)):
        # Two columns that differ by their unit only keep it in their names.
        name = (header if bare.count(name) > 1 else name)[:_LONGEST_NAME]
        if not name:
            name = f"列{place + 1}"
            mended.append(name)
        number, wanted = 2, name
        while name in names:
            name = f"{wanted}_{number}"
            number += 1
            if number == 3:
                mended.append(name)
        names.append(name)
        row_unit = below[place].strip("()（） ")
        units.append(unit or (unit_of(row_unit) if is_unit(row_unit) else ""))
    if mended:
        notes.append(warning("duplicate_headers", count=len(mended), example=mended[0]))
    return names, units


def is_no_record(row: Sequence[object], width: int, *, last: bool) -> bool:
    """Whether a row is a total or a remark. Below the last record, a row with little more than a label is one too."""
    cells = [cell for cell in row if filled(cell)]
    if not cells:
        return True
    texts = [str(cell).strip() for cell in cells[:3] if isinstance(cell, str)]
    if any(_TOTAL.match(text) for text in texts):
        return True
    return last and width >= 3 and bool(texts) and len(cells) <= max(2, width // 3) and bool(_REMARK.match(texts[0]))
