"""The shipped content as the indexes hold it, and searching it without HTTP: for tests and the bench."""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from services.gateway.search import Wanted, evaluation, run
from services.gateway.search.words import Words
from shared import vocabulary
from shared.database import Database
from shared.fields import DIRECTIONS, INDUSTRIES
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


def sentences_of(corpus: Mapping[str, list[Document]]) -> list[str]:
    """Sentences of the shipped content: what generated documents are made of, so that words are as frequent as they are."""
    found = {
        part.strip()
        for documents in corpus.values()
        for document in documents
        for part in document.body.replace("\n", "。").split("。")
        if 10 <= len(part.strip()) <= 80
    }
    return sorted(found)


def generated(size: int, sentences: list[str], body: int = 4) -> Iterator[Document]:
    """Documents with bodies of so many sentences, the same each time."""
    chance = random.Random(7)
    names = [name for term in vocabulary.load().terms for name in term.names]
    for number in range(size):
        yield Document(
            id=f"d{number}",
            type="article" if number % 3 else "solution",
            version=1,
            title="".join(chance.choices(names, k=3)),
            summary=chance.choice(sentences),
            body="。".join(chance.choices(sentences, k=body)),
            keywords=chance.choices(names, k=3),
            industries=[chance.choice(INDUSTRIES)],
            directions=[chance.choice(DIRECTIONS)],
            payload={"url": f"/articles/d{number}"},
        )


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
