"""Amounts in the query, for the inputs of the tool that answers it."""

from __future__ import annotations

from dataclasses import replace

from services.gateway.search.quantities import found_in
from services.gateway.search.query import Note, Query
from services.gateway.search.words import Words
from shared.search.query import Clause

MEANT: dict[str, tuple[str, ...]] = {
    "人": ("人数", "产能"),
    "件": ("产量", "日产", "产能"),
    "元": ("投资",),
    "kwh": ("用电量",),
    "h": ("工时",),
}
"""What tools call an input or answer of such an amount: questions made of little else share no other word with them."""
MEANT_WEIGHT = 0.35
AMOUNTS = 2
"""From so many amounts on a question is made of them."""


def find_amounts(query: Query, words: Words) -> tuple[Query, Note | None]:
    quantities = found_in(query.plain)
    if not quantities:
        return query, None
    said = "；".join(f"{each.value:g} {each.unit}{'/' + each.per if each.per else ''}".strip() for each in quantities)
    units = dict.fromkeys(each.unit for each in quantities)
    asked_for = [unit for unit, asked in (("人", "几个人"), ("件", "多少件"), ("人", "多少人")) if asked in query.plain]
    meant: list[Clause] = []
    if len(quantities) + len(asked_for) >= AMOUNTS:
        words_meant = dict.fromkeys(word for unit in (*units, *asked_for) for word in MEANT.get(unit, ()))
        meant = [Clause("words", word, MEANT_WEIGHT) for word in words_meant if word not in query.words]
    return replace(query, quantities=quantities, widened=(*query.widened, *meant)), Note("find_amounts", said)
