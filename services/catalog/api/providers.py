"""Providers: list and detail for everyone, entry and change by administrators."""

from __future__ import annotations

from typing import Any

import flask
import marshmallow as ma

from services.catalog.api.parts import database, ring
from services.catalog.logic import providers
from services.catalog.store.providers import FILTERS, Provider
from shared.fields import Direction, Industry, OneOf, PageArguments, Sentence, localised, name_filter
from shared.http.service_app import caller, language
from shared.http.views import ServiceBlueprint
from shared.http.writes import answer_with_etag, etag_of, idempotent, require_match

blueprint = ServiceBlueprint("providers", __name__, url_prefix="/api/v1/providers")

KINDS = ("equipment_integrator", "information_engineering", "sector_platform")
"""The plan's kinds of service company: 装备智能化技术集成, 工业信息工程服务, 行业性工业互联网平台服务."""


class ProviderArguments(PageArguments):
    industry = Industry()
    direction = Direction()
    solution = name_filter()


class SummaryIn(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    zh = Sentence(required=True, maximum=600)
    en = Sentence(maximum=1200)


class ProviderIn(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    name = Sentence(required=True, maximum=120)
    summary = ma.fields.Nested(SummaryIn, required=True)
    kinds = ma.fields.List(OneOf(KINDS), required=True, validate=ma.validate.Length(min=1, max=3))
    industries = ma.fields.List(Industry(), load_default=list, validate=ma.validate.Length(max=10))
    directions = ma.fields.List(Direction(), load_default=list, validate=ma.validate.Length(max=5))
    solutions = ma.fields.List(
        ma.fields.String(validate=ma.validate.Length(max=120)), load_default=list, validate=ma.validate.Length(max=50)
    )
    website = ma.fields.Url(
        schemes={"http", "https"}, load_default=None, allow_none=True, validate=ma.validate.Length(max=300)
    )
    source = Sentence(required=True, maximum=300, metadata={"description": "Where these facts come from"})


class ProviderOut(ma.Schema):
    id = ma.fields.String()
    type = ma.fields.String()
    url = ma.fields.String()
    name = ma.fields.String()
    summary = ma.fields.String()
    kinds = ma.fields.List(ma.fields.String())
    industries = ma.fields.List(ma.fields.String())
    directions = ma.fields.List(ma.fields.String())
    solutions = ma.fields.List(ma.fields.String())
    website = ma.fields.String(allow_none=True)
    source = ma.fields.String()
    version = ma.fields.Integer()
    updated_at = ma.fields.String()


class ProvidersOut(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ProviderOut))
    total = ma.fields.Integer()
    page = ma.fields.Integer()
    size = ma.fields.Integer()


@blueprint.get("")
@blueprint.arguments(ProviderArguments, location="query")
@blueprint.response(200, ProvidersOut)
def list_providers(query: dict[str, Any]) -> dict[str, Any]:
    """Providers by industry, direction or solution. None is shipped: the list is empty until some are entered."""
    filters = {name: query[name] for name in FILTERS if query.get(name)}
    rows, total = providers.providers_for(database(), caller(), filters=filters, page=query["page"], size=query["size"])
    items = [_shown(row) for row in rows]
    return {"items": items, "total": total, "page": query["page"], "size": query["size"]}


@blueprint.post("")
@blueprint.arguments(ProviderIn)
@blueprint.response(201, ProviderOut)
@idempotent
def add_provider(body: dict[str, Any]) -> flask.Response:
    """Enters a provider. Administrators only."""
    row = providers.add_provider(database(), caller(), body)
    ring()
    response = answer_with_etag(_shown(row), row.id, row.version)
    response.status_code = 201
    response.headers["Location"] = f"/api/v1/providers/{row.id}"
    return response


@blueprint.get("/<string:provider_id>")
@blueprint.response(200, ProviderOut)
def read_provider(provider_id: str) -> flask.Response:
    """One provider."""
    row = providers.provider(database(), caller(), provider_id)
    return answer_with_etag(_shown(row), row.id, row.version)


@blueprint.put("/<string:provider_id>")
@blueprint.arguments(ProviderIn)
@blueprint.response(200, ProviderOut)
@idempotent
def change_provider(body: dict[str, Any], provider_id: str) -> flask.Response:
    """Replaces what is said about a provider. Needs `If-Match`. Administrators only."""
    row = providers.provider(database(), caller(), provider_id)
    require_match(row.id, row.version)
    changed = providers.change_provider(database(), caller(), row, body)
    ring()
    response = flask.jsonify(_shown(changed))
    response.headers["ETag"] = etag_of(changed.id, changed.version)
    return response


def _shown(row: Provider) -> dict[str, Any]:
    return {
        **row.content,
        "id": row.id,
        "type": "provider",
        "url": f"/providers/{row.id}",
        "summary": localised(row.content["summary"], language()),
        "version": row.version,
        "updated_at": row.updated_at.isoformat(),
    }
