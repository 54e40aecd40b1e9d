"""The search port: a page of promises. Adapters stand in their own files; one contract suite runs on each.

Both engines index the same tokens with a whitespace analyser and must rank alike on a fresh index. Three rules do it:
every text field holds a sentinel token, so that no document lacks a field; Elasticsearch is asked across shards first
(dfs_query_then_fetch); and more hits than needed are taken and ordered here by (score to three decimals, id).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from shared.errors import DependencyDown
from shared.search import analysis
from shared.search.query import AnalysedQuery

SENTINEL = "zzsentinel"
PUBLIC = "-"
SURPLUS = 60
"""Hits taken beyond the page, so that ties at its edge fall the same way in both engines."""
MAX_WINDOW = 10_000

TEXT_FIELDS: Mapping[str, tuple[tuple[str, float], ...]] = {
    "words": (("title_words", 3.0), ("keyword_words", 2.0), ("summary_words", 1.5), ("body_words", 1.0)),
    "bigrams": (("title_bigrams", 1.5), ("keyword_bigrams", 1.0), ("summary_bigrams", 0.75), ("body_bigrams", 0.5)),
    "unigrams": (("head_unigrams", 0.2),),
    "sound": (("title_sounds", 1.0),),
}
"""Where a clause of each kind is looked up, with the field's boost: words 1, bigrams 0.5, single characters 0.2."""

FIELD_NAMES = tuple(name for fields in TEXT_FIELDS.values() for name, _ in fields)


class IndexUnavailable(DependencyDown):
    """The search engine does not answer."""


@dataclass(frozen=True)
class Document:
    id: str
    type: str
    version: int
    title: str
    summary: str = ""
    body: str = ""
    keywords: Sequence[str] = ()
    industries: Sequence[str] = ()
    directions: Sequence[str] = ()
    organisation: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    """What a result shows; kept as given. `title`, `summary` and `body` are added for highlights."""


@dataclass(frozen=True)
class SearchRequest:
    query: AnalysedQuery
    types: Sequence[str] = ()
    industries: Sequence[str] = ()
    directions: Sequence[str] = ()
    owner: str | None = None
    """The caller's organisation or guest; public documents are found besides its own."""
    offset: int = 0
    limit: int = 20


@dataclass(frozen=True)
class Hit:
    id: str
    type: str
    score: float
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class SearchPage:
    total: int
    hits: Sequence[Hit]
    facets: Mapping[str, Mapping[str, int]]
    """`type`, `industry`, `direction` -> value -> documents that match under the other filters."""


class SearchIndex(Protocol):
    """One service's index. Every method raises `IndexUnavailable` when the engine is away."""

    def put(self, documents: Sequence[Document]) -> None:
        """Adds or replaces; a document that is no newer than the one held is passed over. Searchable on return."""
        ...

    def delete(self, document_id: str, version: int) -> None:
        """Removes it unless a newer version is held. Harmless when it is not there."""
        ...

    def search(self, request: SearchRequest) -> SearchPage:
        """Public documents and the owner's, best first, equal scores by id. No engine syntax reaches the engine."""
        ...

    def rebuild(self, documents: Iterable[Document]) -> int:
        """Fills a new index and switches to it; searches answer from the old one until then. How many it holds."""
        ...

    def versions(self) -> dict[str, int]:
        """Id -> version of everything held, for reconciling with the database."""
        ...

    def is_current(self) -> bool:
        """Whether the index was built by the analysis this code uses."""
        ...

    def ping(self) -> str:
        """What is worth saying about the engine."""
        ...

    def close(self) -> None: ...


def text_fields(document: Document) -> dict[str, str]:
    """The document's tokens by field, separated by spaces, each field with the sentinel."""
    title = analysis.analyse(document.title)
    summary = analysis.analyse(document.summary)
    body = analysis.analyse(document.body)
    keywords = analysis.analyse(" ".join(document.keywords))
    tokens: dict[str, Iterable[str]] = {
        "title_words": title.words,
        "summary_words": summary.words,
        "body_words": body.words,
        "keyword_words": keywords.words,
        "title_bigrams": title.bigrams,
        "summary_bigrams": summary.bigrams,
        "body_bigrams": body.bigrams,
        "keyword_bigrams": keywords.bigrams,
        "head_unigrams": (*title.unigrams, *summary.unigrams),
        "title_sounds": analysis.sounds_of(dict.fromkeys((*title.words, *keywords.words))),
    }
    return {name: " ".join((SENTINEL, *tokens[name])) for name in FIELD_NAMES}


def stored(document: Document) -> dict[str, Any]:
    """What is kept beside the tokens."""
    return {
        **document.payload,
        "title": document.title,
        "summary": document.summary,
        "body": document.body[:6000],
        "industries": list(document.industries),
        "directions": list(document.directions),
    }


def ordered(hits: Iterable[Hit], request: SearchRequest) -> list[Hit]:
    """The page, by score to three decimals and then id."""
    ranked = sorted(hits, key=lambda hit: (-round(hit.score, 3), hit.id))
    return ranked[request.offset : request.offset + request.limit]


def other_filters(request: SearchRequest) -> dict[str, list[tuple[str, Sequence[str]]]]:
    """For each facet the filters that apply to its counts: all but its own."""
    chosen = {"type": request.types, "industry": request.industries, "direction": request.directions}
    return {facet: [(name, values) for name, values in chosen.items() if values and name != facet] for facet in chosen}


Factory = Callable[[], SearchIndex]
