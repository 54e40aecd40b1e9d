"""Tables in forms: what is copied from a spreadsheet is text with tabs or commas, its first line the names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_UNIT = re.compile(r"\s*[(（\[【].*$")
_NUMBERS = ("FP64", "FP32", "INT64")


def table_text(feature: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], language: str) -> str:
    """Rows as a spreadsheet would paste them, under the columns' titles; columns that no row fills are left out."""
    columns = [
        column
        for column in feature.get("columns") or []
        if column.get("required", True) or any(row.get(column["name"]) not in (None, "") for row in rows)
    ]
    lines = [[heading(column, language) for column in columns]]
    lines += [[_cell_text(row.get(column["name"])) for column in columns] for row in rows]
    return "\n".join("\t".join(line) for line in lines)


def matrix_text(rows: Sequence[Sequence[Any]]) -> str:
    return "\n".join("\t".join(_cell_text(cell) for cell in row) for row in rows)


def heading(column: Mapping[str, Any], language: str) -> str:
    """A column's title with its unit."""
    title = column.get(f"title_{language}") or column["name"]
    return f"{title} ({column['unit']})" if column.get("unit") else str(title)


def table_of(feature: Mapping[str, Any], text: str) -> list[dict[str, Any]]:
    """Rows of pasted text, by column name. A first line without any known name is a row in the columns' order.

    What cannot be read goes to the API as it stands, which says where it is and what would be right.
    """
    lines = _lines(text)
    columns = feature.get("columns") or []
    known = {_plain(str(column[name])): column for column in columns for name in ("title_zh", "title_en", "name")}
    if not lines:
        return []
    named = [known.get(_plain(cell)) for cell in lines[0]]
    if any(named):
        names = [column["name"] if column else cell.strip() for column, cell in zip(named, lines[0], strict=True)]
        lines = lines[1:]
    else:
        names = [column["name"] for column in columns]
    datatypes = {column["name"]: column.get("datatype", "FP64") for column in columns}
    rows = []
    for line in lines:
        row: dict[str, Any] = {}
        for place, cell in enumerate(line):
            name = names[place] if place < len(names) else f"column {place + 1}"
            if cell.strip() and name:
                row[name] = number(cell) if datatypes.get(name) in _NUMBERS else cell.strip()
        rows.append(row)
    return rows


def matrix_of(text: str) -> list[list[Any]]:
    """Rows of numbers; a line or a first column of names, as a spreadsheet often has, is left out."""
    lines = [[number(cell) for cell in line] for line in _lines(text)]
    if len(lines) > 1 and all(isinstance(cell, str) for cell in lines[0]):
        lines = lines[1:]
    if lines and all(line and isinstance(line[0], str) for line in lines):
        lines = [line[1:] for line in lines]
    return lines


def number(text: str) -> Any:
    """A number where it is one; what is none goes to the API as it is, which says what would be right."""
    plain = text.strip().replace(",", "").replace("，", "")
    try:
        return int(plain)
    except ValueError:
        try:
            return float(plain)
        except ValueError:
            return text.strip()


def said_by_row(feature: Mapping[str, Any], errors: Mapping[str, Any], language: str, row_words: str) -> list[str]:
    """The API's refusals of a table with rows counted as a reader counts them. `row_words`: `第 {row} 行 {column}：{said}`."""
    titles = {column["name"]: heading(column, language) for column in feature.get("columns") or []}
    found = []
    for path, sentences in errors.items():
        parts = path.split(".")
        if feature["name"] not in parts:
            continue
        below = parts[parts.index(feature["name"]) + 1 :]
        said = " ".join(map(str, sentences))
        if below and below[0].isdigit():
            column = titles.get(below[1], below[1]) if len(below) > 1 else ""
            said = row_words.format(row=int(below[0]) + 1, column=column, said=said)
        found.append(said)
    return found


def _lines(text: str) -> list[list[str]]:
    """Cells by tabs; without any, by commas or semicolons; without these, by spaces. Empty lines are left out."""
    lines = [line for line in text.replace("\r", "").split("\n") if line.strip()]
    for separator in ("\t", ",", "，", ";", "；"):
        if any(separator in line for line in lines):
            return [line.split(separator) for line in lines]
    return [line.split() for line in lines]


def _plain(title: str) -> str:
    """A heading as it is compared: without unit, space or case."""
    return _UNIT.sub("", title).strip().replace(" ", "").lower()


def _cell_text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
