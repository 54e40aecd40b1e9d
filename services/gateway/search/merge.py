"""One list out of the services' answers: scores weighed by type and intent, ties by id, facets added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

TYPE_WEIGHTS: Mapping[str, float] = {"solution": 1.15, "article": 1.0, "component": 1.0, "provider": 1.0, "term": 0.55}
INTENT_WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "tool": {"component": 1.35},
    "model": {"component": 1.35},
    "trouble": {"solution": 1.25, "article": 1.05},
    "subsidy": {"article": 1.2},
}


def weight_of(kind: str, intent: str | None) -> float:
    return TYPE_WEIGHTS.get(kind, 1.0) * INTENT_WEIGHTS.get(intent or "", {}).get(kind, 1.0)


def merged(answers: Sequence[Mapping[str, Any]], intent: str | None) -> list[dict[str, Any]]:
    """Hits of all services, best first: by weighted score to three decimals, then by id."""
    hits = [
        {**hit, "score": round(hit["score"] * weight_of(hit["type"], intent), 3)}
        for answer in answers
        for hit in answer["hits"]
    ]
    return sorted(hits, key=lambda hit: (-hit["score"], hit["id"]))


def facets_of(answers: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Counts by value; a document lies in one service, so counts add up."""
    total: dict[str, dict[str, int]] = {"type": {}, "industry": {}, "direction": {}}
    for answer in answers:
        for facet, counts in answer["facets"].items():
            for value, count in counts.items():
                total[facet][value] = total[facet].get(value, 0) + count
    return {
        facet: dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))) for facet, counts in total.items()
    }
