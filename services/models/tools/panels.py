"""Sawing panels into parts: layouts that a panel saw can cut through. Computed by the worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.panel_model import Piece, Sheet, lower_bound, packed
from services.models.tools.solver import Budget, Progress, gap_percent, whole

TURN, KEEP = "可旋转", "按纹理"
MOST_PARTS = 2000
MOST_SHOWN = 12
"""Layouts in the pictures; the table holds them all."""


def panel_cutting(
    parts: Sequence[Mapping[str, Any]],
    sheet_length_mm: float,
    sheet_width_mm: float,
    kerf_mm: float,
    edge_trim_mm: float,
    seconds: float,
    progress: Progress,
) -> ToolAnswer:
    """The fewest sheets found that give all parts by cuts from edge to edge (guillotine), and their layouts.

    `parts`: part, length_mm, width_mm, count and grain (可旋转: may be turned; 按纹理: its length lies along the sheet's
    length). `kerf_mm` is lost at every cut, `edge_trim_mm` at each of the four edges. Utilisation = area of parts /
    area of sheets. Bound: area of parts over the best fill of one sheet (dynamic programming, Beasley 1985), or over the
    sheet. Source: guillotine packing by ruin and recreate. Raises ValueError.
    """
    sizes = [row[name] for row in parts for name in ("length_mm", "width_mm")]
    scaled, factor = whole([sheet_length_mm, sheet_width_mm, kerf_mm, edge_trim_mm, *sizes], most_digits=1)
    length, width, kerf, edge = scaled[:4]
    # A part and the kerf after it: the last one needs none, so the sheet is longer by one.
    inner = (length - 2 * edge + kerf, width - 2 * edge + kerf)
    pieces: list[Piece] = []
    for kind, row in enumerate(parts):
        size = (scaled[4 + 2 * kind] + kerf, scaled[5 + 2 * kind] + kerf)
        piece = Piece(*size, row["grain"] == TURN, kind)
        if not any(wide <= inner[0] and high <= inner[1] for wide, high in piece.ways()):
            raise ValueError(
                f"板件「{row['part']}」{row['length_mm']:g}×{row['width_mm']:g} mm 放不进大板（去掉修边）/ "
                f"part {row['part']} does not fit the sheet less its edges"
            )
        pieces += [piece] * int(row["count"])
    if len(pieces) > MOST_PARTS:
        raise ValueError(f"共 {len(pieces)} 块，最多 {MOST_PARTS} 块：请分批 / at most {MOST_PARTS} parts at once")
    bound = lower_bound(*inner, pieces)
    sheets = packed(*inner, pieces, bound, Budget(seconds, progress))
    return _answer(parts, sheets, bound, (sheet_length_mm, sheet_width_mm), (kerf, edge, factor))


def _answer(
    parts: Sequence[Mapping[str, Any]],
    sheets: Sequence[Sheet],
    bound: int,
    sheet_mm: tuple[float, float],
    saw: tuple[int, int, int],
) -> ToolAnswer:
    kerf, edge, factor = saw
    area = sum(row["length_mm"] * row["width_mm"] * row["count"] for row in parts)
    sheet_area = sheet_mm[0] * sheet_mm[1]
    used = 100 * area / (len(sheets) * sheet_area)
    rest = sheets[-1].largest_room()
    rest_mm = (max(0, rest[2] - kerf) / factor, max(0, rest[3] - kerf) / factor)
    outputs = {
        "utilisation_percent": rounded(used, 2), "sheets": len(sheets), "bound_sheets": bound,
        "gap_percent": gap_percent(len(sheets), bound), "parts": sum(len(sheet.placed) for sheet in sheets),
        "offcut_length_mm": rest_mm[0], "offcut_width_mm": rest_mm[1],
        "sheet_area_m2": rounded(len(sheets) * sheet_area / 1e6, 3),
    }  # fmt: skip
    layouts = Counter(_layout(sheet, kerf, edge, factor) for sheet in sheets)
    charts, rows = [], []
    for number, (layout, times) in enumerate(layouts.items(), start=1):
        for kind, x, y, length, width in layout:
            turned = "是 / yes" if (length, width) != (parts[kind]["length_mm"], parts[kind]["width_mm"]) else ""
            rows.append([number, times, parts[kind]["part"], length, width, x, y, turned])
        if number <= MOST_SHOWN:
            charts.append(_chart(number, times, layout, parts, sheet_mm))
    names = (
        ("layout", "版式", "Layout", ""), ("sheets", "张数", "Sheets", ""), ("part", "板件", "Part", ""),
        ("length", "长向", "Along length", "mm"), ("width", "宽向", "Along width", "mm"),
        ("x", "距左", "From left", "mm"), ("y", "距下", "From bottom", "mm"), ("turned", "旋转", "Turned", ""),
    )  # fmt: skip
    columns = [dict(zip(("name", "title_zh", "title_en", "unit"), each, strict=True)) for each in names]
    table = {"title_zh": "开料单", "title_en": "Cutting list", "columns": columns, "rows": rows}
    notes = (_proof(len(sheets), bound), _rest_note(rest_mm, used, any(row["grain"] == KEEP for row in parts)))
    return ToolAnswer(outputs, notes, tuple(charts), (table,))


def _layout(sheet: Sheet, kerf: int, edge: int, factor: int) -> tuple[tuple[int, float, float, float, float], ...]:
    """(kind, x, y, length, width) in mm of the parts themselves, without the kerf."""
    return tuple(
        sorted(
            (
                each.piece.kind, (each.x + edge) / factor, (each.y + edge) / factor,
                (each.width - kerf) / factor, (each.height - kerf) / factor,
            )
            for each in sheet.placed
        )
    )  # fmt: skip


def _chart(
    number: int,
    times: int,
    layout: Sequence[tuple[int, float, float, float, float]],
    parts: Sequence[Mapping[str, Any]],
    sheet_mm: tuple[float, float],
) -> dict[str, Any]:
    return {
        "kind": "layout", "title_zh": f"版式 {number}（{times} 张）", "title_en": f"Layout {number} ({times} sheets)",
        "width": sheet_mm[0], "height": sheet_mm[1], "unit": "mm",
        "parts": [
            {
                "x": x, "y": y, "width": length, "height": width, "label": parts[kind]["part"], "group": 1 + kind % 6,
            }
            for kind, x, y, length, width in layout
        ],
    }  # fmt: skip


def _proof(sheets: int, bound: int) -> dict[str, str]:
    if sheets <= bound:
        return {"zh": f"{sheets} 张已证明是最少的。", "en": f"{sheets} sheets are proved to be the fewest."}
    return {
        "zh": f"用 {sheets} 张，理论上不少于 {bound} 张：还没有证明最少，增加求解时间可能更好。",
        "en": f"{sheets} sheets, at least {bound} are needed: not proved the fewest, more time may help.",
    }


def _rest_note(rest_mm: tuple[float, float], used: float, keeps_grain: bool) -> dict[str, str]:
    long, short = max(rest_mm), min(rest_mm)
    zh, en = f"出材率 {used:.1f} %。", f"Utilisation {used:.1f} %."
    if short > 0:
        zh += f"最后一张还剩一块 {long:g}×{short:g} mm 的整料，登记入库再用。"
        en += f" The last sheet leaves one offcut of {long:g}×{short:g} mm: keep it in stock."
    if keeps_grain:
        zh += "按纹理的板件若允许旋转，通常还能省料。"
        en += " Parts that need not follow the grain usually save material."
    return {"zh": zh, "en": en}
