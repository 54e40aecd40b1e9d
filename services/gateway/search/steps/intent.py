"""What kind of thing is asked for; it weighs the types of results against each other, gently."""

from __future__ import annotations

import re
from dataclasses import replace

from services.gateway.search.query import Note, Query
from services.gateway.search.words import Words
from shared.search.query import Clause

INTENTS = ("subsidy", "diagnosis", "provider", "standard", "tool", "model", "trouble", "solution", "knowledge")
SIGNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("subsidy", re.compile(r"补贴|补助|奖励|奖补|资助|申报|政策|政府.{0,4}钱|能补|补多少|专项资金|subsid|grant")),
    (
        "diagnosis",
        re.compile(
            r"诊断|自测|自评|成熟度|打分|水平评估|现状评估|问卷|(?:智能化|数字化|自动化|信息化)(?:的)?水平|"
            r"从哪里?下手|从哪里?开始|从何下手|先做什么|diagnos|maturity"
        ),
    ),
    (
        "provider",
        re.compile(
            r"服务商|供应商.{0,2}(?:推荐|名单)|集成商|哪家|找谁|哪里有做|谁能做|谁家|外包给|厂家推荐|provider|integrator"
        ),
    ),
    (
        "standard",
        re.compile(r"标准(?!工时|煤|成本|色|件|化|样|作业)|国标|行标|gb/?t?\s*\d|iso\s*\d|限值|哪个标准|规范条件"),
    ),
    (
        "tool",
        re.compile(
            r"多少|怎么算|怎样算|如何算|计算|换算|折标|折算|折合|公式|几台|几个(?:人|工位|点)|几年|几层|几张|几件|几度|几秒|几吨|"
            r"几天|多久|多大|多长|多深|多细|够不够|划算|力矩|扭矩|要不要|该拧|calculat|convert"
        ),
    ),
    ("model", re.compile(r"预测|模型|识别|预警|预报|软测量|predict|forecast|model")),
    (
        "trouble",
        re.compile(
            r"怎么办|为什么|原因|故障|不良|太高|费电|漏|断|坏|不准|不匀|超标|不合格|老是|总是|松|裂|起皱|起泡|咋|查|突然|退货|发黄|不上|不出"
        ),
    ),
    ("knowledge", re.compile(r"什么是|是什么|区别|不同|原理|窗口|怎么控制|怎么定|怎么证明|怎么管|怎么记|why|what is")),
    (
        "solution",
        re.compile(r"方案|改造|自动|联网|系统|追溯|管控|监测|回收|在线|上线|数字化|智能化|群控|monitor|retrofit"),
    ),
)
"""In this order: what leads to a page of its own first, and a question for a number before the trouble behind it."""


MEANT: dict[str, tuple[str, ...]] = {
    "subsidy": ("补助",),
    "diagnosis": ("成熟度", "路径", "智能化改造路径"),
    "provider": ("服务商", "验收"),
    "standard": ("标准",),
}
"""What entries that answer such a question are called; added below the words that were typed."""
MEANT_WEIGHT = 0.5


def infer_intent(query: Query, words: Words) -> tuple[Query, Note | None]:
    for intent, signs in SIGNS:
        found = signs.search(query.plain)
        if found:
            meant = [Clause("words", word, MEANT_WEIGHT) for word in MEANT.get(intent, ()) if word not in query.words]
            widened = (*query.widened, *meant)
            return replace(query, intent=intent, widened=widened), Note("infer_intent", f"{intent}：{found.group()}")
    if query.quantities:
        return replace(query, intent="tool"), Note("infer_intent", "tool")
    return query, None
