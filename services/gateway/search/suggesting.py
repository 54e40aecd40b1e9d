"""Words while somebody types, related searches, and what is offered when a query looks like a slip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from services.gateway.search import words
from services.gateway.search.query import Query
from services.gateway.search.words import Words
from shared.search import analysis

LONGEST_PREFIX = 40
RELATED, LONGEST = 6, 12
NEIGHBOUR = 3
"""A neighbour in the vocabulary counts like a keyword of so many hits."""
LOOKED_AT = 10


def suggest(prefix: str, limit: int = 8, known: Words | None = None) -> list[dict[str, str]]:
    """Words of the trade that begin with `prefix`: by Chinese, by full pinyin, or by initials (kyj -> 空压机).

    Names of the vocabulary first, the shortest first; behind them words of the corpus, the commonest first.
    """
    plain = analysis.normalise(prefix).strip()[:LONGEST_PREFIX]
    if not plain:
        return []
    known = known or words.load()
    names = [name for name in known.by_name if name.startswith(plain)]
    if plain.isascii() and plain.isalpha():
        for sound, heard in known.by_sound.items():
            whole, initials = "".join(sound), "".join(each[0] for each in sound)
            if initials == plain or (len(plain) > 2 and (whole.startswith(plain) or initials.startswith(plain))):
                names += heard
    ranked = sorted(dict.fromkeys(names), key=lambda name: (len(name), -known.counts.get(name, 0), name))
    if len(ranked) < limit and len(plain) > 1:
        others = [word for word in known.counts if word.startswith(plain) and len(word) > len(plain)]
        ranked += sorted(set(others) - set(ranked), key=lambda word: (-known.counts[word], word))
    return [{"text": name, "type": "term"} for name in ranked[:limit]]


def related_searches(query: Query, hits: Sequence[Mapping[str, Any]], known: Words) -> list[str]:
    """Names that stand beside the query's words in the vocabulary or among the keywords of the first hits."""
    found: Counter[str] = Counter()
    for word in query.words:
        for term in known.by_name.get(word, ()):
            found.update(dict.fromkeys(term.related, NEIGHBOUR))
    for hit in hits[:LOOKED_AT]:
        found.update(set(hit["payload"].get("keywords") or ()))
    ranked = sorted((pair for pair in found.items() if pair[1] > 1), key=lambda pair: (-pair[1], pair[0]))
    said = {word for word in query.words if len(word) > 1} | {query.plain}
    related: list[str] = []
    for name, _ in ranked:
        plain = name.lower()
        if (
            len(related) < RELATED
            and 1 < len(name) <= LONGEST
            and not any(plain in word or word in plain for word in said)
        ):
            related.append(name)
    return related
