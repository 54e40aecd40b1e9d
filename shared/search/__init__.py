"""Search: text analysed once in the application, and one port over tantivy and Elasticsearch that rank alike."""

from shared.search.open import open_index
from shared.search.port import Document, Hit, IndexUnavailable, SearchIndex, SearchPage, SearchRequest
from shared.search.query import AnalysedQuery, Clause

__all__ = [
    "AnalysedQuery",
    "Clause",
    "Document",
    "Hit",
    "IndexUnavailable",
    "SearchIndex",
    "SearchPage",
    "SearchRequest",
    "open_index",
]
