"""Where defects come from: which few kinds make most of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from services.models.tools.answer import ToolAnswer, rounded

VITAL_PERCENT = 80.0
"""Share of the total that the few first kinds are expected to make; rule of thumb."""
OTHER_PERCENT = 10.0
"""Share of "other" above which the kinds need to be divided anew; trade experience."""
ALIKE = 1.5
"""Times the mean share below which the first kind does not stand out."""
OTHER = frozenset({"其他", "其它", "other", "others", "misc"})
MOST_KINDS = 200
_BETWEEN = re.compile(r"[\n\r\t,，、;；]+")


def pareto(names: str, counts: Sequence[float], weights: Sequence[float]) -> ToolAnswer:
    """Kinds ranked by count times weight, with their cumulated share.

    Arguments: names of the kinds, one a line or with commas between, counts in the same order, weight of one (cost in
    yuan, minutes; one number holds for all). A name that recurs is added up; "other" comes last whatever its size, since
    nobody can work on it. Returns top_percent, vital_kinds (those that make 80 %), total, other_percent and the table.
    Raises ValueError. Source: sorting and cumulating, textbook.
    """
    kinds = [part.strip() for part in _BETWEEN.split(names) if part.strip()]
    _refuse_unequal(kinds, counts, weights)
    each = list(weights) * len(kinds) if len(weights) == 1 else list(weights)
    summed: dict[str, list[float]] = {}
    for kind, count, weight in zip(kinds, counts, each, strict=True):
        held = summed.setdefault(kind, [0.0, 0.0])
        held[0] += count
        held[1] += count * weight
    total = sum(amount for _, amount in summed.values())
    if total <= 0:
        raise ValueError("合计为 0，没有可排的 / the total is 0: nothing to rank")
    ranked = sorted(summed.items(), key=lambda item: (item[0].lower() in OTHER, -item[1][1]))
    rows: list[list[Any]] = []
    cumulated, vital = 0.0, 0
    for place, (kind, (count, amount)) in enumerate(ranked, start=1):
        if 100 * cumulated / total < VITAL_PERCENT - 1e-9:
            vital = place
        cumulated += amount
        rows.append(
            [
                place,
                kind,
                count,
                rounded(amount, 4),
                rounded(100 * amount / total, 2),
                rounded(100 * cumulated / total, 2),
            ]
        )
    other = sum(amount for kind, (_, amount) in ranked if kind.lower() in OTHER)
    outputs = {
        "top_percent": rounded(100 * ranked[0][1][1] / total), "vital_kinds": vital, "kinds": len(ranked),
        "total": rounded(total), "other_percent": rounded(100 * other / total),
    }  # fmt: skip
    notes = [_first_note(rows, vital)]
    if 100 * other / total > OTHER_PERCENT:
        notes.append(
            {
                "zh": f"“其他”占 {100 * other / total:.1f} %，超过一成（行业经验）：分类不好用，先把它拆开再排。",
                "en": f"Other makes {100 * other / total:.1f} %, more than a tenth (trade experience): divide it before ranking.",
            }
        )
    return ToolAnswer(outputs, tuple(notes), (), (_table(rows),))


def _refuse_unequal(kinds: Sequence[str], counts: Sequence[float], weights: Sequence[float]) -> None:
    if len(kinds) != len(counts):
        raise ValueError(
            f"名称 {len(kinds)} 个，数量 {len(counts)} 个，应一一对应 / {len(kinds)} names but {len(counts)} counts: one for each"
        )
    if not 2 <= len(kinds) <= MOST_KINDS:
        raise ValueError(
            f"应有 2 到 {MOST_KINDS} 类，现有 {len(kinds)} 类 / give 2 to {MOST_KINDS} kinds, got {len(kinds)}"
        )
    if len(weights) not in (1, len(counts)):
        raise ValueError(
            f"权重填一个或 {len(counts)} 个，现有 {len(weights)} 个 / give one weight or {len(counts)}, got {len(weights)}"
        )
    for zh, en, values in (("数量", "count", counts), ("权重", "weight", weights)):
        for place, value in enumerate(values, start=1):
            if value < 0:
                raise ValueError(
                    f"第 {place} 个{zh}不能小于 0，现为 {value:g} / {en} {place} must not be below 0, got {value:g}"
                )


def _first_note(rows: Sequence[Sequence[Any]], vital: int) -> dict[str, str]:
    first, share, together = rows[0][1], rows[0][4], rows[vital - 1][5]
    zh = f"第一位是“{first}”，占 {share:.1f} %；前 {vital} 类合计 {together:.1f} %。"
    en = f"{first} comes first with {share:.1f} %; the first {vital} make {together:.1f} %. "
    if share < ALIKE * 100 / len(rows):
        zh += "各类差不多大，没有明显的少数：换个分法（按机台、班次、料号）再排一次。"
        en += "All are alike, there is no vital few: divide by machine, shift or part number and rank again."
    else:
        zh += f"先只做“{first}”，把它减半，合计少 {share / 2:.1f} %；做完再排一次，看它是不是掉下去。"
        en += f"Work on {first} only: halving it takes {share / 2:.1f} % off the total; rank again and see whether it fell."
    return {"zh": zh, "en": en}


def _table(rows: list[list[Any]]) -> dict[str, Any]:
    names = (
        ("rank", "名次", "Rank", ""), ("kind", "类别", "Kind", ""), ("count", "数量", "Count", ""),
        ("amount", "数量×权重", "Count × weight", ""), ("share", "占比", "Share", "%"), ("cumulated", "累计", "Cumulated", "%"),
    )  # fmt: skip
    columns = [{"name": name, "title_zh": zh, "title_en": en, "unit": unit} for name, zh, en, unit in names]
    return {"title_zh": "帕累托排序", "title_en": "Pareto ranking", "columns": columns, "rows": rows}
