"""The shipped content as the indexes hold it, and searching it without HTTP: for tests and the bench."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from services.gateway.search import Wanted, evaluation, run
from services.gateway.search.words import Words
from shared.database import Database
from shared.search import AnalysedQuery, Document, SearchIndex, SearchRequest
from shared.search.endpoint import hits_told
from shared.settings import Settings

JUDGED = Path(__file__).parent / "data" / "search" / "judged.yaml"
BLIND = Path(__file__).parent / "data" / "search" / "blind.yaml"
SERVICES = ("catalog", "knowledge", "models")


def documents(settings: Settings) -> dict[str, list[Document]]:
    """By service, everything that ships, read from databases that are made for it."""
    found = {}
    for service in SERVICES:
        module = importlib.import_module(f"services.{service}.app")
        module.migrate(settings)
        module.seed(settings)
        app = module.create_app(settings)
        parts = app.extensions["zhigai"].parts
        database: Database = parts["database"]
        with database.read() as session:
            found[service] = list(parts["relay"].all_documents(session))
        app.extensions["zhigai"].close()
    return found


def asking(indexes: Mapping[str, SearchIndex]) -> Callable[[str, Mapping[str, Any]], Mapping[str, Any]]:
    """The indexes as the services' `/internal/search` answers for them."""

    def ask(service: str, request: Mapping[str, Any], /) -> Mapping[str, Any]:
        query = AnalysedQuery.from_json(request["query"])
        filters = {name: request[name] for name in ("types", "industries", "directions", "offset", "limit")}
        page = indexes[service].search(SearchRequest(query, **filters))
        return {"total": page.total, "hits": hits_told(page.hits, query.marks), "facets": page.facets}

    return ask


def finding(indexes: Mapping[str, SearchIndex], known: Words) -> evaluation.Find:
    ask = asking(indexes)

    def find(text: str) -> tuple[list[str], str | None, int]:
        found = run(text, {}, 1, evaluation.DEPTH, "zh", ask, known=known, wanted=Wanted(at_once=False))
        rewritten = found["query"]["rewritten"]
        return (
            [evaluation.name_of(each) for each in found["items"]],
            rewritten if rewritten != text else None,
            found["total"],
        )

    return find
