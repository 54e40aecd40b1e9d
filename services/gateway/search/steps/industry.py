"""Which industry a query is about, from its words. Used as a boost, never as a silent filter."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from services.gateway.search.query import Note, Query
from services.gateway.search.words import Words
from shared.fields import INDUSTRIES

NAMES: dict[str, tuple[str, ...]] = {
    "auto_parts": ("汽车零部件", "汽配", "汽车配件", "零部件", "主机厂", "压铸", "iatf"),
    "electronics": ("电子信息", "电子", "线路板", "pcb", "smt", "贴片", "回流焊", "锡膏"),
    "smart_home": ("智能家居家电", "家电", "小家电", "集成灶", "吊顶", "注塑", "钣金", "喷粉"),
    "textile": ("纺织", "织造", "织机", "坯布", "经编", "纺纱", "喷水织机"),
    "apparel": ("服装", "制衣", "成衣", "缝制", "裁床", "吊挂线", "毛衫"),
    "chem_fibre": ("化工化纤", "化纤", "化工", "涤纶", "长丝", "纺丝", "poy", "fdy", "dty"),
    "dyeing": ("印染", "染整", "染厂", "染色", "定型机", "热定型", "染缸", "印花"),
    "paper": ("造纸", "纸厂", "纸机", "断纸", "烘缸", "瓦楞", "纸箱"),
    "wood": ("木业", "木材", "家具", "板材", "热压", "胶合板", "干燥窑"),
    "fastener": ("紧固件", "螺栓", "螺丝", "螺母", "冷镦", "搓丝", "标准件"),
}


def infer_industry(query: Query, words: Words) -> tuple[Query, Note | None]:
    votes: Counter[str] = Counter()
    for industry, names in NAMES.items():
        votes[industry] += sum(3 for name in names if name in query.plain)
    for word in query.words:
        for term in words.by_name.get(word, ()):
            if len(term.industries) <= 2:
                votes.update(industry for industry in term.industries if industry in INDUSTRIES)
    ranked = votes.most_common(2)
    if not ranked or ranked[0][1] == 0 or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return query, None
    return replace(query, industry=ranked[0][0]), Note("infer_industry", ranked[0][0])
