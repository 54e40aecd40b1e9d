"""The embedded search engine on generated documents: time of a whole call with facets, and indexing."""

from __future__ import annotations

import random
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from services.gateway.search.run import clauses_of, understood
from shared import vocabulary
from shared.fields import DIRECTIONS, INDUSTRIES
from shared.search import AnalysedQuery, Document, SearchRequest
from shared.search.tantivy import TantivyIndex

SIZE = 10_000
QUERIES = (
    "定型机能耗太高怎么办",
    "空压机漏气",
    "螺栓拧紧力矩",
    "断纸",
    "注塑机单位电耗",
    "MES 追溯",
    "染色色差",
    "停台",
)


def run() -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="zg-bench-"))
    try:
        index = TantivyIndex(folder)
        began = time.perf_counter()
        index.rebuild(_documents())
        indexing = time.perf_counter() - began
        times = []
        for round_number in range(60):
            text = QUERIES[round_number % len(QUERIES)]
            began = time.perf_counter()
            query, _ = understood(text)
            index.search(SearchRequest(AnalysedQuery(text, clauses_of(query)), limit=20))
            times.append(1000 * (time.perf_counter() - began))
        times = sorted(times[8:])
        return {
            "generated documents": SIZE,
            "indexing with analysis (documents/s)": round(SIZE / indexing, 1),
            "query understood, searched, facets counted p50 (ms)": round(statistics.median(times), 2),
            "  p95 (ms)": round(times[int(len(times) * 0.95)], 2),
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _documents() -> Any:
    chance = random.Random(7)
    words = [name for term in vocabulary.load().terms for name in term.names]
    for number in range(SIZE):
        yield Document(
            id=f"d{number}",
            type="article",
            version=1,
            title="".join(chance.choices(words, k=3)),
            summary="，".join(chance.choices(words, k=8)),
            body="。".join("，".join(chance.choices(words, k=6)) for _ in range(5)),
            industries=[chance.choice(INDUSTRIES)],
            directions=[chance.choice(DIRECTIONS)],
        )
