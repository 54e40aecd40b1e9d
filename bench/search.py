"""Search on generated documents: the whole call with facets, without HTTP, at several sizes; indexing; memory; both engines.

And beside Elasticsearch's own standard analyser on the shipped content and the judged queries: who puts the answer first.
`python -m bench.search` runs it alone. Sizes and the engine come from the environment: BENCH_SEARCH_SIZES (by default
10000,100000; the third size of interest is 1000000) and BENCH_ELASTICSEARCH_URL (absent: tantivy alone, no comparison).
Times are of the wall and, for tantivy, of the processor too, since a busy machine stretches the former.
"""

from __future__ import annotations

import json
import math
import os
import resource
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from services.gateway.search import Wanted, evaluation, words
from services.gateway.search import run as search_all
from services.gateway.search.words import Words
from shared.search import Document, SearchIndex
from shared.search.bulk import analysed
from shared.search.port import text_fields
from shared.search.tantivy import TantivyIndex
from shared.settings import Secret, Settings
from tests import search_corpus

QUERIES_ASKED = 240
PASSES = 3
ANALYSED_DOCUMENTS, ANALYSED_SENTENCES = 24_000, 14
"""About as long as the shipped entries are, 480 characters."""


def run() -> dict[str, Any]:
    sizes = [int(size) for size in os.environ.get("BENCH_SEARCH_SIZES", "10000,100000").split(",")]
    url = os.environ.get("BENCH_ELASTICSEARCH_URL")
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="zg-bench-") as folder:
        corpus = search_corpus.documents(Settings(home=Path(folder), secret=Secret(secrets.token_hex(32)), port=0))
        queries = [each.text for each in evaluation.read(search_corpus.JUDGED)]
        sentences = search_corpus.sentences_of(corpus)
        found |= _analysis(sentences)
        for size in sizes:
            found |= _at_size(f"tantivy {size}", _tantivy(), size, sentences, queries)
            if url and size <= 100_000:
                found |= _at_size(f"elasticsearch {size}", _elasticsearch(url), size, sentences, queries)
        found |= _quality(corpus, url)
    return found


def _tantivy() -> tuple[SearchIndex, Path]:
    folder = Path(tempfile.mkdtemp(prefix="zg-bench-"))
    return TantivyIndex(folder), folder


def _elasticsearch(url: str) -> tuple[SearchIndex, Path | None]:
    from shared.search.elasticsearch import ElasticsearchIndex

    return ElasticsearchIndex(url, f"bench-{secrets.token_hex(4)}"), None


