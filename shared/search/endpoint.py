"""`/internal/search` of a service: an analysed query in, its own part of the answer out. Never routed from outside."""

from __future__ import annotations

from typing import Any

import flask

from shared.errors import BadInput
from shared.http.service_app import caller, context
from shared.http.views import ServiceBlueprint
from shared.search.port import MAX_WINDOW, SearchIndex, SearchRequest
from shared.search.query import AnalysedQuery


def search_blueprint() -> ServiceBlueprint:
    """The blueprint; the service's context holds its index as `parts["index"]`."""
    blueprint = ServiceBlueprint("internal_search", __name__, url_prefix="/internal")

    @blueprint.post("/search")
    def search() -> dict[str, Any]:
        index: SearchIndex = context().parts["index"]
        page = index.search(_request(flask.request.get_json()))
        return {
            "total": page.total,
            "hits": [
                {"id": hit.id, "type": hit.type, "score": hit.score, "payload": dict(hit.payload)} for hit in page.hits
            ],
            "facets": {facet: dict(counts) for facet, counts in page.facets.items()},
        }

    return blueprint


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
