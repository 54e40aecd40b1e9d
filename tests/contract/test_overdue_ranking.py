"""What should have been confirmed again ranks lower from that day on, without being indexed anew, in both engines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

import pytest

from services.gateway.search.run import run
from shared.search import Document, SearchIndex, SearchRequest, open_index
from shared.search.query import AnalysedQuery
from shared.settings import Settings

Make = Callable[..., Settings]


@pytest.fixture(params=["tantivy", "elasticsearch"])
def index(request: pytest.FixtureRequest) -> Iterator[SearchIndex]:
    if request.param == "tantivy":
        settings = request.getfixturevalue("embedded_settings")()
    else:
        settings = request.getfixturevalue("distributed_settings")(without=("postgres", "redis"))
    found = open_index(settings, "catalog")
    yield found
    found.close()


def asking(index: SearchIndex) -> Callable[[str, Mapping[str, Any]], Mapping[str, Any]]:
    """The index as the catalog's `/internal/search` answers for it; the other services hold nothing."""

    def ask(service: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        if service != "catalog":
            return {"total": 0, "hits": [], "facets": {}}
        query = AnalysedQuery.from_json(request["query"])
        page = index.search(SearchRequest(query, offset=request["offset"], limit=request["limit"]))
        hits = [{"id": h.id, "type": h.type, "score": h.score, "payload": dict(h.payload)} for h in page.hits]
        return {"total": page.total, "hits": hits, "facets": page.facets}

    return ask


def entry(name: str, confirm_by: str, summary: str) -> Document:
    payload = {"confirm_by": confirm_by, "url": f"/solutions/{name}"}
    return Document(id=name, type="solution", version=1, title="空压机节能", summary=summary, payload=payload)


def test_the_day_decides_and_not_the_indexing(index: SearchIndex) -> None:
    index.put(
        [
            entry("a-best", "2027-03-31", "空压机漏气"),
            entry("b-second", "2028-01-01", "空压机漏气"),
            entry("c-third", "2028-01-01", "空压机"),
        ]
    )

    def ranked(today: date) -> list[tuple[str, bool]]:
        found = run("空压机漏气", {}, 1, 10, "zh", asking(index), today=today)
        return [(item["id"], item["overdue"]) for item in found["items"]]

    in_time = [("a-best", False), ("b-second", False), ("c-third", False)]
    assert ranked(date(2027, 3, 31)) == in_time
    # Lower, but not out of sight: what fits far worse stays behind it.
    assert ranked(date(2027, 4, 1)) == [("b-second", False), ("a-best", True), ("c-third", False)]
    assert [name for name, _ in ranked(date(2028, 1, 2))] == ["a-best", "b-second", "c-third"]


def test_what_is_in_time_comes_first_even_from_beyond_the_page(index: SearchIndex) -> None:
    late = [entry(f"a-late-{number}", "2027-03-31", "空压机漏气") for number in range(6)]
    index.put([*late, entry("z-in-time", "2028-01-01", "空压机漏气")])
    found = run("空压机漏气", {}, 1, 2, "zh", asking(index), today=date(2027, 6, 1))
    assert [item["id"] for item in found["items"]] == ["z-in-time", "a-late-0"]
    assert found["total"] == 7
