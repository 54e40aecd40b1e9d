"""A search request as queries of tantivy: what ranks, what counts, and who may see it.

The ranking query comes in two forms with the same scores. `base` holds everything in one: words, who may see it, the
industry's bonus. `plain` is a union of terms alone, which is the one shape of which the engine passes over documents
that cannot reach the page; who may see what it finds is looked at afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import tantivy

from shared.search.port import FIELD_NAMES, PUBLIC, SENTINEL, TEXT_FIELDS, SearchRequest

ANY = {kind: f"any_{kind}" for kind in TEXT_FIELDS}
"""Per kind of token one field that only says whether a document matches: for counting, not for ranking."""
BONUS = "industry_bonus"
"""The industries once more, filled up to one length for all documents: a term that scores the same in each of them."""
_WITH_COUNTS = frozenset((*FIELD_NAMES, BONUS))

Filters = Sequence[tuple[str, Sequence[str]]]


def base(schema: Any, request: SearchRequest) -> tantivy.Query:
    """What matches the words and may be seen by the owner, scored."""
    seen = _seen(schema, request.owner)
    if not request.query.clauses:
        return seen
    extra = [
        (tantivy.Occur.Should, tantivy.Query.const_score_query(_term(schema, "industry", clause.token), clause.weight))
        for clause in request.query.clauses
        if clause.kind == "industry"
    ]
    terms = _scored(schema, request)
    matched = tantivy.Query.boolean_query(terms) if terms else tantivy.Query.empty_query()
    return tantivy.Query.boolean_query([(tantivy.Occur.Must, matched), (tantivy.Occur.Must, seen), *extra])


def plain(searcher: Any, schema: Any, request: SearchRequest) -> tuple[tantivy.Query, float]:
    """The same scores as a union of terms, whoever may see them, and the most that the industry alone can give.

    Only what scores more than that is sure to match the words.
    """
    terms, bonus = _scored(schema, request), 0.0
    for clause in request.query.clauses:
        if clause.kind == "industry":
            found = searcher.doc_freq(BONUS, clause.token)
            if found:
                # A term that stands once in a field of average length scores its inverse frequency and nothing else.
                everything = searcher.doc_freq(FIELD_NAMES[0], SENTINEL)
                inverse = math.log(1 + (everything - found + 0.5) / (found + 0.5))
                boosted = tantivy.Query.boost_query(_term(schema, BONUS, clause.token), clause.weight / inverse)
                terms.append((tantivy.Occur.Should, boosted))
            bonus += clause.weight
    return tantivy.Query.boolean_query(terms), bonus


def matching(schema: Any, request: SearchRequest) -> tantivy.Query:
    """What `base` matches, for counting: one list of tokens instead of every field with its score."""
    seen = _seen(schema, request.owner)
    if not request.query.clauses:
        return seen
    terms = [_term(schema, ANY[clause.kind], clause.token) for clause in request.query.clauses if clause.kind in ANY]
    matched = tantivy.Query.const_score_query(_union(terms), 0.0)
    return tantivy.Query.boolean_query([(tantivy.Occur.Must, matched), (tantivy.Occur.Must, seen)])


def visible(schema: Any, owner: str | None, ids: Sequence[str]) -> tantivy.Query:
    """Those of `ids` that the owner may see."""
    parts = [any_of(schema, "id", ids), _seen(schema, owner)]
    return tantivy.Query.boolean_query([(tantivy.Occur.Must, part) for part in parts])


def owners(owner: str | None) -> list[str]:
    return [PUBLIC] if owner is None else [PUBLIC, owner]


def any_of(schema: Any, name: str, values: Sequence[str]) -> tantivy.Query:
    # The engine's own query for a set of terms walks its whole dictionary: three times the cost for a few terms.
    return _union([_term(schema, name, value) for value in values])


def chosen(request: SearchRequest) -> Filters:
    pairs = [("type", request.types), ("industry", request.industries), ("direction", request.directions)]
    return [(name, values) for name, values in pairs if values]


def with_filters(schema: Any, query: tantivy.Query, filters: Filters) -> tantivy.Query:
    if not filters:
        return query
    parts = [(tantivy.Occur.Must, query)]
    for name, values in filters:
        parts.append((tantivy.Occur.Must, tantivy.Query.const_score_query(any_of(schema, name, values), 0.0)))
    return tantivy.Query.boolean_query(parts)


def _scored(schema: Any, request: SearchRequest) -> list[tuple[tantivy.Occur, tantivy.Query]]:
    return [
        (tantivy.Occur.Should, tantivy.Query.boost_query(_term(schema, name, clause.token), boost * clause.weight))
        for clause in request.query.clauses
        if clause.kind in TEXT_FIELDS
        for name, boost in TEXT_FIELDS[clause.kind]
    ]


def _seen(schema: Any, owner: str | None) -> tantivy.Query:
    return tantivy.Query.const_score_query(any_of(schema, "organisation", owners(owner)), 0.0)


def _term(schema: Any, name: str, value: str) -> tantivy.Query:
    return tantivy.Query.term_query(schema, name, value, "freq" if name in _WITH_COUNTS else "basic")


def _union(terms: Sequence[tantivy.Query]) -> tantivy.Query:
    if len(terms) == 1:
        return terms[0]
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, term) for term in terms])
