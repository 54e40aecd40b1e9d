"""Same tokens at query time as at index time."""

from __future__ import annotations

from dataclasses import replace

from services.gateway.search.query import Note, Query
from services.gateway.search.words import QUESTION_WORDS, Words
from shared.search import analysis


def normalise(query: Query, words: Words) -> tuple[Query, Note | None]:
    plain = analysis.normalise(query.text).strip()
    return tokenised(replace(query, plain=plain)), None


def tokenised(query: Query) -> Query:
    """The tokens of `query.plain`; question words find nothing by themselves unless there is nothing else."""
    found = analysis.analyse(query.plain)
    kept = tuple(word for word in found.words if word not in QUESTION_WORDS and len(word) > 1) or found.words
    covered = "".join(kept)
    bigrams = tuple(each for each in found.bigrams if each in covered) or found.bigrams
    unigrams = tuple(each for each in found.unigrams if each in covered) or found.unigrams
    return replace(
        query,
        words=tuple(dict.fromkeys(kept)),
        bigrams=tuple(dict.fromkeys(bigrams)),
        unigrams=tuple(dict.fromkeys(unigrams)),
        marks=tuple(sorted(dict.fromkeys(kept), key=len, reverse=True)),
    )
