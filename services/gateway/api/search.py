"""The merged search and its suggestions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import flask
import marshmallow as ma

from services.gateway.parts import parts
from services.gateway.search import Wanted, run, suggest
from services.gateway.search.asking import Ask
from services.gateway.search.run import SORTS
from services.gateway.search.similar import similar
from shared.errors import BadInput
from shared.fields import Direction, Industry, OneOf, PageArguments
from shared.http.service_app import language
from shared.http.views import ServiceBlueprint
from shared.identity import PRINCIPAL_HEADER

TYPES = ("solution", "article", "component", "provider", "term")
DEEPEST = 10_000

blueprint = ServiceBlueprint("search", __name__, url_prefix="/api/v1", description="统一检索 / merged search")


class SearchArguments(PageArguments):
    q = ma.fields.String(load_default="", metadata={"description": "What is looked for; empty lists everything"})
    type = OneOf(TYPES, load_default=None)
    industry = Industry(load_default=None)
    direction = Direction(load_default=None)
    literal = ma.fields.Boolean(load_default=False, metadata={"description": "Search for exactly what was typed"})
    explain = ma.fields.Boolean(
        load_default=False, metadata={"description": "What each step made of the query, and each hit's score parts"}
    )
    sort = OneOf(SORTS, load_default="relevance")
    cursor = ma.fields.String(
        load_default=None,
        validate=ma.validate.Length(max=400),
        metadata={"description": "`next_cursor` of the page before; `page` is not looked at then"},
    )


class QueryOut(ma.Schema):
    text = ma.fields.String(required=True)
    rewritten = ma.fields.String()
    tokens = ma.fields.List(ma.fields.String())
    industry = ma.fields.String(allow_none=True, metadata={"description": "Inferred; a boost, never a filter"})
    direction = ma.fields.String(allow_none=True)
    intent = ma.fields.String(allow_none=True)


class LeadOut(ma.Schema):
    class Meta:
        unknown = ma.INCLUDE

    kind = ma.fields.String(required=True, metadata={"description": "tool, subsidy, diagnosis or provider"})
    title = ma.fields.String(required=True)
    url = ma.fields.String(required=True)
    inputs = ma.fields.Dict(metadata={"description": "A tool's inputs as the query gives them, in their own units"})


class ItemOut(ma.Schema):
    class Meta:
        unknown = ma.INCLUDE

    id = ma.fields.String(required=True)
    type = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    summary = ma.fields.String()
    highlights = ma.fields.Dict()
    matched = ma.fields.List(ma.fields.String(), metadata={"description": "Words of the query that the entry has"})
    industries = ma.fields.List(ma.fields.String())
    directions = ma.fields.List(ma.fields.String())
    score = ma.fields.Float()
    url = ma.fields.String()
    overdue = ma.fields.Boolean(
        metadata={"description": "Past the day by which it should have been confirmed again: ranked lower"}
    )


class SearchOut(ma.Schema):
    query = ma.fields.Nested(QueryOut, required=True)
    total = ma.fields.Integer(required=True)
    page = ma.fields.Integer()
    size = ma.fields.Integer()
    items = ma.fields.List(ma.fields.Nested(ItemOut), required=True)
    facets = ma.fields.Dict(required=True)
    leads = ma.fields.List(ma.fields.Nested(LeadOut))
    suggestion = ma.fields.String(allow_none=True, metadata={"description": "Did you mean"})
    related = ma.fields.List(ma.fields.String())
    degraded = ma.fields.Boolean(metadata={"description": "The index is away; the database answered"})
    next_cursor = ma.fields.String(allow_none=True)
    warnings = ma.fields.List(ma.fields.String())
    took_ms = ma.fields.Float()


class SuggestArguments(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    q = ma.fields.String(load_default="", validate=ma.validate.Length(max=300))
    lang = OneOf(("zh", "en"), load_default=None, allow_none=True)


class SuggestionOut(ma.Schema):
    text = ma.fields.String(required=True)
    type = ma.fields.String(required=True)


class SuggestionsOut(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(SuggestionOut), required=True)


@blueprint.get("/search")
@blueprint.arguments(SearchArguments, location="query")
@blueprint.alt_response(200, schema=SearchOut)
def search(arguments: dict[str, Any]) -> Any:
    """Solutions, articles, components, providers and terms by what somebody would type."""
    page, size = arguments["page"], arguments["size"]
    if page * size > DEEPEST:
        said = f"最多翻到第 {DEEPEST} 条 / no further than result {DEEPEST}"
        raise BadInput(errors={"page": [said]})
    known = parts()
    text, token = arguments["q"], flask.request.headers.get(PRINCIPAL_HEADER, "")
    wanted = Wanted(
        literal=arguments["literal"],
        explain=arguments["explain"],
        sort=arguments["sort"],
        cursor=arguments["cursor"],
        today=_today(),
        at_once=bool(known.settings.upstreams),
        favoured=known.records.favoured(text) if known.settings.click_ranking else None,
        missed=known.records.missed,
    )
    found = run(
        text,
        {name: arguments[name] for name in ("type", "industry", "direction")},
        page,
        size,
        language(),
        _asking(token),
        entries=lambda service, ids, marks: known.services.entries(service, ids, marks, token),
        known=known.learner.words,
        wanted=wanted,
    )
    return flask.jsonify(found)


def _asking(token: str) -> Ask:
    services = parts().services

    def ask(service: str, request: Mapping[str, Any], /) -> Mapping[str, Any] | None:
        return services.search(service, request, token)

    return ask


def _today() -> date:
    return datetime.fromtimestamp(parts().state.clock(), UTC).date()


class SimilarArguments(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    id = ma.fields.String(required=True, validate=ma.validate.Length(min=1, max=120))
    type = OneOf(TYPES, load_default=None)
    size = ma.fields.Integer(load_default=6, validate=ma.validate.Range(min=1, max=20))
    lang = OneOf(("zh", "en"), load_default=None, allow_none=True)


class SimilarOut(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ItemOut), required=True)


@blueprint.get("/search/similar")
@blueprint.arguments(SimilarArguments, location="query")
@blueprint.alt_response(200, schema=SimilarOut)
def more_like_this(arguments: dict[str, Any]) -> Any:
    """Entries whose words are those of the entry `id`, without it."""
    services, token = parts().services, flask.request.headers.get(PRINCIPAL_HEADER, "")
    found = similar(
        arguments["id"],
        arguments["type"],
        arguments["size"],
        language(),
        _asking(token),
        lambda service, ids, marks: services.entries(service, ids, marks, token),
        _today(),
    )
    return flask.jsonify({"items": found})


@blueprint.get("/suggest")
@blueprint.arguments(SuggestArguments, location="query")
@blueprint.response(200, SuggestionsOut)
def suggestions(arguments: dict[str, Any]) -> dict[str, Any]:
    """Words of the trade that begin like this, also by pinyin or its initials."""
    return {"items": suggest(arguments["q"], known=parts().learner.words)}
