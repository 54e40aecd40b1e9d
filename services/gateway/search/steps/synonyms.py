"""Other names of the trade's words, below the word that was typed; pairs that must not be merged stay apart."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from services.gateway.search.query import Note, Query
from services.gateway.search.words import Words
from shared.search import analysis
from shared.search.query import Clause

SYNONYM, RELATED = 0.35, 0.12
MOST = 24


def synonyms(query: Query, words: Words) -> tuple[Query, Note | None]:
    clauses: dict[tuple[str, str], float] = {}
    said = []
    for name in _names_in(query, words):
        for term in words.by_name[name]:
            names = {_plain(each) for each in term.names}
            for weight, others in ((SYNONYM, term.names), (RELATED, term.related)):
                for other in others:
                    plain = _plain(other)
                    if plain != name and not any(frozenset((each, plain)) in words.never_merge for each in names):
                        _widen(clauses, plain, weight, query)
            said.append(f"{name}：{'、'.join(term.names)}")
    if not clauses:
        return query, None
    best = sorted(clauses.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST]
    widened = tuple(Clause(kind, token, weight) for (kind, token), weight in best)
    return replace(query, widened=widened), Note("synonyms", "；".join(dict.fromkeys(said)))


@lru_cache(maxsize=10_000)
def _plain(name: str) -> str:
    return analysis.normalise(name)


@lru_cache(maxsize=10_000)
def _tokens(name: str) -> tuple[str, ...]:
    return tuple(token for token in dict.fromkeys(analysis.analyse(name).words) if len(token) > 1)


def _names_in(query: Query, words: Words) -> list[str]:
    """Names of the vocabulary among the query's words, and longer ones that the segmenter cut."""
    found = [word for word in query.words if words.knows(word)]
    for start in range(len(query.plain)):
        for length in range(min(words.longest, len(query.plain) - start), 2, -1):
            piece = query.plain[start : start + length]
            if words.knows(piece):
                found.append(piece)
                break
    return list(dict.fromkeys(found))


def _widen(clauses: dict[tuple[str, str], float], other: str, weight: float, query: Query) -> None:
    tokens = _tokens(other)
    for token in tokens:
        if token not in query.words:
            share = weight / max(len(tokens), 1) if len(tokens) > 2 else weight
            key = ("words", token)
            clauses[key] = max(clauses.get(key, 0.0), share)
