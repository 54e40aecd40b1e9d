"""Which of the five directions a query names, if it names one. Said in the answer; never a silent filter."""

from __future__ import annotations

from dataclasses import replace

from services.gateway.search.query import Note, Query
from services.gateway.search.words import Words

NAMES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("platform", ("平台", "园区共享", "产业大脑", "协同制造", "产能共享")),
    ("factory", ("智能工厂", "未来工厂", "全厂", "整厂", "工厂级", "黑灯工厂")),
    ("workshop", ("数字化车间", "智能车间", "车间级", "整个车间")),
    ("line", ("产线", "生产线", "流水线", "自动线", "整线")),
    ("equipment", ("单机", "单台", "设备改造", "机台改造", "机器换人")),
)


def infer_direction(query: Query, words: Words) -> tuple[Query, Note | None]:
    named = [direction for direction, names in NAMES if any(name in query.plain for name in names)]
    if len(named) != 1:
        return query, None
    return replace(query, direction=named[0]), Note("infer_direction", named[0])
