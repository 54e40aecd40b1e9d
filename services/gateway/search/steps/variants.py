"""Known slips of the trade's words, as whole words only: a raw substring would rewrite innocent text."""

from __future__ import annotations

from dataclasses import replace

from services.gateway.search.query import Note, Query
from services.gateway.search.steps.normalise import tokenised
from services.gateway.search.words import Words
from shared.search import analysis


def spelling_variants(query: Query, words: Words) -> tuple[Query, Note | None]:
    plain, changes, place = query.plain, [], 0
    borders = _borders(plain)
    while place < len(plain):
        for length in range(min(words.longest, len(plain) - place), 1, -1):
            piece = plain[place : place + length]
            term = words.by_variant.get(piece)
            if term is not None and place in borders and place + length in borders:
                right = analysis.normalise(term.zh)
                plain = plain[:place] + right + plain[place + length :]
                changes.append((piece, right))
                borders = _borders(plain)
                place += len(right) - 1
                break
        place += 1
    if not changes:
        return query, None
    said = "；".join(f"{wrong} → {right}" for wrong, right in changes)
    return tokenised(replace(query, plain=plain, rewritten=plain)), Note("spelling_variants", said, tuple(changes))


def _borders(plain: str) -> set[int]:
    """Where words begin and end. Single characters count as words: that is how a slip falls apart."""
    found = {0, len(plain)}
    for token in analysis.words_of(plain):
        found |= {token.start, token.end}
    return found
