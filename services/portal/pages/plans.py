"""Plans as pictures and tables: bars over time, layouts on a sheet, lists of what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.portal.pages.pictures import shown

MOST_ROWS = 300
"""Rows of a table on the page; the API's answer holds them all."""
ROW_PX = 42
AXIS_PX = 20
LAYOUT_WIDTH = 360.0
LETTER_PX = 14.0
LABEL_PX = 34.0
"""A part narrower or lower than this bears no label."""


def gantt(chart: Mapping[str, Any]) -> dict[str, Any] | None:
    """Bars in percent of the width, so that the letters keep their size on every screen."""
    until = float(chart.get("until") or 0)
    rows = chart.get("rows") or []
    if until <= 0 or not rows:
        return None
    placed = []
    for number, row in enumerate(rows):
        bars = [
            {
                "x": round(100 * float(bar["start"]) / until, 3),
                "width": round(100 * (float(bar["end"]) - float(bar["start"])) / until, 3),
                "label": _fitting(bar, until),
                "group": int(bar.get("group") or 0),
                "said": f"{bar.get('label') or ''} {shown(bar['start'])}–{shown(bar['end'])}".strip(),
            }
            for bar in row.get("bars") or []
        ]
        placed.append({"name": row.get("name", ""), "y": number * ROW_PX, "bars": bars})
    ticks = [
        {"x": 100 * share, "text": shown(until * share), "anchor": anchor}
        for share, anchor in ((0.0, "start"), (0.25, "middle"), (0.5, "middle"), (0.75, "middle"), (1.0, "end"))
    ]
    return {
        "rows": placed, "ticks": ticks, "bottom": len(placed) * ROW_PX, "height": len(placed) * ROW_PX + AXIS_PX,
        "unit": chart.get("unit") or "",
    }  # fmt: skip


def _fitting(bar: Mapping[str, Any], until: float) -> str:
    """The label where at least its first letter shows on a phone; it is told in full when pointed at."""
    share = (float(bar["end"]) - float(bar["start"])) / until
    return str(bar.get("label") or "") if share * LAYOUT_WIDTH >= LETTER_PX else ""


def layout(chart: Mapping[str, Any]) -> dict[str, Any] | None:
    """Parts on a sheet in a box as wide as a phone, drawn to scale; y counts from below as in the workshop."""
    width, height = float(chart.get("width") or 0), float(chart.get("height") or 0)
    if width <= 0 or height <= 0:
        return None
    scale = LAYOUT_WIDTH / width
    parts = []
    for part in chart.get("parts") or []:
        wide, high = float(part["width"]) * scale, float(part["height"]) * scale
        top = (height - float(part["y"]) - float(part["height"])) * scale
        parts.append(
            {
                "x": round(float(part["x"]) * scale, 1), "y": round(top, 1),
                "width": round(wide, 1), "height": round(high, 1),
                "group": int(part.get("group") or 0),
                "label": part.get("label") or "" if wide >= LABEL_PX and high >= LABEL_PX / 2 else "",
                "size": f"{part['width']:g}×{part['height']:g}" if wide >= 2 * LABEL_PX and high >= LABEL_PX else "",
            }
        )  # fmt: skip
    return {"width": LAYOUT_WIDTH, "height": round(height * scale, 1), "parts": parts}


def tables(prediction: Mapping[str, Any], language: str) -> list[dict[str, Any]]:
    """The answer's tables in one language, figures short, numbers to the right."""
    found = []
    for table in prediction.get("tables") or []:
        columns, rows = table.get("columns") or [], table.get("rows") or []
        numeric = [
            bool(rows) and all(isinstance(row[place], (int, float)) for row in rows if len(row) > place)
            for place in range(len(columns))
        ]
        heads = [
            {
                "title": column.get(f"title_{language}") or column.get("name", ""),
                "unit": column.get("unit") or "",
                "right": right,
            }
            for column, right in zip(columns, numeric, strict=True)
        ]
        found.append(
            {
                "title": table.get(f"title_{language}") or table.get("title_zh", ""),
                "columns": heads,
                "rows": [[shown(cell) for cell in row] for row in rows[:MOST_ROWS]],
                "left_out": max(0, len(rows) - MOST_ROWS),
            }
        )
    return found
