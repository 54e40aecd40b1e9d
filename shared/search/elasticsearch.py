"""Elasticsearch 8: a versioned index behind an alias, row versions as external versions, deletions as tombstones.

Elasticsearch is a cache of the database: it can be dropped and rebuilt at any time. Tombstones keep no text field and no
sentinel, since the engine forgets deleted versions after a minute and a late replay would bring a document back.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from elasticsearch import ApiError, Elasticsearch, NotFoundError, TransportError, helpers

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

_FACETS = ("type", "industry", "direction")
_KEYWORD: dict[str, Any] = {"type": "keyword"}


class ElasticsearchIndex:
    def __init__(self, url: str, alias: str) -> None:
        self._client = Elasticsearch(url, request_timeout=2.0, max_retries=0, retry_on_timeout=False)
        self._slow = self._client.options(request_timeout=60.0)
        self._alias = alias

    def put(self, documents: Sequence[Document]) -> None:
        self._ensure()
        self._bulk((_action(self._alias, document) for document in documents), refresh=True)

    def delete(self, document_id: str, version: int) -> None:
        self._ensure()
        tombstone = {
            "_op_type": "index",
            "_index": self._alias,
            "_id": document_id,
            "version": version,
            "version_type": "external_gte",
            "_source": {"id": document_id, "version": version, "deleted": True},
        }
        self._bulk([tombstone], refresh=True)

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
            "source": ["id", "type", "payload"],
        }
        if not request.query.clauses:
            body["sort"] = [{"id": "asc"}]
        with _unavailable():
            try:
                answer = self._client.search(index=self._alias, search_type="dfs_query_then_fetch", **body)
            except NotFoundError:
                return SearchPage(0, [], {facet: {} for facet in _FACETS})
        hits = [
            Hit(hit["_source"]["id"], hit["_source"]["type"], hit["_score"] or 0.0, hit["_source"]["payload"])
            for hit in answer["hits"]["hits"]
        ]
        facets = {
            facet: {
                bucket["key"]: bucket["doc_count"]
                for bucket in answer["aggregations"][facet]["values"]["buckets"]
                if bucket["key"] != PUBLIC
            }
            for facet in _FACETS
        }
        return SearchPage(answer["hits"]["total"]["value"], ordered(hits, request), facets)

    def rebuild(self, documents: Iterable[Document]) -> int:
        with _unavailable():
            name = self._create()
            count = self._bulk((_action(name, document) for document in documents), refresh=False)
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
            return any(analysis.version() in name for name in self._behind_alias())

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
                name = self._create()
                self._slow.indices.update_aliases(actions=[{"add": {"index": name, "alias": self._alias}}])

    def _create(self) -> str:
        name = f"{self._alias}-v{analysis.version()}-{int(time.time())}{uuid.uuid4().hex[:6]}"
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
            **dict.fromkeys(FIELD_NAMES, text),
        }
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


def _action(index: str, document: Document) -> dict[str, Any]:
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
            **text_fields(document),
        },
    }


def _alive() -> dict[str, Any]:
    return {"term": {"deleted": False}}


def _query(request: SearchRequest) -> dict[str, Any]:
    owners = [PUBLIC] if request.owner is None else [PUBLIC, request.owner]
    seen = [_alive(), {"terms": {"organisation": owners}}]
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
