"""The real index behind a class that tests override where they watch or interrupt it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shared.search import SearchPage, SearchRequest
from shared.search.port import Document, SearchIndex


class PassingIndex:
    """Passes on what a relay asks of an index."""

    def __init__(self, index: SearchIndex) -> None:
        self._index = index

    def put(self, documents: Sequence[Document]) -> None:
        self._index.put(documents)

    def delete(self, gone: Sequence[tuple[str, int]]) -> None:
        self._index.delete(gone)

    def search(self, request: SearchRequest) -> SearchPage:
        return self._index.search(request)

    def rebuild(self, documents: Iterable[Document]) -> int:
        return self._index.rebuild(documents)

    def versions(self) -> dict[str, int]:
        return self._index.versions()

    def is_current(self) -> bool:
        return self._index.is_current()

    def ping(self) -> str:
        return self._index.ping()

    def close(self) -> None:
        self._index.close()
