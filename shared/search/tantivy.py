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
from dataclasses import replace
from pathlib import Path
from typing import Any

import tantivy

from shared.fields import INDUSTRIES
from shared.search import analysis
from shared.search import tantivy_query as queries
from shared.search.bulk import analysed
from shared.search.port import (
    FACTS,
    FIELD_NAMES,
    MAX_WINDOW,
    PUBLIC,
    SURPLUS,
    TEXT_FIELDS,
    Document,
    Hit,
    IndexUnavailable,
    Lexicon,
    LexiconCount,
    SearchPage,
    SearchRequest,
    kept_body,
    other_filters,
    stored,
    text_fields,
)
from shared.search.tantivy_writer import KeptWriter

_PART = "part-"
_REBUILD_HEAP_BYTES = 256_000_000
"""A hundred thousand documents make one segment, which is read half again as fast as the six of two writing threads."""
WIDE = 2_000
"""Of fewer matches each is looked at sooner than it is known which of them can be passed over."""
_FACETS = ("type", "industry", "direction")


class TantivyIndex:
    def __init__(self, folder: Path, mark: str = "") -> None:
        """`mark` names what else than the analysis the index depends on, such as a sentence model."""
        self._folder = folder
        self._version = f"{analysis.version()}-{mark}" if mark else analysis.version()
        self._lock = threading.Lock()
        self._current = self._meta = folder / "current"
        self._name = ""
        self._index: tantivy.Index | None = None
        self._named: tuple[int, ...] = ()
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

    def delete(self, gone: Sequence[tuple[str, int]]) -> None:
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
        facets = self._facets(searcher, schema, request)
        # A document has one type, so the types' counts add up to the total.
        total = sum(count for kind, count in facets["type"].items() if not request.types or kind in request.types)
        hits = _passing_over(searcher, schema, request) if total >= WIDE else None
        if hits is None:
            hits = _ranked(searcher, schema, request)
        return SearchPage(total, hits, facets, not self._name.startswith(_PART))

    def entries(self, ids: Sequence[str], owner: str | None) -> dict[str, Hit]:
        if not ids:
            return {}
        index = self._open()
        searcher: Any = index.searcher()
        query = queries.visible(index.schema, owner, ids)
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
        writer = index.writer(heap_size=_REBUILD_HEAP_BYTES, num_threads=1)
        count, counting = 0, LexiconCount()
        for document, fields in analysed(documents):
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
            # Both files are written anew at each change; looking at them costs less than reading them.
            named = _state(self._current)
            if self._index is None or named != self._named:
                self._named = named
                name = self._current_name() or self._first()
                if self._index is None or name != self._name:
                    self._index, self._name, self._committed = None, name, ()
                    self._meta = self._folder / name / "meta.json"
            try:
                if self._index is None:
                    self._index = tantivy.Index.open(str(self._folder / self._name))
                committed = _state(self._meta)
                if not committed:
                    raise FileNotFoundError(self._meta)
                if committed != self._committed:
                    self._index.reload()
                    self._committed = committed
            except (ValueError, FileNotFoundError) as wrong:
                self._damaged = self._name
                raise IndexUnavailable(dependency="search index") from wrong
            return self._index

    def _first(self) -> str:
        """An empty index to begin with. Of several processes that begin at once one names it for all."""
        name = f"{_PART}{self._version}-{uuid.uuid4().hex[:8]}"
        tantivy.Index(_schema(), path=str(_made(self._folder / name)))
        draft = self._folder / f".current-{uuid.uuid4().hex[:8]}"
        draft.write_text(name, encoding="ascii")
        with contextlib.suppress(FileExistsError):
            self._current.hardlink_to(draft)
        draft.unlink()
        return self._current_name()

    def _current_name(self) -> str:
        try:
            return self._current.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return ""

    def _point_to(self, name: str) -> None:
        draft = self._folder / f".current-{uuid.uuid4().hex[:8]}"
        draft.write_text(name, encoding="ascii")
        draft.replace(self._current)

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

    def _held(self, index: tantivy.Index, ids: Sequence[str]) -> dict[str, int]:
        searcher = index.searcher()
        if not ids:
            return {}
        with self._loss_told():
            found = searcher.search(queries.any_of(index.schema, "id", ids), limit=len(ids), count=False)
            documents = [searcher.doc(address) for _, address in found.hits]
        return {document["id"][0]: document["version"][0] for document in documents}

    @staticmethod
    def _facets(searcher: Any, schema: Any, request: SearchRequest) -> dict[str, dict[str, int]]:
        base = queries.matching(schema, request)
        counted: dict[str, dict[str, int]] = {}
        asked: dict[str, Any] = {}
        for facet, filters in other_filters(request).items():
            key = json.dumps(filters)
            if key not in asked:
                aggregation = {name: {"terms": {"field": name, "size": 100}} for name in _FACETS}
                asked[key] = searcher.aggregate(queries.with_filters(schema, base, filters), aggregation)
            buckets = asked[key][facet]["buckets"]
            counted[facet] = {bucket["key"]: bucket["doc_count"] for bucket in buckets if bucket["key"] != PUBLIC}
        return counted


