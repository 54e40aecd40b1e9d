"""tantivy in the data folder: one writer at a time over all processes, taken for a batch and let go.

`<folder>/current` names the index that is searched; a rebuild fills another and switches the name.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tantivy

from shared.search import analysis
from shared.search.port import (
    FIELD_NAMES,
    MAX_WINDOW,
    PUBLIC,
    SURPLUS,
    TEXT_FIELDS,
    Document,
    Hit,
    IndexUnavailable,
    SearchPage,
    SearchRequest,
    ordered,
    other_filters,
    stored,
    text_fields,
)

_WRITER_WAIT_S = 20.0
_FACETS = ("type", "industry", "direction")


class TantivyIndex:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._name = ""
        self._index: tantivy.Index | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, documents: Sequence[Document]) -> None:
        with self._writer() as (index, writer):
            held = self._held(index, [document.id for document in documents])
            for document in documents:
                if held.get(document.id, -1) >= document.version:
                    continue
                writer.delete_documents_by_term("id", document.id)
                writer.add_document(_engine_document(document))

    def delete(self, document_id: str, version: int) -> None:
        with self._writer() as (index, writer):
            if self._held(index, [document_id]).get(document_id, -1) <= version:
                writer.delete_documents_by_term("id", document_id)

    def search(self, request: SearchRequest) -> SearchPage:
        index = self._open()
        searcher: Any = index.searcher()
        schema = index.schema
        base = _base_query(schema, request)
        narrowed = _with_filters(schema, base, _chosen(request))
        window = min(request.offset + request.limit + SURPLUS, MAX_WINDOW)
        if request.query.clauses:
            found = searcher.search(narrowed, limit=window, count=True)
        else:
            found = searcher.search(
                narrowed, limit=window, count=True, order_by_field="sort_id", order=tantivy.Order.Asc
            )
        hits = [_hit(searcher, key, address, bool(request.query.clauses)) for key, address in found.hits]
        return SearchPage(found.count, ordered(hits, request), self._facets(searcher, schema, base, request))

    def rebuild(self, documents: Iterable[Document]) -> int:
        name = f"{analysis.version()}-{uuid.uuid4().hex[:8]}"
        index = tantivy.Index(_schema(), path=str(_made(self._folder / name)))
        writer = index.writer(heap_size=64_000_000, num_threads=1)
        count = 0
        for document in documents:
            writer.add_document(_engine_document(document))
            count += 1
        writer.commit()
        writer.wait_merging_threads()
        old = self._current_name()
        self._point_to(name)
        for folder in self._folder.iterdir():
            if folder.is_dir() and folder.name not in (name, old):
                shutil.rmtree(folder, ignore_errors=True)
        return count

    def versions(self) -> dict[str, int]:
        searcher = self._open().searcher()
        found = searcher.search(tantivy.Query.all_query(), limit=max(searcher.num_docs, 1), count=False)
        documents = (searcher.doc(address) for _, address in found.hits)
        return {document["id"][0]: document["version"][0] for document in documents}

    def is_current(self) -> bool:
        return self._current_name().startswith(f"{analysis.version()}-")

    def ping(self) -> str:
        return f"{self._open().searcher().num_docs} documents"

    def close(self) -> None:
        self._index = None

    def _open(self) -> tantivy.Index:
        """The current index, opened anew when another process has switched it, with everything committed so far."""
        with self._lock:
            name = self._current_name() or self._first()
            if self._index is None or name != self._name:
                try:
                    self._index = tantivy.Index.open(str(self._folder / name))
                except ValueError as wrong:
                    raise IndexUnavailable(dependency="search index") from wrong
                self._name = name
            self._index.reload()
            return self._index

    def _first(self) -> str:
        """An empty index to begin with. Of several processes that begin at once one names it for all."""
        name = f"{analysis.version()}-{uuid.uuid4().hex[:8]}"
        tantivy.Index(_schema(), path=str(_made(self._folder / name)))
        draft = self._folder / f".current-{uuid.uuid4().hex[:8]}"
        draft.write_text(name, encoding="ascii")
        with contextlib.suppress(FileExistsError):
            (self._folder / "current").hardlink_to(draft)
        draft.unlink()
        return self._current_name()

    def _current_name(self) -> str:
        try:
            return (self._folder / "current").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return ""

    def _point_to(self, name: str) -> None:
        draft = self._folder / f".current-{uuid.uuid4().hex[:8]}"
        draft.write_text(name, encoding="ascii")
        draft.replace(self._folder / "current")

    @contextmanager
    def _writer(self) -> Iterator[tuple[tantivy.Index, Any]]:
        index = self._open()
        deadline = time.monotonic() + _WRITER_WAIT_S
        while True:
            try:
                writer = index.writer(heap_size=15_000_000, num_threads=1)
                break
            except ValueError as busy:
                # Another process holds the one writer; batches are short, so waiting is enough.
                if time.monotonic() > deadline:
                    raise IndexUnavailable(dependency="search index writer") from busy
                time.sleep(0.02)
        try:
            yield index, writer
            writer.commit()
        except BaseException:
            writer.rollback()
            raise
        finally:
            writer.wait_merging_threads()
            index.reload()

    @staticmethod
    def _held(index: tantivy.Index, ids: Sequence[str]) -> dict[str, int]:
        searcher = index.searcher()
        query = tantivy.Query.term_set_query(index.schema, "id", list(ids))
        found = searcher.search(query, limit=max(len(ids), 1), count=False)
        documents = (searcher.doc(address) for _, address in found.hits)
        return {document["id"][0]: document["version"][0] for document in documents}

    @staticmethod
    def _facets(searcher: Any, schema: Any, base: tantivy.Query, request: SearchRequest) -> dict[str, dict[str, int]]:
        counted: dict[str, dict[str, int]] = {}
        asked: dict[str, Any] = {}
        for facet, filters in other_filters(request).items():
            key = json.dumps(filters)
            if key not in asked:
                aggregation = {name: {"terms": {"field": name, "size": 100}} for name in _FACETS}
                asked[key] = searcher.aggregate(_with_filters(schema, base, filters), aggregation)
            buckets = asked[key][facet]["buckets"]
            counted[facet] = {bucket["key"]: bucket["doc_count"] for bucket in buckets if bucket["key"] != PUBLIC}
        return counted


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("sort_id", fast=True, tokenizer_name="raw", index_option="basic")
    for facet in _FACETS:
        builder.add_text_field(facet, stored=facet == "type", fast=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("organisation", tokenizer_name="raw", index_option="basic")
    builder.add_unsigned_field("version", stored=True)
    builder.add_bytes_field("payload", stored=True)
    for name in FIELD_NAMES:
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    return builder.build()


def _engine_document(document: Document) -> tantivy.Document:
    made = tantivy.Document()
    made.add_text("id", document.id)
    made.add_text("sort_id", document.id)
    made.add_text("type", document.type)
    made.add_text("organisation", document.organisation or PUBLIC)
    made.add_unsigned("version", document.version)
    for industry in document.industries or (PUBLIC,):
        made.add_text("industry", industry)
    for direction in document.directions or (PUBLIC,):
        made.add_text("direction", direction)
    made.add_bytes("payload", json.dumps(stored(document), ensure_ascii=False).encode("utf-8"))
    for name, text in text_fields(document).items():
        made.add_text(name, text)
    return made


def _hit(searcher: Any, key: Any, address: Any, scored: bool) -> Hit:
    document = searcher.doc(address)
    score = float(key) if scored else 0.0
    return Hit(document["id"][0], document["type"][0], score, json.loads(bytes(document["payload"][0])))


def _term(schema: Any, name: str, value: str) -> tantivy.Query:
    return tantivy.Query.term_query(schema, name, value, "freq" if name in FIELD_NAMES else "basic")


def _base_query(schema: Any, request: SearchRequest) -> tantivy.Query:
    """What matches the words and may be seen by the owner."""
    owners = [PUBLIC] if request.owner is None else [PUBLIC, request.owner]
    seen = tantivy.Query.const_score_query(_any_of(schema, "organisation", owners), 0.0)
    if not request.query.clauses:
        return seen
    should: list[tuple[tantivy.Occur, tantivy.Query]] = []
    extra: list[tuple[tantivy.Occur, tantivy.Query]] = []
    for clause in request.query.clauses:
        if clause.kind == "industry":
            boosted = tantivy.Query.const_score_query(_term(schema, "industry", clause.token), clause.weight)
            extra.append((tantivy.Occur.Should, boosted))
            continue
        for name, boost in TEXT_FIELDS[clause.kind]:
            query = tantivy.Query.boost_query(_term(schema, name, clause.token), boost * clause.weight)
            should.append((tantivy.Occur.Should, query))
    matched = tantivy.Query.boolean_query(should) if should else tantivy.Query.empty_query()
    return tantivy.Query.boolean_query([(tantivy.Occur.Must, matched), (tantivy.Occur.Must, seen), *extra])


def _any_of(schema: Any, name: str, values: Sequence[str]) -> tantivy.Query:
    return tantivy.Query.term_set_query(schema, name, list(values))


def _chosen(request: SearchRequest) -> list[tuple[str, Sequence[str]]]:
    pairs = [("type", request.types), ("industry", request.industries), ("direction", request.directions)]
    return [(name, values) for name, values in pairs if values]


def _with_filters(schema: Any, base: tantivy.Query, filters: Sequence[tuple[str, Sequence[str]]]) -> tantivy.Query:
    if not filters:
        return base
    parts = [(tantivy.Occur.Must, base)]
    for name, values in filters:
        parts.append((tantivy.Occur.Must, tantivy.Query.const_score_query(_any_of(schema, name, values), 0.0)))
    return tantivy.Query.boolean_query(parts)
