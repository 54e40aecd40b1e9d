"""The merged search and its suggestions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flask
import marshmallow as ma

from services.gateway.parts import parts
from services.gateway.search import run, suggest
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
    explain = ma.fields.Boolean(load_default=False, metadata={"description": "What each step made of the query"})


class QueryOut(ma.Schema):
    text = ma.fields.String(required=True)
    rewritten = ma.fields.String()
    tokens = ma.fields.List(ma.fields.String())
    industry = ma.fields.String(allow_none=True)


class ItemOut(ma.Schema):
    class Meta:
        unknown = ma.INCLUDE

    id = ma.fields.String(required=True)
    type = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    summary = ma.fields.String()
    highlights = ma.fields.Dict()
    industries = ma.fields.List(ma.fields.String())
    directions = ma.fields.List(ma.fields.String())
    score = ma.fields.Float()
    url = ma.fields.String()


class SearchOut(ma.Schema):
    query = ma.fields.Nested(QueryOut, required=True)
    total = ma.fields.Integer(required=True)
    page = ma.fields.Integer()
    size = ma.fields.Integer()
    items = ma.fields.List(ma.fields.Nested(ItemOut), required=True)
    facets = ma.fields.Dict(required=True)
    suggestion = ma.fields.String(allow_none=True)
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
    filters = {name: arguments[name] for name in ("type", "industry", "direction")}
    token = flask.request.headers.get(PRINCIPAL_HEADER, "")
    services = parts().services

    def ask(service: str, request: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return services.search(service, request, token)

    found = run(
        arguments["q"],
        filters,
        page,
        size,
        language(),
        ask,
        literal=arguments["literal"],
        explain=arguments["explain"],
    )
    return flask.jsonify(found)


@blueprint.get("/suggest")
@blueprint.arguments(SuggestArguments, location="query")
@blueprint.response(200, SuggestionsOut)
def suggestions(arguments: dict[str, Any]) -> dict[str, Any]:
    """Words of the trade that begin like this, also by pinyin or its initials."""
    return {"items": suggest(arguments["q"], language())}
