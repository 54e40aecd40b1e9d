"""What a service answers about its part of the search index. Never routed from outside.

`/internal/search`: an analysed query in, its hits out. `/internal/entries`: what a result shows, for hits further down.
`/internal/lexicon`: how its public texts write, for the gateway's understanding of queries. While the index is away or
not complete the answer comes from the database and is marked as degraded.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

import flask

from shared.errors import BadInput
from shared.http.service_app import caller, context
from shared.http.views import ServiceBlueprint
from shared.search.database_search import DatabaseSearch
from shared.search.highlight import highlighted, matched
from shared.search.port import MAX_WINDOW, Hit, IndexUnavailable, SearchIndex, SearchPage, SearchRequest
from shared.search.query import AnalysedQuery

log = logging.getLogger(__name__)

_NOT_SENT = ("vector", "said", "names")
"""What of the payload is looked at here and nowhere else."""


def search_blueprint() -> ServiceBlueprint:
    """The blueprint; the service's context holds its index as `parts["index"]`.

    With a `DatabaseSearch` as `parts["database_search"]` searches survive the loss of the index.
    """
    blueprint = ServiceBlueprint("internal_search", __name__, url_prefix="/internal")

    @blueprint.post("/search")
    def search() -> dict[str, Any]:
        request = _request(flask.request.get_json())
        page, degraded = _found(request)
        return {
            "total": page.total,
            "hits": hits_told(page.hits, request.query.marks),
            "facets": {facet: dict(counts) for facet, counts in page.facets.items()},
            "degraded": degraded,
        }

    @blueprint.post("/entries")
    def entries() -> dict[str, Any]:
        body = flask.request.get_json()
        try:
            ids = [str(each) for each in body["ids"]][:MAX_WINDOW]
            marks = [str(mark) for mark in body["marks"]]
        except (KeyError, TypeError):
            raise BadInput(errors={"body": ["a list of ids and a list of marks are needed"]}) from None
        try:
            found = _index().entries(ids, caller().owner)
        except IndexUnavailable:
            if (fallback := _fallback()) is None:
                raise
            found = fallback.entries(ids, caller().owner)
        return {"hits": hits_told(found.values(), marks)}

    @blueprint.get("/lexicon")
    def lexicon() -> dict[str, Any]:
        found = _index().lexicon()
        if found.version == flask.request.args.get("have", ""):
            return {"version": found.version}
        return {"version": found.version, "words": dict(found.words), "bigrams": dict(found.bigrams)}

    return blueprint


def _index() -> SearchIndex:
    found: SearchIndex = context().parts["index"]
    return found


def _fallback() -> DatabaseSearch | None:
    found: DatabaseSearch | None = context().parts.get("database_search")
    return found


def _found(request: SearchRequest) -> tuple[SearchPage, bool]:
    """The page, and whether it is the database's because the index is away or does not hold everything."""
    fallback = _fallback()
    try:
        page = _index().search(request)
        if page.complete or fallback is None:
            return page, False
    except IndexUnavailable as away:
        if fallback is None:
            raise
        log.warning("searching in the database of %s: %s", context().service, away)
    return fallback.search(request), True


def hits_told(hits: Iterable[Hit], marks: Sequence[str]) -> list[dict[str, Any]]:
    """Hits as they travel to the gateway, each with what it has of the query's words."""
    found = []
    for hit in hits:
        payload = {name: value for name, value in hit.payload.items() if name not in _NOT_SENT}
        item: dict[str, Any] = {"id": hit.id, "type": hit.type, "score": hit.score, "payload": payload}
        if hit.body is not None:
            # The text stays here; only the stretch that a result shows travels, and which words it has.
            in_body = matched([hit.body], marks)
            head = (
                hit.payload["title"],
                hit.payload["summary"],
                " ".join(hit.payload["keywords"]),
                "\n".join((*hit.payload["said"], *hit.payload.get("names", ()))),
            )
            item["body"] = highlighted({"body": hit.body}, in_body).get("body", "") if in_body else ""
            in_head = matched(head, marks)
            item["matched"] = [mark for mark in marks if mark in in_body or mark in in_head]
        found.append(item)
    return found


def _request(body: Any) -> SearchRequest:
    try:
        return SearchRequest(
            query=AnalysedQuery.from_json(body["query"]),
            types=[str(each) for each in body["types"]],
            industries=[str(each) for each in body["industries"]],
            directions=[str(each) for each in body["directions"]],
            owner=caller().owner,
            offset=max(int(body["offset"]), 0),
            limit=min(int(body["limit"]), MAX_WINDOW),
        )
    except (KeyError, TypeError, ValueError) as wrong:
        raise BadInput(errors={"body": [f"not an analysed query: {type(wrong).__name__}"]}) from None
