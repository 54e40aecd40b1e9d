"""How large a table may be. A refusal names the limit and what the file has."""

from __future__ import annotations

from services.models.errors import UnreadableTable

MOST_BYTES = 64 * 1024 * 1024
MOST_COLUMNS = 200
MOST_ROWS = 500_000
MOST_CELLS = 5_000_000
"""Rows times columns: about a gigabyte while it is read."""
SLACK_ROWS = 20
"""Titles and remarks round the rows that count."""
MOST_ENTRIES = 1_000
MOST_UNPACKED_BYTES = 256 * 1024 * 1024
"""A sheet of five million cells has about 200 MB of XML."""
MOST_RATIO = 100
"""Unpacked to packed of one entry. Sheets of measured values have about 7, of nothing but zeros 17."""
RATIO_FROM_BYTES = 1024 * 1024
LONGEST_CELL = 2_000
"""Characters of a cell that are kept."""


def too_large(rows: int, columns: int) -> UnreadableTable:
    """Of a table that has at least so many."""
    return UnreadableTable(
        reason=(
            f"表至少有 {rows} 行 {columns} 列，最多 {MOST_ROWS} 行、{MOST_COLUMNS} 列、{MOST_CELLS} 个单元格，请分成几份"
            f" / at least {rows} rows and {columns} columns; at most {MOST_ROWS} rows, {MOST_COLUMNS} columns and"
            f" {MOST_CELLS} cells are taken: split the file"
        )
    )
