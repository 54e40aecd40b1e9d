"""tantivy in the data folder: one writer at a time over all processes.

`<folder>/current` names the index that is searched; a rebuild fills another and switches the name. An index that single
writes began, because there was none, is named as a part until a rebuild has put everything into one.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tantivy

from shared.search import analysis
from shared.search.bulk import analysed, peeked
from shared.search.port import (
    FACTS,
    FIELD_NAMES,
    MATCH_MARKS,
    MAX_WINDOW,
    PUBLIC,
    SURPLUS,
    TEXT_FIELDS,
    WHOLE,
    Document,
    Hit,
    IndexUnavailable,
    Lexicon,
    LexiconCount,
    SearchPage,
    SearchRequest,
    kept_body,
    match_tokens,
    other_filters,
    stored,
    text_fields,
)
from shared.search.tantivy_writer import KeptWriter

_PART = "part-"
_MATCH = "match"
_REBUILD_THREADS, _REBUILD_HEAP_BYTES = 2, 128_000_000
_FACETS = ("type", "industry", "direction")


class TantivyIndex:
    def __init__(self, folder: Path, mark: str = "") -> None:
        """`mark` names what else than the analysis the index depends on, such as a sentence model."""
        self._folder = folder
        self._version = f"{analysis.version()}-{mark}" if mark else analysis.version()
        self._lock = threading.Lock()
        self._name = ""
        self._index: tantivy.Index | None = None
        self._committed: tuple[int, ...] = ()
        self._damaged = ""
        self._writer = KeptWriter(folder)
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, documents: Sequence[Document]) -> None:
        index = self._open()
        with self._writer.batch(index) as batch:
            held = self._held(index, [document.id for document in documents])
            for document in documents:
                if held.get(document.id, -1) < document.version:
                    batch.replace(document.id, _engine_document(document, text_fields(document)))

    def delete(self, document_id: str, version: int) -> None:
        self.delete_many([(document_id, version)])

    def delete_many(self, gone: Sequence[tuple[str, int]]) -> None:
        index = self._open()
        with self._writer.batch(index) as batch:
            held = self._held(index, [document_id for document_id, _ in gone])
            for document_id, version in gone:
                if document_id in held and held[document_id] <= version:
                    batch.remove(document_id)

    def search(self, request: SearchRequest) -> SearchPage:
        with self._loss_told():
            return self._search(request)

    def _search(self, request: SearchRequest) -> SearchPage:
        index = self._open()
        searcher: Any = index.searcher()
        schema = index.schema
        base = _base_query(schema, request)
        narrowed = _with_filters(schema, base, _chosen(request))
        window = min(request.offset + request.limit + SURPLUS, MAX_WINDOW)
        if request.query.clauses:
            found = searcher.search(narrowed, limit=window, count=False)
        else:
            found = searcher.search(
                narrowed, limit=window, count=False, order_by_field="sort_id", order=tantivy.Order.Asc
            )
        facets = self._facets(searcher, schema, request)
        # A document has one type, so the types' counts add up to the total.
        total = sum(count for kind, count in facets["type"].items() if not request.types or kind in request.types)
        return SearchPage(total, _hits(searcher, found.hits, request), facets, not self._name.startswith(_PART))

    def entries(self, ids: Sequence[str], owner: str | None) -> dict[str, Hit]:
        if not ids:
            return {}
        index = self._open()
        searcher: Any = index.searcher()
        seen = _seen(index.schema, owner)
        wanted = _any_of(index.schema, "id", list(ids))
        query = tantivy.Query.boolean_query([(tantivy.Occur.Must, wanted), (tantivy.Occur.Must, seen)])
        with self._loss_told():
            found = searcher.search(query, limit=len(ids), count=False)
            hits = [_hit(searcher.doc(address), 0.0, whole=True) for _, address in found.hits]
        return {hit.id: hit for hit in hits}

    def nearest(self, vector: Sequence[float], count: int, request: SearchRequest) -> list[Hit]:
        return []

    def lexicon(self) -> Lexicon:
        name = self._current_name()
        try:
            kept = json.loads((self._folder / f"{name}.lexicon").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return Lexicon("")
        return Lexicon(name, kept["words"], kept["bigrams"])

    def rebuild(self, documents: Iterable[Document]) -> int:
        name = f"{self._version}-{uuid.uuid4().hex[:8]}"
        index = tantivy.Index(_schema(), path=str(_made(self._folder / name)))
        waiting, few = peeked(documents)
        # One thread leaves one segment, which a small index is read fastest from.
        writer = index.writer(heap_size=_REBUILD_HEAP_BYTES, num_threads=1 if few else _REBUILD_THREADS)
        count, counting = 0, LexiconCount()
        for document, fields in analysed(waiting):
            writer.add_document(_engine_document(document, fields))
            counting.add(document, fields)
            count += 1
        writer.commit()
        writer.wait_merging_threads()
        lexicon = counting.lexicon(name)
        kept = json.dumps({"words": lexicon.words, "bigrams": lexicon.bigrams}, ensure_ascii=False)
        (self._folder / f"{name}.lexicon").write_text(kept, encoding="utf-8")
        old = self._current_name()
        self._point_to(name)
        self._forget_all_but(name, old)
        return count

    def versions(self) -> dict[str, int]:
        searcher = self._open().searcher()
        found = searcher.search(tantivy.Query.all_query(), limit=max(searcher.num_docs, 1), count=False)
        documents = (searcher.doc(address) for _, address in found.hits)
        return {document["id"][0]: document["version"][0] for document in documents}

    def is_current(self) -> bool:
        name = self._current_name()
        return name != self._damaged and name.startswith(f"{self._version}-")

    def ping(self) -> str:
        return f"{self._open().searcher().num_docs} documents"

    def close(self) -> None:
        self._writer.close()
        self._index = None

    def _forget_all_but(self, *names: str) -> None:
        """The index before stays for those who read it at this moment; the next rebuild takes it away."""
        for path in self._folder.iterdir():
            if path.name.removesuffix(".lexicon") not in (*names, "current"):
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)

    def _open(self) -> tantivy.Index:
        """The current index, opened anew when another process has switched it, with everything committed so far."""
        with self._lock:
            name = self._current_name() or self._first()
            try:
                if self._index is None or name != self._name:
                    self._index = tantivy.Index.open(str(self._folder / name))
                    self._name, self._committed = name, ()
                # The engine writes this file anew at each commit; looking at it costs less than loading it.
                seen = (self._folder / name / "meta.json").stat()
                committed = (seen.st_mtime_ns, seen.st_ino, seen.st_size)
                if committed != self._committed:
                    self._index.reload()
                    self._committed = committed
            except (ValueError, FileNotFoundError) as wrong:
                self._damaged = name
                raise IndexUnavailable(dependency="search index") from wrong
            return self._index

    def _first(self) -> str:
        """An empty index to begin with. Of several processes that begin at once one names it for all."""
        name = f"{_PART}{self._version}-{uuid.uuid4().hex[:8]}"
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
    def _loss_told(self) -> Iterator[None]:
        """A segment whose files are half gone opens without a word and fails as `ValueError` once it is read.

        The index is built anew then: `is_current` says so until another one is named.
        """
        try:
            yield
        except (ValueError, OSError) as wrong:
            self._damaged = self._name
            raise IndexUnavailable(dependency="search index") from wrong

    @staticmethod
    def _held(index: tantivy.Index, ids: Sequence[str]) -> dict[str, int]:
        searcher = index.searcher()
        if not ids:
            return {}
        query = _any_of(index.schema, "id", list(ids))
        found = searcher.search(query, limit=max(len(ids), 1), count=False)
        documents = (searcher.doc(address) for _, address in found.hits)
        return {document["id"][0]: document["version"][0] for document in documents}

    @staticmethod
    def _facets(searcher: Any, schema: Any, request: SearchRequest) -> dict[str, dict[str, int]]:
        base = _matching(schema, request)
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
    builder.add_bytes_field("body", stored=True)
    for name in FACTS:
        builder.add_text_field(name, stored=True, tokenizer_name="raw", index_option="basic")
    for name in FIELD_NAMES:
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field(_MATCH, tokenizer_name="whitespace", index_option="basic")
    return builder.build()


def _engine_document(document: Document, fields: Mapping[str, str]) -> tantivy.Document:
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
    made.add_bytes("body", kept_body(document).encode("utf-8"))
    for name in FACTS:
        if isinstance(document.payload.get(name), str):
            made.add_text(name, document.payload[name])
    made.add_text(_MATCH, " ".join(match_tokens(fields)))
    for name, text in fields.items():
        made.add_text(name, text)
    return made


def _hits(searcher: Any, found: Sequence[tuple[Any, Any]], request: SearchRequest) -> list[Hit]:
    """The page of these `(key, address)`. Documents are read only where the page or a tie at its edge needs them."""
    scored = bool(request.query.clauses)
    end = request.offset + request.limit
    if scored and len(found) > end:
        edge = round(float(found[end - 1][0]), 3)
        found = [pair for pair in found if round(float(pair[0]), 3) >= edge]
    documents = [(searcher.doc(address), float(key) if scored else 0.0) for key, address in found]
    ranked = sorted(documents, key=lambda pair: (-round(pair[1], 3), pair[0]["id"][0]))[request.offset : end]
    return [_hit(document, score, whole=place < WHOLE) for place, (document, score) in enumerate(ranked)]


def _hit(document: Any, score: float, *, whole: bool) -> Hit:
    if whole:
        payload = json.loads(bytes(document["payload"][0]))
        body = bytes(document["body"][0]).decode("utf-8")
        return Hit(document["id"][0], document["type"][0], score, payload, body)
    facts = {name: values[0] for name in FACTS if (values := document[name])}
    return Hit(document["id"][0], document["type"][0], score, facts)


def _term(schema: Any, name: str, value: str) -> tantivy.Query:
    return tantivy.Query.term_query(schema, name, value, "freq" if name in FIELD_NAMES else "basic")


def _base_query(schema: Any, request: SearchRequest) -> tantivy.Query:
    """What matches the words and may be seen by the owner."""
    seen = _seen(schema, request.owner)
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


def _seen(schema: Any, owner: str | None) -> tantivy.Query:
    owners = [PUBLIC] if owner is None else [PUBLIC, owner]
    return tantivy.Query.const_score_query(_any_of(schema, "organisation", owners), 0.0)


def _matching(schema: Any, request: SearchRequest) -> tantivy.Query:
    """What `_base_query` matches, for counting: one list of tokens instead of every field with its score."""
    seen = _seen(schema, request.owner)
    if not request.query.clauses:
        return seen
    tokens = [MATCH_MARKS[clause.kind] + clause.token for clause in request.query.clauses if clause.kind in MATCH_MARKS]
    matched = tantivy.Query.const_score_query(_any_of(schema, _MATCH, tokens), 0.0)
    return tantivy.Query.boolean_query([(tantivy.Occur.Must, matched), (tantivy.Occur.Must, seen)])


def _any_of(schema: Any, name: str, values: Sequence[str]) -> tantivy.Query:
    # The engine's own query for a set of terms walks its whole dictionary: three times the cost for a few terms.
    terms = [_term(schema, name, value) for value in values]
    if len(terms) == 1:
        return terms[0]
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, term) for term in terms])


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
