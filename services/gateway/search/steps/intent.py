"""What kind of thing is asked for; it weighs the types of results against each other, gently."""

from __future__ import annotations

from dataclasses import replace

from services.gateway.search.query import Note, Query
from services.gateway.search.words import Words

SIGNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("subsidy", ("补贴", "补助", "奖励", "政策", "资金", "申报")),
    ("tool", ("多少", "怎么算", "计算", "换算", "折标", "力矩", "扭矩", "公式")),
    ("model", ("预测", "模型", "识别")),
    ("trouble", ("怎么办", "为什么", "原因", "故障", "不良", "太高", "费电", "漏", "断", "坏")),
)


def infer_intent(query: Query, words: Words) -> tuple[Query, Note | None]:
    for intent, signs in SIGNS:
        if any(sign in query.plain for sign in signs):
            return replace(query, intent=intent), Note("infer_intent", intent)
    return query, None
