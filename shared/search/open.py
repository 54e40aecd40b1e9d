"""The one place that picks the search engine."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from shared.search.embedding import OnnxEmbedder
from shared.search.port import SearchIndex
from shared.settings import Settings


def open_index(settings: Settings, service: str) -> SearchIndex:
    """Elasticsearch when `elasticsearch_url` is set, else tantivy under the home; with a sentence model if one is set."""
    if settings.embedder is None:
        return _engine(settings, service, "", None)
    from shared.search.semantic import SemanticIndex

    embedder = _embedder(settings.embedder)
    return SemanticIndex(_engine(settings, service, embedder.name, embedder.dimension), embedder)


def _engine(settings: Settings, service: str, mark: str, dimension: int | None) -> SearchIndex:
    if settings.elasticsearch_url is not None:
        from shared.search.elasticsearch import ElasticsearchIndex

        alias = f"{settings.index_prefix}-{service}"
        return ElasticsearchIndex(settings.elasticsearch_url.reveal(), alias, mark, dimension)
    from shared.search.tantivy import TantivyIndex

    return TantivyIndex(settings.home / "index" / service, mark)


@cache
def _embedder(folder: Path) -> OnnxEmbedder:
    """One model for all indexes of a process."""
    return OnnxEmbedder(folder)
