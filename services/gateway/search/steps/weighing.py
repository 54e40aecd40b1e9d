"""How much each word of a query says. Everyday words (自己, 客户, 上去) are rare in a corpus of the trade and would decide
by their rarity; what the language has far more often than the corpus weighs less.
"""

from __future__ import annotations

import math
from dataclasses import replace

from services.gateway.search.query import Note, Query
from services.gateway.search.words import GENERAL_TOTAL, Words, general_frequency
from shared.search import analysis

LEAST = 0.3
"""What the most everyday word still weighs."""
NEUTRAL = 1.0
"""From so many times (as a power of e) the language's frequency on, a word is one of the trade."""
SPAN = 3.0
"""Over so many powers of e below that the weight falls to `LEAST`."""


def weigh(query: Query, words: Words) -> tuple[Query, Note | None]:
    weights = tuple((word, weight_of(word, words)) for word in query.words)
    light = [f"{word} {weight:.2f}" for word, weight in weights if weight < 1]
    return replace(query, weights=weights), Note("weigh", "；".join(light)) if light else None


def weight_of(word: str, words: Words) -> float:
    """From `LEAST` to 1. Names of the vocabulary and Latin words weigh 1."""
    if words.knows(word) or not analysis.HAN.fullmatch(word):
        return 1.0
    general = general_frequency(word) / GENERAL_TOTAL
    own = words.counts.get(word, 0) / words.total
    if not general:
        return 1.0
    ratio = math.log((own + 1 / words.total) / general)
    return round(min(1.0, max(LEAST, 1.0 + (1 - LEAST) * (ratio - NEUTRAL) / SPAN)), 3)
