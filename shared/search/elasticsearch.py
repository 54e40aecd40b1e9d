"""Elasticsearch 8: a versioned index behind an alias, row versions as external versions, deletions as tombstones.

Elasticsearch is a cache of the database: it can be dropped and rebuilt at any time. Tombstones keep no text field and no
sentinel, since the engine forgets deleted versions after a minute and a late replay would bring a document back.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from elasticsearch import ApiError, Elasticsearch, NotFoundError, TransportError, helpers

from shared.search import analysis
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
    ordered,
    other_filters,
    stored,
    text_fields,
)

_FACETS = ("type", "industry", "direction")
_KEYWORD: dict[str, Any] = {"type": "keyword"}
_LEXICON = "lexicon"
"""Id of the entry that keeps the lexicon. It counts as deleted, so that no search ever finds it."""
_PART = "-part-"
SEARCH_S = 2.0
"""A search that takes longer counts as an engine that is away; the service then looks in its database."""
AWAY_S = 5.0
"""After a failure searches are not tried for so long: an engine that hangs would cost each of them `SEARCH_S`."""


class ElasticsearchIndex:
    def __init__(self, url: str, alias: str, mark: str = "", dimension: int | None = None) -> None:
        """`mark` names what else than the analysis the index depends on; `dimension` is that of documents' vectors."""
        self._version = f"{analysis.version()}-{mark}" if mark else analysis.version()
        self._dimension = dimension
        self._client = Elasticsearch(url, request_timeout=2.0, max_retries=0, retry_on_timeout=False)
        self._quick = self._client.options(request_timeout=SEARCH_S)
        self._slow = self._client.options(request_timeout=60.0)
        self._alias = alias
        self._away_until = 0.0

    def put(self, documents: Sequence[Document]) -> None:
        self._ensure()
        self._bulk((_action(self._alias, document, text_fields(document)) for document in documents), refresh=True)

    def delete(self, gone: Sequence[tuple[str, int]]) -> None:
        self._ensure()
        self._bulk((_tombstone(self._alias, *each) for each in gone), refresh=True)

    def search(self, request: SearchRequest) -> SearchPage:
        window = min(request.offset + request.limit + SURPLUS, MAX_WINDOW)
        body: dict[str, Any] = {
            "query": _query(request),
            "post_filter": {"bool": {"filter": _filters(_chosen(request))}},
            "aggs": {
                facet: {
                    "filter": {"bool": {"filter": _filters(filters)}},
                    "aggs": {"values": {"terms": {"field": facet, "size": 100}}},
                }
                for facet, filters in other_filters(request).items()
            },
            "size": window,
            "track_total_hits": True,
            "source": False,
            "docvalue_fields": ["id", "type", *FACTS],
        }
        if not request.query.clauses:
            body["sort"] = [{"id": "asc"}]
        answer = self._asked({**body, "index": self._alias, "search_type": "dfs_query_then_fetch"})
        if answer is None:
            return SearchPage(0, [], {facet: {} for facet in _FACETS}, complete=False)
        found = answer["hits"]["hits"]
        hits = ordered([_hit(hit) for hit in found], request)
        # Everything a result shows is fetched for the first hits of the page only.
        whole = self.entries([hit.id for hit in hits[: request.whole]], request.owner)
        hits = [replace(whole[hit.id], score=hit.score) if hit.id in whole else hit for hit in hits]
        facets = {
            facet: {
                bucket["key"]: bucket["doc_count"]
                for bucket in answer["aggregations"][facet]["values"]["buckets"]
                if bucket["key"] != PUBLIC
            }
            for facet in _FACETS
        }
        complete = not any(_PART in hit["_index"] for hit in found[:1])
        return SearchPage(answer["hits"]["total"]["value"], hits, facets, complete)

    def entries(self, ids: Sequence[str], owner: str | None) -> dict[str, Hit]:
        if not ids:
            return {}
        seen = [_alive(), {"terms": {"organisation": _owners(owner)}}, {"terms": {"id": list(ids)}}]
        query = {"bool": {"filter": seen}}
        sources = ["id", "type", "payload", "body"]
        answer = self._asked({"index": self._alias, "query": query, "size": len(ids), "source": sources})
        hits = () if answer is None else (_whole_hit(hit["_source"]) for hit in answer["hits"]["hits"])
        return {hit.id: hit for hit in hits}

    def nearest(self, vector: Sequence[float], count: int, request: SearchRequest) -> list[Hit]:
        if self._dimension is None or not any(vector):
            return []
        seen = [_alive(), {"terms": {"organisation": _owners(request.owner)}}, *_filters(_chosen(request))]
        knn = {
            "field": "vector",
            "query_vector": list(vector),
            "k": count,
            "num_candidates": 10 * count,
            "filter": seen,
        }
        asked = {"index": self._alias, "knn": knn, "size": count, "source": False}
        answer = self._asked({**asked, "docvalue_fields": ["id", "type", *FACTS]})
        ids = [] if answer is None else [hit["fields"]["id"][0] for hit in answer["hits"]["hits"]]
        return list(self.entries(ids, request.owner).values())

    def lexicon(self) -> Lexicon:
        with _unavailable():
            try:
                kept = self._slow.get(index=self._alias, id=_LEXICON, realtime=False)
            except NotFoundError:
                return Lexicon("")
        payload = kept["_source"]["payload"]
        return Lexicon(kept["_index"], dict(payload["words"]), dict(payload["bigrams"]))

    def _asked(self, request: dict[str, Any]) -> Any:
        """The engine's answer, None when there is no index. An engine that was away a moment ago is not asked."""
        if time.monotonic() < self._away_until:
            raise IndexUnavailable(dependency="elasticsearch")
        try:
            with _unavailable():
                return self._quick.search(**request)
        except NotFoundError:
            return None
        except IndexUnavailable:
            self._away_until = time.monotonic() + AWAY_S
            raise

    def rebuild(self, documents: Iterable[Document]) -> int:
        with _unavailable():
            name = self._create()
            counting = LexiconCount()
            count = self._bulk(_counted(name, documents, counting), refresh=False)
            self._bulk([_lexicon_action(name, counting.lexicon(name))], refresh=False)
            self._slow.indices.refresh(index=name)
            self._slow.indices.forcemerge(index=name, max_num_segments=1)
            old = self._behind_alias()
            actions: list[dict[str, Any]] = [{"remove": {"index": each, "alias": self._alias}} for each in old]
            self._slow.indices.update_aliases(actions=[*actions, {"add": {"index": name, "alias": self._alias}}])
            for each in old:
                self._slow.indices.delete(index=each, ignore_unavailable=True)
        return count

    def versions(self) -> dict[str, int]:
        with _unavailable():
            found = helpers.scan(
                self._slow, index=self._alias, query={"query": _alive()}, _source=["id", "version"], size=2000
            )
            return {hit["_source"]["id"]: hit["_source"]["version"] for hit in found}

    def is_current(self) -> bool:
        with _unavailable():
            names = self._behind_alias()
            return any(f"-v{self._version}-" in name and _PART not in name for name in names)

    def ping(self) -> str:
        with _unavailable():
            health = self._client.cluster.health()
            return f"cluster {health['status']}"

    def close(self) -> None:
        self._client.close()

    def _behind_alias(self) -> list[str]:
        try:
            return sorted(self._client.indices.get_alias(name=self._alias))
        except NotFoundError:
            return []

    def _ensure(self) -> None:
        with _unavailable():
            if not self._behind_alias():
                name = self._create(_PART)
                self._slow.indices.update_aliases(actions=[{"add": {"index": name, "alias": self._alias}}])

    def _create(self, mark: str = "-") -> str:
        """An empty index. One that single writes begin is marked as a part until a rebuild replaces it."""
        name = f"{self._alias}-v{self._version}{mark}{int(time.time())}{uuid.uuid4().hex[:6]}"
        text = {"type": "text", "analyzer": "whitespace", "index_options": "freqs"}
        properties: dict[str, Any] = {
            "id": _KEYWORD,
            "type": _KEYWORD,
            "industry": _KEYWORD,
            "direction": _KEYWORD,
            "organisation": _KEYWORD,
            "version": {"type": "long"},
            "deleted": {"type": "boolean"},
            "payload": {"type": "object", "enabled": False},
            "body": {"type": "keyword", "index": False, "doc_values": False},
            **dict.fromkeys(FACTS, _KEYWORD),
            **dict.fromkeys(FIELD_NAMES, text),
        }
        if self._dimension is not None:
            properties["vector"] = {"type": "dense_vector", "dims": self._dimension, "similarity": "cosine"}
        self._slow.indices.create(
            index=name,
            settings={"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "1s"},
            mappings={"dynamic": "strict", "properties": properties},
        )
        return name

    def _bulk(self, actions: Iterable[dict[str, Any]], *, refresh: bool) -> int:
        """Each item's own answer is looked at: 200 over all may hide a refused one. An older version is done already."""
        count = 0
        with _unavailable():
            for ok, answer in helpers.streaming_bulk(
                self._slow, actions, chunk_size=500, refresh=refresh, raise_on_error=False, max_retries=0
            ):
                status = next(iter(answer.values())).get("status")
                if not ok and status != 409:
                    raise IndexUnavailable(dependency="elasticsearch")
                count += 1
        return count


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except (TransportError, ApiError) as wrong:
        if isinstance(wrong, NotFoundError):
            raise
        raise IndexUnavailable(dependency="elasticsearch") from wrong


def _owners(owner: str | None) -> list[str]:
    return [PUBLIC] if owner is None else [PUBLIC, owner]


def _hit(hit: dict[str, Any]) -> Hit:
    """A hit as far as order needs it."""
    fields = hit["fields"]
    facts = {name: fields[name][0] for name in FACTS if name in fields}
    return Hit(fields["id"][0], fields["type"][0], hit["_score"] or 0.0, facts)


def _whole_hit(source: dict[str, Any]) -> Hit:
    return Hit(source["id"], source["type"], 0.0, source["payload"], source["body"])


def _counted(index: str, documents: Iterable[Document], counting: LexiconCount) -> Iterator[dict[str, Any]]:
    for document, fields in analysed(documents):
        counting.add(document, fields)
        yield _action(index, document, fields)


def _lexicon_action(index: str, lexicon: Lexicon) -> dict[str, Any]:
    kept = {"words": list(lexicon.words.items()), "bigrams": list(lexicon.bigrams.items())}
    source = {"id": _LEXICON, "version": 0, "deleted": True, "payload": kept}
    return {"_op_type": "index", "_index": index, "_id": _LEXICON, "_source": source}


def _action(index: str, document: Document, fields: Mapping[str, str]) -> dict[str, Any]:
    facts = {name: document.payload[name] for name in FACTS if isinstance(document.payload.get(name), str)}
    return {
        "_op_type": "index",
        "_index": index,
        "_id": document.id,
        "version": document.version,
        "version_type": "external",
        "_source": {
            "id": document.id,
            "type": document.type,
            "version": document.version,
            "deleted": False,
            "industry": list(document.industries) or [PUBLIC],
            "direction": list(document.directions) or [PUBLIC],
            "organisation": document.organisation or PUBLIC,
            "payload": stored(document),
            "body": kept_body(document),
            **({} if document.vector is None or not any(document.vector) else {"vector": list(document.vector)}),
            **facts,
            **fields,
        },
    }


def _tombstone(index: str, document_id: str, version: int) -> dict[str, Any]:
    return {
        "_op_type": "index",
        "_index": index,
        "_id": document_id,
        "version": version,
        "version_type": "external_gte",
        "_source": {"id": document_id, "version": version, "deleted": True},
    }


def _alive() -> dict[str, Any]:
    return {"term": {"deleted": False}}


def _query(request: SearchRequest) -> dict[str, Any]:
    seen = [_alive(), {"terms": {"organisation": _owners(request.owner)}}]
    if not request.query.clauses:
        return {"bool": {"filter": seen}}
    should: list[dict[str, Any]] = []
    extra: list[dict[str, Any]] = []
    for clause in request.query.clauses:
        if clause.kind == "industry":
            extra.append({"constant_score": {"filter": {"term": {"industry": clause.token}}, "boost": clause.weight}})
            continue
        for name, boost in TEXT_FIELDS[clause.kind]:
            should.append({"term": {name: {"value": clause.token, "boost": boost * clause.weight}}})
    matched = {"bool": {"should": should, "minimum_should_match": 1}}
    return {"bool": {"must": [matched], "filter": seen, "should": extra}}


def _chosen(request: SearchRequest) -> list[tuple[str, Sequence[str]]]:
    pairs = [("type", request.types), ("industry", request.industries), ("direction", request.directions)]
    return [(name, values) for name, values in pairs if values]


def _filters(filters: Sequence[tuple[str, Sequence[str]]]) -> list[dict[str, Any]]:
    return [{"terms": {name: list(values)}} for name, values in filters]
