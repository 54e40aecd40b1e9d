"""Of a query that very many documents match, tantivy looks at those only that can reach the page: the same page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from services.gateway.search import evaluation
from services.gateway.search.run import clauses_of, understood
from shared.search import AnalysedQuery, Document, SearchRequest
from shared.search import tantivy as adapter
from shared.search.tantivy import TantivyIndex
from shared.settings import Secret, Settings
from tests import search_corpus

SIZE = 4_000


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TantivyIndex]:
    settings = Settings(home=tmp_path_factory.mktemp("home"), secret=Secret("x" * 64), port=0)
    sentences = search_corpus.sentences_of(search_corpus.documents(settings))
    made = TantivyIndex(tmp_path_factory.mktemp("index"))
    made.rebuild(_owned(number, each) for number, each in enumerate(search_corpus.generated(SIZE, sentences)))
    # Deleted documents still count in the engine's frequencies until their segment is merged.
    made.delete([(f"d{number}", 2) for number in range(5, SIZE, 50)])
    yield made
    made.close()


def _owned(number: int, document: Document) -> Document:
    several = document.industries if number % 4 else ["dyeing", "textile", "apparel"]
    return replace(
        document, organisation="org-a" if number % 7 == 0 else None, industries=several if number % 11 else ()
    )


@pytest.mark.parametrize("owner", [None, "org-a"])
def test_the_page_is_the_same_as_by_looking_at_every_match(
    index: TantivyIndex, owner: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_quickly = with_industry = 0
    for judged in evaluation.read(search_corpus.JUDGED)[::2]:
        query, _ = understood(judged.text)
        asked = SearchRequest(AnalysedQuery(judged.text, clauses_of(query)), owner=owner, offset=3, limit=12)
        monkeypatch.setattr(adapter, "WIDE", 0)
        quick = index.search(asked)
        monkeypatch.setattr(adapter, "WIDE", SIZE + 1)
        slow = index.search(asked)
        assert [hit.id for hit in quick.hits] == [hit.id for hit in slow.hits], judged.text
        assert [hit.score for hit in quick.hits] == pytest.approx([hit.score for hit in slow.hits], abs=1e-3)
        assert quick.total == slow.total and quick.facets == slow.facets
        found = adapter._passing_over(index._open().searcher(), index._open().schema, asked)
        known_quickly += found is not None
        with_industry += found is not None and query.industry is not None
    assert known_quickly > 60 and with_industry > 20
