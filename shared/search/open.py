"""The one place that picks the search engine."""

from __future__ import annotations

from shared.search.port import SearchIndex
from shared.settings import Settings


def open_index(settings: Settings, service: str) -> SearchIndex:
    """Elasticsearch when `elasticsearch_url` is set, else tantivy under the home."""
    if settings.elasticsearch_url is not None:
        from shared.search.elasticsearch import ElasticsearchIndex

        return ElasticsearchIndex(settings.elasticsearch_url.reveal(), f"{settings.index_prefix}-{service}")
    from shared.search.tantivy import TantivyIndex

    return TantivyIndex(settings.home / "index" / service)