def _at_size(
    name: str, made: tuple[SearchIndex, Path | None], size: int, sentences: list[str], queries: list[str]
) -> dict[str, Any]:
    index, folder = made
    try:
        characters = 0

        def counted() -> Iterator[Document]:
            nonlocal characters
            for document in search_corpus.generated(size, sentences):
                characters += len(document.title) + len(document.summary) + len(document.body)
                yield document

        began = time.perf_counter()
        index.rebuild(counted())
        indexing = time.perf_counter() - began
        times, processor = _times(index, words.learnt([index.lexicon()]), queries)
        found = {
            f"{name}: indexing (documents/s)": round(size / indexing),
            f"{name}: indexing (million characters/s)": round(characters / indexing / 1e6, 2),
            f"{name}: whole call p50 / p95 / p99 (ms)": _three(times),
            f"{name}: whole call, processor time p50 / p95 / p99 (ms)": _three(processor),
            f"{name}: memory of this process (MB)": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
        if folder is not None:
            kept = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            found[f"{name}: on disk (MB)"] = round(kept / 1e6)
        return found
    finally:
        index.close()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _three(times: list[float]) -> str:
    ordered = sorted(times)
    places = (0.5, 0.95, 0.99)
    return " / ".join(f"{ordered[int(len(ordered) * place)]:.1f}" for place in places)


def _times(index: SearchIndex, known: Words, queries: list[str]) -> tuple[list[float], list[float]]:
    """Milliseconds of whole calls, of the wall and of this thread: understanding, searching, facets, merging, highlights.

    Each query's quietest of several passes: what else the machine does is not the search's.
    """
    ask = search_corpus.asking({"catalog": index})

    def one(service: str, request: Mapping[str, Any], /) -> Mapping[str, Any]:
        if service == "catalog":
            return ask(service, request)
        return {"total": 0, "hits": [], "facets": {}}

    asked = [queries[number * 7 % len(queries)] for number in range(QUERIES_ASKED)]
    for text in asked[:20]:
        search_all(text, {}, 1, 20, "zh", one, known=known, wanted=Wanted(at_once=False))
    times, processor = [math.inf] * len(asked), [math.inf] * len(asked)
    for _ in range(PASSES):
        for number, text in enumerate(asked):
            began, worked = time.perf_counter(), time.thread_time()
            search_all(text, {}, 1, 20, "zh", one, known=known, wanted=Wanted(at_once=False))
            times[number] = min(times[number], 1000 * (time.perf_counter() - began))
            processor[number] = min(processor[number], 1000 * (time.thread_time() - worked))
    return times, processor


def _analysis(sentences: list[str]) -> dict[str, float]:
    """Characters analysed a second by one process and by two, the start of the processes included."""
    documents = list(search_corpus.generated(ANALYSED_DOCUMENTS, sentences, ANALYSED_SENTENCES))
    characters = sum(len(each.title) + len(each.summary) + len(each.body) for each in documents)
    text_fields(documents[0])
    speeds = []
    for processes in (1, 2):
        began = time.perf_counter()
        for _ in analysed(documents, processes):
            pass
        speeds.append(characters / (time.perf_counter() - began) / 1e6)
    return {
        "analysis, characters a document": round(characters / ANALYSED_DOCUMENTS),
        "analysis, one process (million characters/s)": round(speeds[0], 2),
        "analysis, two processes (million characters/s)": round(speeds[1], 2),
        "  two against one": round(speeds[1] / speeds[0], 2),
    }


def _quality(corpus: Mapping[str, list[Document]], url: str | None) -> dict[str, Any]:
    judged = evaluation.read(search_corpus.JUDGED)
    with tempfile.TemporaryDirectory(prefix="zg-bench-") as folder:
        indexes: dict[str, SearchIndex] = {service: TantivyIndex(Path(folder) / service) for service in corpus}
        for service, index in indexes.items():
            index.rebuild(corpus[service])
        known = words.learnt(index.lexicon() for index in indexes.values())
        ours = evaluation.outcomes(judged, search_corpus.finding(indexes, known))
    found = _figures("ours", ours)
    if url:
        theirs = evaluation.outcomes(judged, _standard(url, [each for some in corpus.values() for each in some]))
        found |= _figures("elasticsearch standard", theirs)
        for name, half in (("all", (True, False)), ("kept half", (True,))):
            mrr = [
                evaluation.figures([each for each in outcomes if each.judged.kept in half])["mrr@10"]
                for outcomes in (ours, theirs)
            ]
            found[f"failures (1 - MRR) against standard, {name}"] = round((1 - mrr[0]) / (1 - mrr[1]), 3)
    return found


def _figures(name: str, outcomes: list[evaluation.Outcome]) -> dict[str, Any]:
    kept = evaluation.figures([each for each in outcomes if each.judged.kept])
    tuned = evaluation.figures([each for each in outcomes if not each.judged.kept])
    return {
        f"{name}: {half} nDCG@10, MRR@10, success@3": f"{each['ndcg@10']}, {each['mrr@10']}, {each['success@3']}"
        for half, each in (("tuned half", tuned), ("kept half", kept))
    }


def _standard(url: str, documents: list[Document]) -> evaluation.Find:
    """The same documents in Elasticsearch as it comes: standard analyser, best_fields over title, keywords, summary, body."""
    from elasticsearch import Elasticsearch, helpers

    client = Elasticsearch(url, request_timeout=60)
    name = f"bench-standard-{secrets.token_hex(4)}"
    text = {"type": "text"}
    properties = {**dict.fromkeys(("title", "keywords", "summary", "body"), text), "name": {"type": "keyword"}}
    client.indices.create(index=name, mappings={"properties": properties})
    helpers.bulk(
        client,
        (
            {
                "_index": name,
                "_source": {
                    "name": evaluation.name_of({"id": each.id, "type": each.type}),
                    "title": each.title,
                    "keywords": " ".join(each.keywords),
                    "summary": each.summary,
                    "body": each.body,
                },
            }
            for each in documents
        ),
        refresh=True,
    )
    fields = ["title^3", "keywords^2", "summary^1.5", "body"]

    def find(query: str) -> tuple[list[str], str | None, int]:
        asked = {"multi_match": {"query": query, "fields": fields}}
        answer = client.search(index=name, query=asked, size=evaluation.DEPTH, source=["name"])
        hits = answer["hits"]
        return [hit["_source"]["name"] for hit in hits["hits"]], None, hits["total"]["value"]

    return find


if __name__ == "__main__":
    print(json.dumps(run(), indent=1, ensure_ascii=False))
