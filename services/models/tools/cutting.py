"""Slitting parent reels into the widths ordered with little trim. Computed by the worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.cutting_stock import Cutting, Pattern, Stock, cut
from services.models.tools.solver import Budget, Progress, common_step, gap_percent, said_of, whole

MOST_SHOWN = 20
"""Patterns in the picture; the table holds them all."""
USUAL_LOSS_PERCENT = 3.0
"""Trim loss that slitting of paper usually stays below; trade experience."""


def paper_trim(
    orders: Sequence[Mapping[str, Any]],
    deckle_mm: float,
    edge_trim_mm: float,
    most_cuts: float,
    seconds: float,
    progress: Progress,
) -> ToolAnswer:
    """The fewest parent reels that give all rolls ordered, and of those plans one with few knife settings.

    `orders`: width_mm and rolls. `deckle_mm`: width of the parent; `edge_trim_mm` is cut off at each side;
    `most_cuts`: rolls side by side at most (by knives and winding stations). Trim loss = 1 - sum of widths ordered /
    (reels x deckle). Source: cutting stock by column generation (Gilmore and Gomory 1961, 1963). Raises ValueError.
    """
    usable = deckle_mm - 2 * edge_trim_mm
    if most_cuts != int(most_cuts):
        raise ValueError(f"最多幅数应为整数，现为 {most_cuts:g} / rolls side by side must be a whole number")
    wanted: dict[float, int] = {}
    for row in orders:
        wanted[row["width_mm"]] = wanted.get(row["width_mm"], 0) + int(row["rolls"])
    wide = max(wanted)
    if wide > usable:
        raise ValueError(
            f"订单宽 {wide:g} mm 超过可用宽 {usable:g} mm（净宽减两侧修边）/ a width ordered exceeds the usable {usable:g} mm"
        )
    stock, unit = _stock(usable, wanted, int(most_cuts))
    cutting = cut(stock, Budget(seconds, progress))
    plan = _exact(stock, cutting)
    return _answer(stock, plan, cutting.bound, wanted, deckle_mm, unit)


def _stock(usable: float, wanted: Mapping[float, int], most_cuts: int) -> tuple[Stock, float]:
    """In the largest unit that divides all widths; returns that unit in mm."""
    scaled, factor = whole([usable, *wanted], most_digits=1)
    step = common_step(scaled[1:])
    # What of the parent is no whole step can hold nothing.
    widths = tuple(width // step for width in scaled[1:])
    return Stock(scaled[0] // step, widths, tuple(wanted.values()), most_cuts), step / factor


def _exact(stock: Stock, cutting: Cutting) -> dict[Pattern, int]:
    """The plan without what nobody ordered: a roll too many is left out, which is trim."""
    left = list(stock.demand)
    plan: dict[Pattern, int] = {}
    for pattern, times in sorted(cutting.patterns, key=lambda each: -each[1]):
        for _ in range(times):
            kept = tuple(min(count, rest) for count, rest in zip(pattern, left, strict=True))
            left = [rest - count for rest, count in zip(left, kept, strict=True)]
            if any(kept):
                plan[kept] = plan.get(kept, 0) + 1
    return plan


def _answer(
    stock: Stock, plan: Mapping[Pattern, int], bound: int, wanted: Mapping[float, int], deckle_mm: float, unit: float
) -> ToolAnswer:
    reels = sum(plan.values())
    ordered_mm = sum(width * rolls for width, rolls in wanted.items())
    loss = 100 * (1 - ordered_mm / (reels * deckle_mm))
    least = 100 * (1 - ordered_mm / (min(bound, reels) * deckle_mm))
    gap = gap_percent(reels, bound)
    outputs = {
        "trim_loss_percent": rounded(loss, 3), "reels": reels, "bound_reels": bound, "gap_percent": gap,
        "patterns": len(plan), "trim_m": rounded((reels * deckle_mm - ordered_mm) / 1000, 3),
        "least_loss_percent": rounded(least, 3),
    }  # fmt: skip
    widths = [width * unit for width in stock.widths]
    rows, bars = [], []
    for number, (pattern, times) in enumerate(sorted(plan.items(), key=lambda each: -each[1]), start=1):
        used = sum(width * count for width, count in zip(widths, pattern, strict=True))
        said = " + ".join(f"{count}×{width:g}" for width, count in zip(widths, pattern, strict=True) if count)
        rows.append([number, said, times, rounded(used, 1), rounded(deckle_mm - used, 1)])
        bars.append({"name": f"{number}（×{times}）", "bars": _bars(widths, pattern, deckle_mm)})
    chart = {
        "kind": "gantt", "title_zh": "套排方案（横向为幅宽）", "title_en": "Patterns across the deckle", "unit": "mm",
        "until": deckle_mm, "rows": bars[:MOST_SHOWN],
    }  # fmt: skip
    names = (
        ("pattern", "方案", "Pattern", ""), ("widths", "幅宽组合", "Widths", "mm"), ("reels", "母卷数", "Reels", ""),
        ("used", "已用", "Used", "mm"), ("trim", "余边", "Trim", "mm"),
    )  # fmt: skip
    columns = [dict(zip(("name", "title_zh", "title_en", "unit"), each, strict=True)) for each in names]
    table = {"title_zh": "分切表", "title_en": "Cutting list", "columns": columns, "rows": rows}
    return ToolAnswer(outputs, (said_of(reels <= bound, gap), _loss_note(loss, least)), (chart,), (table,))


def _bars(widths: Sequence[float], pattern: Pattern, deckle_mm: float) -> list[dict[str, Any]]:
    bars, at = [], 0.0
    for group, (width, count) in enumerate(zip(widths, pattern, strict=True)):
        for _ in range(count):
            bars.append({"start": at, "end": at + width, "label": f"{width:g}", "group": 1 + group % 6})
            at += width
    if at < deckle_mm:
        bars.append({"start": at, "end": deckle_mm, "label": "", "group": 0})
    return bars


def _loss_note(loss: float, least: float) -> dict[str, str]:
    if least > USUAL_LOSS_PERCENT:
        return {
            "zh": f"切损 {loss:.2f} %，这批订单凑不到 {USUAL_LOSS_PERCENT:g} % 以内（行业经验）："
            "排不满的幅宽补库存规格，或并入下一批一起套排。",
            "en": f"Trim loss {loss:.2f} %: these orders cannot reach the usual {USUAL_LOSS_PERCENT:g} % (trade "
            "experience). Fill up with a stock width or combine them with the next batch.",
        }
    return {
        "zh": f"切损 {loss:.2f} %（行业经验一般要求 {USUAL_LOSS_PERCENT:g} % 以内）；同样母卷数下已尽量减少换刀。",
        "en": f"Trim loss {loss:.2f} % (usually below {USUAL_LOSS_PERCENT:g} %, trade experience); with as many reels the "
        "knife settings are kept few.",
    }
