"""The search port: a page of promises. Adapters stand in their own files; one contract suite runs on each.

Both engines index the same tokens with a whitespace analyser and must rank alike on a fresh index. Three rules do it:
every text field holds a sentinel token, so that no document lacks a field; Elasticsearch is asked across shards first
(dfs_query_then_fetch); and more hits than needed are taken and ordered here by (score to three decimals, id).
"""

from __future__ import annotations

from collections import Counter
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
WHOLE = 20
"""So many hits of a search come with everything a result shows, unless more are asked for; later ones with their facts."""
FACTS = ("confirm_by", "last_confirmed")
"""What of the payload decides about order; every hit has it."""
LEXICON_WORDS, LEXICON_BIGRAMS = 40_000, 60_000
LEXICON_DOCUMENTS = 20_000
"""So many public documents are enough to know how the corpus writes."""

TEXT_FIELDS: Mapping[str, tuple[tuple[str, float], ...]] = {
    "words": (
        ("title_words", 4.0),
        ("keyword_words", 3.0),
        ("summary_words", 2.0),
        ("said_words", 2.0),
        ("body_words", 1.0),
    ),
    "bigrams": (
        ("title_bigrams", 2.0),
        ("keyword_bigrams", 1.5),
        ("summary_bigrams", 1.0),
        ("said_bigrams", 1.0),
        ("body_bigrams", 0.5),
    ),
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
    said: Sequence[str] = ()
    """How people put what the entry is about, each a line of its own."""
    names: Sequence[str] = ()
    """Of steps, inputs and the like: found as if they stood in the body, never shown in its place."""
    industries: Sequence[str] = ()
    directions: Sequence[str] = ()
    organisation: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    """What a result shows; kept as given, with title, summary and keywords. The body is kept beside it."""
    vector: Sequence[float] | None = None
    """Of a sentence model, if there is one."""


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
    whole: int = WHOLE
    """How many hits come with everything a result shows."""


@dataclass(frozen=True)
class Hit:
    id: str
    type: str
    score: float
    payload: Mapping[str, Any]
    """What a result shows for the first hits of a search, later only the facts that decide about order."""
    body: str | None = None
    """The text, for highlights; None where only the facts are known."""

    @property
    def whole(self) -> bool:
        return self.body is not None


@dataclass(frozen=True)
class SearchPage:
    total: int
    hits: Sequence[Hit]
    facets: Mapping[str, Mapping[str, int]]
    """`type`, `industry`, `direction` -> value -> documents that match under the other filters."""
    complete: bool = True
    """False where the index was begun by single writes after a loss and does not hold everything yet."""


@dataclass(frozen=True)
class Lexicon:
    """How the public documents of an index write: counted when it was built."""

    version: str
    """Names the build; the same version has the same counts."""
    words: Mapping[str, int] = field(default_factory=dict)
    bigrams: Mapping[str, int] = field(default_factory=dict)
    """Pairs of Han characters that stand side by side; what is rare is left out."""


class SearchIndex(Protocol):
    """One service's index. Every method raises `IndexUnavailable` when the engine is away."""

    def put(self, documents: Sequence[Document]) -> None:
        """Adds or replaces; a document that is no newer than the one held is passed over. Searchable on return."""
        ...

    def delete(self, gone: Sequence[tuple[str, int]]) -> None:
        """Removes each `(id, version)` unless a newer version is held. Harmless where it is not there."""
        ...

    def search(self, request: SearchRequest) -> SearchPage:
        """Public documents and the owner's, best first, equal scores by id. No engine syntax reaches the engine."""
        ...

    def rebuild(self, documents: Iterable[Document]) -> int:
        """Fills a new index and switches to it; searches answer from the old one until then. How many it holds."""
        ...

    def entries(self, ids: Sequence[str], owner: str | None) -> dict[str, Hit]:
        """Id -> what is kept of public documents and the owner's; unknown ids are left out. Scores are 0."""
        ...

    def nearest(self, vector: Sequence[float], count: int, request: SearchRequest) -> list[Hit]:
        """Whole hits under the request's filters whose vectors are nearest; empty where the engine cannot look so."""
        ...

    def lexicon(self) -> Lexicon:
        """Words and pairs of characters of the last build; empty before the first."""
        ...

    def versions(self) -> dict[str, int]:
        """Id -> version of everything held, for reconciling with the database."""
        ...

    def is_current(self) -> bool:
        """Whether the index was built as a whole, and by the analysis this code uses."""
        ...

    def ping(self) -> str:
        """What is worth saying about the engine."""
        ...

    def close(self) -> None: ...


def text_fields(document: Document) -> dict[str, str]:
    """The document's tokens by field, separated by spaces, each field with the sentinel."""
    title = analysis.analyse(document.title)
    summary = analysis.analyse(document.summary)
    body = analysis.analyse("\n".join((document.body, *document.names)))
    keywords = analysis.analyse(" ".join(document.keywords))
    said = analysis.analyse("\n".join(document.said))
    tokens: dict[str, Iterable[str]] = {
        "title_words": title.words,
        "summary_words": summary.words,
        "body_words": body.words,
        "keyword_words": keywords.words,
        "said_words": said.words,
        "title_bigrams": title.bigrams,
        "summary_bigrams": summary.bigrams,
        "body_bigrams": body.bigrams,
        "keyword_bigrams": keywords.bigrams,
        "said_bigrams": said.bigrams,
        "head_unigrams": (*title.unigrams, *summary.unigrams),
        "title_sounds": analysis.sounds_of(dict.fromkeys((*title.words, *keywords.words))),
    }
    return {name: " ".join((SENTINEL, *tokens[name])) for name in FIELD_NAMES}


def stored(document: Document) -> dict[str, Any]:
    """What is kept beside the tokens, but for the body."""
    vector = {} if document.vector is None else {"vector": list(document.vector)}
    return {
        **document.payload,
        **vector,
        "title": document.title,
        "summary": document.summary,
        "keywords": list(document.keywords)[:24],
        "said": list(document.said),
        "names": list(document.names),
        "industries": list(document.industries),
        "directions": list(document.directions),
    }


def kept_body(document: Document) -> str:
    return document.body[:6000]


class LexiconCount:
    """Counts words and pairs of the documents that pass while an index is built."""

    def __init__(self) -> None:
        self._words: Counter[str] = Counter()
        self._bigrams: Counter[str] = Counter()
        self._seen = 0

    def add(self, document: Document, fields: Mapping[str, str]) -> None:
        if document.organisation is not None or self._seen >= LEXICON_DOCUMENTS:
            return
        self._seen += 1
        for name, text in fields.items():
            if name.endswith("_words"):
                self._words.update(text.split(" ")[1:])
            elif name.endswith("_bigrams"):
                self._bigrams.update(text.split(" ")[1:])

    def lexicon(self, version: str) -> Lexicon:
        words = {word: count for word, count in self._words.most_common(LEXICON_WORDS) if len(word) <= 12}
        bigrams = {pair: count for pair, count in self._bigrams.most_common(LEXICON_BIGRAMS) if count > 1}
        return Lexicon(version, words, bigrams)


def ordered(hits: Iterable[Hit], request: SearchRequest) -> list[Hit]:
    """The page, by score to three decimals and then id."""
    ranked = sorted(hits, key=lambda hit: (-round(hit.score, 3), hit.id))
    return ranked[request.offset : request.offset + request.limit]


def other_filters(request: SearchRequest) -> dict[str, list[tuple[str, Sequence[str]]]]:
    """For each facet the filters that apply to its counts: all but its own."""
    chosen = {"type": request.types, "industry": request.industries, "direction": request.directions}
    return {facet: [(name, values) for name, values in chosen.items() if values and name != facet] for facet in chosen}


Factory = Callable[[], SearchIndex]