def _state(path: Path) -> tuple[int, ...]:
    """What changes when a file is written anew; empty when there is none."""
    try:
        seen = path.stat()
    except FileNotFoundError:
        return ()
    return seen.st_mtime_ns, seen.st_ino, seen.st_size


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("sort_id", fast=True, tokenizer_name="raw", index_option="basic")
    for facet in _FACETS:
        builder.add_text_field(facet, stored=facet == "type", fast=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("organisation", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field(queries.BONUS, tokenizer_name="raw", index_option="freq")
    builder.add_unsigned_field("version", stored=True)
    builder.add_bytes_field("payload", stored=True)
    builder.add_bytes_field("body", stored=True)
    for name in FACTS:
        builder.add_text_field(name, stored=True, tokenizer_name="raw", index_option="basic")
    for name in FIELD_NAMES:
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    for name in queries.ANY.values():
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
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
    industries = set(document.industries).intersection(INDUSTRIES)
    for industry in (*industries, *[PUBLIC] * (len(INDUSTRIES) - len(industries))):
        made.add_text(queries.BONUS, industry)
    for direction in document.directions or (PUBLIC,):
        made.add_text("direction", direction)
    made.add_bytes("payload", json.dumps(stored(document), ensure_ascii=False).encode("utf-8"))
    made.add_bytes("body", kept_body(document).encode("utf-8"))
    for name in FACTS:
        if isinstance(document.payload.get(name), str):
            made.add_text(name, document.payload[name])
    for name, text in fields.items():
        made.add_text(name, text)
    for kind, anywhere in queries.ANY.items():
        made.add_text(anywhere, " ".join([fields[name] for name, _ in TEXT_FIELDS[kind]]))
    return made


def _ranked(searcher: Any, schema: Any, request: SearchRequest) -> list[Hit]:
    """The page out of everything that matches. Documents are read only where the page or a tie at its edge needs them."""
    query = queries.with_filters(schema, queries.base(schema, request), queries.chosen(request))
    window, end = _window(request), request.offset + request.limit
    if not request.query.clauses:
        order = {"order_by_field": "sort_id", "order": tantivy.Order.Asc}
        found = searcher.search(query, limit=window, count=False, **order).hits[request.offset : end]
        return _page([(searcher.doc(address), 0.0) for _, address in found], replace(request, offset=0))
    found = searcher.search(query, limit=window, count=False).hits
    if len(found) > end:
        edge = round(found[end - 1][0], 3)
        found = [pair for pair in found if round(pair[0], 3) >= edge]
    return _page([(searcher.doc(address), score) for score, address in found], request)


def _passing_over(searcher: Any, schema: Any, request: SearchRequest) -> list[Hit] | None:
    """The same page without a look at every match; None where that cannot be known to be the same.

    The engine passes over what cannot reach the first hits, which it only does for terms and nothing round them. What
    the owner may not see is left out afterwards, and what may have the industry alone is not told from what matches.
    """
    if not request.query.clauses or queries.chosen(request):
        return None
    query, bonus = queries.plain(searcher, schema, request)
    seen, end = queries.owners(request.owner), request.offset + request.limit
    documents: list[tuple[Any, float]] = []
    for score, address in searcher.search(query, limit=_window(request), count=False).hits:
        if len(documents) >= end and round(score, 3) < round(documents[end - 1][1], 3):
            return _page(documents, request)
        if score <= bonus + 0.001:
            return None
        document = searcher.doc(address)
        if document["organisation"][0] in seen:
            documents.append((document, score))
    return None


def _window(request: SearchRequest) -> int:
    return min(request.offset + request.limit + SURPLUS, MAX_WINDOW)


def _page(documents: Sequence[tuple[Any, float]], request: SearchRequest) -> list[Hit]:
    ranked = sorted(documents, key=lambda pair: (-round(pair[1], 3), pair[0]["id"][0]))
    wanted = ranked[request.offset : request.offset + request.limit]
    return [_hit(document, score, whole=place < request.whole) for place, (document, score) in enumerate(wanted)]


def _hit(document: Any, score: float, *, whole: bool) -> Hit:
    if whole:
        payload = json.loads(bytes(document["payload"][0]))
        body = bytes(document["body"][0]).decode("utf-8")
        return Hit(document["id"][0], document["type"][0], score, payload, body)
    facts = {name: values[0] for name in FACTS if (values := document[name])}
    return Hit(document["id"][0], document["type"][0], score, facts)
