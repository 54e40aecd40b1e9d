"""An index with a sentence model beside the words: added to the score of the first hits, and for recall where it can."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from shared.search.embedding import Embedder, likeness
from shared.search.port import Document, Hit, Lexicon, SearchIndex, SearchPage, SearchRequest, ordered

TOP = 50
"""So many lexical hits are looked at; the model orders them anew, never what lies behind them."""
SHARE = 0.3
"""What a perfect likeness adds, as a share of the best lexical score."""
NEAREST = 10
"""So many entries are added that only the model finds, where the engine can look for them."""
AT_ONCE = 64
VECTOR = "vector"


class SemanticIndex:
    """A `SearchIndex` around another one."""

    def __init__(self, index: SearchIndex, embedder: Embedder) -> None:
        self._index, self._embedder = index, embedder

    def put(self, documents: Sequence[Document]) -> None:
        self._index.put(list(self._with_vectors(documents)))

    def delete(self, gone: Sequence[tuple[str, int]]) -> None:
        self._index.delete(gone)

    def search(self, request: SearchRequest) -> SearchPage:
        if not request.query.clauses or not request.query.text.strip():
            return self._index.search(request)
        wide = replace(request, offset=0, limit=max(TOP, request.offset + request.limit), whole=TOP)
        page = self._index.search(wide)
        vector = self._embedder.embed([request.query.text])[0]
        best = max((hit.score for hit in page.hits), default=1.0)
        hits = [self._raised(hit, vector, best) if place < TOP else hit for place, hit in enumerate(page.hits)]
        if len(hits) > TOP:
            # What lies behind the first hits stays behind them.
            edge = min(hit.score for hit in hits[:TOP])
            hits = [*hits[:TOP], *(replace(hit, score=min(hit.score, edge)) for hit in hits[TOP:])]
        known = {hit.id for hit in hits}
        added = [hit for hit in self._index.nearest(vector, NEAREST, request) if hit.id not in known]
        hits += [self._raised(replace(hit, score=0.0), vector, best) for hit in added]
        return replace(page, hits=ordered(hits, request), total=page.total + len(added))

    def nearest(self, vector: Sequence[float], count: int, request: SearchRequest) -> list[Hit]:
        return self._index.nearest(vector, count, request)

    def entries(self, ids: Sequence[str], owner: str | None) -> dict[str, Hit]:
        return self._index.entries(ids, owner)

    def lexicon(self) -> Lexicon:
        return self._index.lexicon()

    def rebuild(self, documents: Iterable[Document]) -> int:
        return self._index.rebuild(self._with_vectors(documents))

    def versions(self) -> dict[str, int]:
        return self._index.versions()

    def is_current(self) -> bool:
        return self._index.is_current()

    def ping(self) -> str:
        return self._index.ping()

    def close(self) -> None:
        self._index.close()

    def _with_vectors(self, documents: Iterable[Document]) -> Iterator[Document]:
        waiting = iter(documents)
        while chunk := list(itertools.islice(waiting, AT_ONCE)):
            texts = [f"{document.title}。{document.summary}" for document in chunk]
            for document, vector in zip(chunk, self._embedder.embed(texts), strict=True):
                yield replace(document, vector=vector)

    def _raised(self, hit: Hit, vector: Sequence[float], best: float) -> Hit:
        own = hit.payload.get(VECTOR)
        if not isinstance(own, list) or len(own) != len(vector):
            return hit
        near = max(0.0, likeness(vector, own))
        payload: Mapping[str, object] = {**hit.payload, "likeness": round(near, 3)}
        return replace(hit, score=hit.score + SHARE * best * near, payload=payload)
