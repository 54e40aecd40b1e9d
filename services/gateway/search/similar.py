"""More like this: an entry's own words, asked of every service as any query is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from services.gateway.search.asking import SERVICES, Ask, Entries, asked, with_entries
from services.gateway.search.merge import merged
from services.gateway.search.query import Query
from services.gateway.search.run import INDUSTRY_BOOST, shown_item
from shared.errors import NotFound
from shared.search import analysis
from shared.search.query import AnalysedQuery, Clause

TITLE, KEYWORD = 1.0, 0.6
MOST_WORDS = 30


def similar(
    row_id: str, kind: str | None, size: int, language: str, ask: Ask, entries: Entries, today: date
) -> list[dict[str, Any]]:
    """Items like those of a search. Raises `NotFound` for an id that no service shows to the caller."""
    payload = _payload_of(row_id, entries)
    query = AnalysedQuery(str(payload["title"]), _clauses(payload))
    request = {
        "query": query.to_json(),
        "types": [kind] if kind else [],
        "industries": [],
        "directions": [],
        "offset": 0,
        "limit": size + 1,
    }
    found = asked(ask, request, today, at_once=False)
    hits = [hit for hit in merged(found.answers, None, today) if hit["id"] != row_id][:size]
    shown, _ = with_entries(hits, entries, ())
    return [shown_item(hit, Query(""), language) for hit in shown]


def _payload_of(row_id: str, entries: Entries) -> Mapping[str, Any]:
    for service in SERVICES:
        answer = entries(service, [row_id], ())
        if answer is not None and answer["hits"]:
            payload: Mapping[str, Any] = answer["hits"][0]["payload"]
            return payload
    raise NotFound(kind="entry", id=row_id)


def _clauses(payload: Mapping[str, Any]) -> tuple[Clause, ...]:
    weights: dict[str, float] = {}
    for text, weight in ((payload["title"], TITLE), (" ".join(payload.get("keywords") or ()), KEYWORD)):
        for word in analysis.analyse(str(text)).words:
            if len(word) > 1:
                weights[word] = max(weights.get(word, 0.0), weight)
    best = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_WORDS]
    clauses = [Clause("words", word, weight) for word, weight in best]
    industries = list(payload.get("industries") or [])
    if len(industries) == 1 and clauses:
        clauses.append(Clause("industry", industries[0], INDUSTRY_BOOST))
    return tuple(clauses)
