"""One list out of the services' answers: scores weighed by type and intent, ties by id, facets added up."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

TYPE_WEIGHTS: Mapping[str, float] = {"solution": 0.9, "article": 1.0, "component": 1.5, "provider": 1.0, "term": 0.3}
"""A service's scores depend on how much it holds: few components make rare words count for little there."""
INTENT_WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "tool": {"component": 1.35},
    "model": {"component": 1.35},
    "trouble": {"article": 1.05},
    "subsidy": {"article": 1.2},
}
"""Scores are weighed and added up, never ranks fused: the terms' list is weaker and would harm by its ranks alone."""

UNCOVERED = 0.4
"""What an entry that has none of the query's words as words keeps: it was found by pairs of characters or synonyms."""
COVERED = 20
"""Of each service's hits so many are weighed by what they have of the query; every search asks for at least as many, so
that the order is the same whichever page is asked for."""
OVERDUE_WEIGHT = 0.7
"""What is past the day by which it should have been confirmed again stands behind what is not."""
NEWEST_SHARE = 0.35
"""Sorting by day keeps hits with at least this share of the best score: the newest is no answer when it fits badly."""


def weight_of(kind: str, intent: str | None) -> float:
    return TYPE_WEIGHTS.get(kind, 1.0) * INTENT_WEIGHTS.get(intent or "", {}).get(kind, 1.0)


def coverage_factor(matched: Sequence[str] | None, weights: Mapping[str, float] | None) -> float:
    """From `UNCOVERED` to 1 by the share of the query's words, by what each says, that an entry has."""
    if not weights or matched is None:
        return 1.0 if not weights else UNCOVERED
    whole = sum(weights.values())
    share = sum(weights.get(word, 0.0) for word in matched) / whole if whole else 1.0
    return round(UNCOVERED + (1 - UNCOVERED) * min(share, 1.0), 3)


def is_overdue(hit: Mapping[str, Any], today: date) -> bool:
    """Whether the entry's day has passed. The day is kept in the index, so that time alone moves the entry down."""
    confirm_by = hit["payload"].get("confirm_by")
    return isinstance(confirm_by, str) and confirm_by < today.isoformat()


def merged(
    answers: Mapping[str, Mapping[str, Any]],
    intent: str | None,
    today: date,
    favoured: Mapping[str, float] | None = None,
    weights: Mapping[str, float] | None = None,
) -> list[dict[str, Any]]:
    """Hits of all services, best first: by weighted score to three decimals, then by id.

    `favoured` gives ids a factor of their own, such as what was clicked; `weights` says how much each word of the query
    says, for what share of it an entry has.
    """
    hits = []
    for service, answer in answers.items():
        for place, hit in enumerate(answer["hits"]):
            matched = hit.get("matched") if place < COVERED else None
            overdue = is_overdue(hit, today)
            parts = {
                "words": round(hit["score"], 3),
                "type": weight_of(hit["type"], None),
                "intent": round(weight_of(hit["type"], intent) / weight_of(hit["type"], None), 3),
                "overdue": OVERDUE_WEIGHT if overdue else 1.0,
                "coverage": coverage_factor(matched, weights),
                "clicks": (favoured or {}).get(hit["id"], 1.0),
            }
            score = hit["score"] * math.prod(each for name, each in parts.items() if name != "words")
            hits.append({**hit, "service": service, "score": round(score, 3), "overdue": overdue, "parts": parts})
    return sorted(hits, key=lambda hit: (-hit["score"], hit["id"]))


def by_day(hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Hits that fit well enough, the latest confirmed first."""
    enough = NEWEST_SHARE * max((hit["score"] for hit in hits), default=0.0)
    fitting = [hit for hit in hits if hit["score"] >= enough]
    # Sorting twice keeps the better score first where the days are the same.
    return sorted(fitting, key=lambda hit: str(hit["payload"].get("last_confirmed") or ""), reverse=True)


def facets_of(answers: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Counts by value; a document lies in one service, so counts add up."""
    total: dict[str, dict[str, int]] = {"type": {}, "industry": {}, "direction": {}}
    for answer in answers.values():
        for facet, counts in answer["facets"].items():
            for value, count in counts.items():
                total[facet][value] = total[facet].get(value, 0) + count
    return {
        facet: dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))) for facet, counts in total.items()
    }
