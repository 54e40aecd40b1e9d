"""Search in the rows themselves, for the time in which the index is away. Coarser and slower, and never without an answer.

What the query's words, weighed as for the index, are found in: title, keywords, summary, text. The rows' texts are kept
for a short while, since a lost index sends every search here.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from shared.database import Database
from shared.search import analysis
from shared.search.port import PUBLIC, Document, Hit, SearchPage, SearchRequest, kept_body, ordered, stored

Documents = Callable[[Session], Iterable[Document]]

KEPT_S = 10.0
READ_S, LONGEST_S = 1.5, 0.5
"""For reading the rows, which is done once for many searches, and for looking through them. What cannot be looked through in this time is left out: a quick answer is better than all of it later."""
_WEIGHTS = (3.0, 2.0, 1.5, 1.0)


@dataclass(frozen=True)
class _Text:
    document: Document
    title: str
    keywords: str
    summary: str
    body: str


class DatabaseSearch:
    def __init__(self, database: Database, documents: Documents) -> None:
        self._database, self._documents = database, documents
        self._lock = threading.Lock()
        self._texts: list[_Text] = []
        self._read_at = float("-inf")

    def search(self, request: SearchRequest) -> SearchPage:
        """Documents that hold a word of the query, best first, with facets; never later than `READ_S` + `LONGEST_S` or so.

        Raises what the database raises.
        """
        matching: list[tuple[float, Document]] = []
        texts = self._all()
        deadline = time.monotonic() + LONGEST_S
        for text in texts:
            if not _seen(text.document, request.owner):
                continue
            score = _score(text, request)
            if score > 0:
                matching.append((score, text.document))
            if time.monotonic() > deadline:
                break
        chosen = [(score, each) for score, each in matching if _passes(each, request, except_for="")]
        hits = ordered((_hit(each, score) for score, each in chosen), request)
        return SearchPage(len(chosen), hits, _facets([each for _, each in matching], request))

    def entries(self, ids: Sequence[str], owner: str | None) -> dict[str, Hit]:
        wanted = set(ids)
        documents = (text.document for text in self._all())
        return {each.id: _hit(each, 0.0) for each in documents if each.id in wanted and _seen(each, owner)}

    def _all(self) -> list[_Text]:
        with self._lock:
            deadline = time.monotonic() + READ_S
            if time.monotonic() - self._read_at > KEPT_S:
                texts = []
                with self._database.read() as session:
                    for document in self._documents(session):
                        texts.append(_text(document))
                        if time.monotonic() > deadline:
                            break
                self._texts, self._read_at = texts, time.monotonic()
            return self._texts


def _text(document: Document) -> _Text:
    plain = [
        analysis.normalise(each)
        for each in (
            document.title,
            " ".join((*document.keywords, *document.said)),
            document.summary,
            "\n".join((document.body, *document.names)),
        )
    ]
    return _Text(document, *plain)


def _seen(document: Document, owner: str | None) -> bool:
    return document.organisation is None or document.organisation == owner


def _score(text: _Text, request: SearchRequest) -> float:
    if not request.query.clauses:
        return 1.0
    score = 0.0
    for clause in request.query.clauses:
        if clause.kind != "words" or len(clause.token) < 2:
            continue
        for weight, where in zip(_WEIGHTS, (text.title, text.keywords, text.summary, text.body), strict=True):
            if clause.token in where:
                score += weight * clause.weight * len(clause.token)
    if score and any(
        clause.kind == "industry" and clause.token in text.document.industries for clause in request.query.clauses
    ):
        score += 2.0
    return score


def _passes(document: Document, request: SearchRequest, *, except_for: str) -> bool:
    pairs = (
        ("type", request.types, (document.type,)),
        ("industry", request.industries, document.industries),
        ("direction", request.directions, document.directions),
    )
    return all(name == except_for or not wanted or any(each in held for each in wanted) for name, wanted, held in pairs)


def _facets(documents: Sequence[Document], request: SearchRequest) -> dict[str, dict[str, int]]:
    counted: dict[str, Counter[str]] = {name: Counter() for name in ("type", "industry", "direction")}
    for document in documents:
        values = {"type": (document.type,), "industry": document.industries, "direction": document.directions}
        for name, held in values.items():
            if _passes(document, request, except_for=name):
                counted[name].update(each for each in held if each != PUBLIC)
    return {name: dict(counts) for name, counts in counted.items()}


def _hit(document: Document, score: float) -> Hit:
    return Hit(document.id, document.type, score, stored(document), kept_body(document))
