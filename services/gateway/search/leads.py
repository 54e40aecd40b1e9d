"""Where a question leads besides its results: a tool with the query's amounts filled in, or a page that answers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from services.gateway.search.query import Query
from services.gateway.search.slots import filled
from shared.fields import localised

PAGES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "subsidy": ("/subsidy", {"zh": "测算能拿多少补助", "en": "Estimate the subsidy"}),
    "diagnosis": (
        "/diagnosis",
        {"zh": "做一次自查诊断，看先改哪里", "en": "Check the factory yourself: where to begin"},
    ),
    "provider": ("/providers", {"zh": "看看有哪些服务商", "en": "See the providers"}),
}
OF_AN_INDUSTRY = ("diagnosis",)
"""Pages that begin with the industry of the query, when one was inferred."""
TOOL_INTENTS = ("tool", "model")
LOOKED_AT = 8
"""Among so many first hits a tool is looked for."""
FILLED_BONUS = 0.25
"""By so much a tool gains for each of the query's amounts that it can take."""


def leads(query: Query, hits: Sequence[Mapping[str, Any]], language: str) -> list[dict[str, Any]]:
    """At most one page and one tool, each with `kind`, `title`, `url`; a tool also with `inputs` and `id`."""
    found = []
    if query.intent is not None and query.intent in PAGES:
        url, titles = PAGES[query.intent]
        if query.intent in OF_AN_INDUSTRY and query.industry is not None:
            url += "?" + urlencode({"industry": query.industry})
        found.append({"kind": query.intent, "title": localised(titles, language), "url": url})
    tool = _tool(query, hits, language)
    if tool is not None:
        found.append(tool)
    return found


def tools_first(query: Query, hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A tool that takes the query's amounts stands higher for it, before the page is cut."""
    if query.intent not in TOOL_INTENTS or not query.quantities:
        return hits
    raised = []
    for place, hit in enumerate(hits):
        taken = _inputs(query, hit) if place < 4 * LOOKED_AT and hit["type"] == "component" else {}
        gain = 1 + FILLED_BONUS * min(len(taken), len(query.quantities))
        raised.append(
            {**hit, "score": round(hit["score"] * gain, 3), "parts": {**hit["parts"], "amounts": gain}}
            if taken
            else hit
        )
    return sorted(raised, key=lambda hit: (-hit["score"], hit["id"]))


def _tool(query: Query, hits: Sequence[Mapping[str, Any]], language: str) -> dict[str, Any] | None:
    if query.intent not in TOOL_INTENTS:
        return None
    hit = next((each for each in hits[:LOOKED_AT] if each["type"] == "component"), None)
    if hit is None:
        return None
    payload, inputs = hit["payload"], _inputs(query, hit)
    url = str(payload.get("url") or f"/components/{hit['id']}")
    if inputs:
        url += "?" + urlencode(
            {name: f"{value:g}" if isinstance(value, float) else value for name, value in inputs.items()}
        )
    title = localised(payload.get("titles") or payload.get("title"), language)
    return {"kind": "tool", "id": hit["id"], "title": title, "url": url, "inputs": inputs}


def _inputs(query: Query, hit: Mapping[str, Any]) -> dict[str, Any]:
    inputs = hit["payload"].get("inputs")
    return filled(inputs, query.plain, query.quantities) if isinstance(inputs, list) else {}
