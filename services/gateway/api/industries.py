"""The ten industries at a glance, put together from what the services hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flask
import marshmallow as ma

from services.gateway.logic import industries
from services.gateway.parts import parts
from shared.http.service_app import language
from shared.http.views import ServiceBlueprint
from shared.identity import PRINCIPAL_HEADER

blueprint = ServiceBlueprint("industries", __name__, url_prefix="/api/v1/industries")


class IndustryItemOut(ma.Schema):
    id = ma.fields.String()
    title = ma.fields.String()
    url = ma.fields.String()
    solutions = ma.fields.Integer(allow_none=True)
    articles = ma.fields.Integer(
        allow_none=True, metadata={"description": "With those that hold for all industries; null when not known now"}
    )


class IndustriesOut(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(IndustryItemOut))
    total = ma.fields.Integer()
    page = ma.fields.Integer()
    size = ma.fields.Integer()
    warnings = ma.fields.List(ma.fields.String())


class IndustrySolutionOut(ma.Schema):
    id = ma.fields.String()
    url = ma.fields.String()
    title = ma.fields.String()
    summary = ma.fields.String()
    directions = ma.fields.List(ma.fields.String())
    scale = ma.fields.String()
    overdue = ma.fields.Boolean()


class CountsOut(ma.Schema):
    solutions = ma.fields.Integer()
    by_direction = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())
    by_scale = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())
    articles = ma.fields.Integer(metadata={"description": "Written for this industry"})
    by_kind = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())


class IndustryOut(ma.Schema):
    id = ma.fields.String()
    title = ma.fields.String()
    url = ma.fields.String()
    chain = ma.fields.Dict(
        allow_none=True,
        metadata={"description": "As `/api/v1/chains/{industry}`, each step with its `solutions`; null without one"},
    )
    starter_pack = ma.fields.Dict(
        allow_none=True, metadata={"description": "As `/api/v1/starter-packs/{industry}`; null without one"}
    )
    solutions = ma.fields.List(ma.fields.Nested(IndustrySolutionOut))
    counts = ma.fields.Nested(CountsOut)
    warnings = ma.fields.List(ma.fields.String())


@blueprint.get("")
@blueprint.response(200, IndustriesOut)
def list_industries() -> dict[str, Any]:
    """The ten industries with how many solutions and articles serve each."""
    token = flask.request.headers.get(PRINCIPAL_HEADER, "")
    services = parts().services

    def search(service: str, request: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return services.search(service, request, token)

    items, away = industries.overview(language(), search)
    return {"items": items, "total": len(items), "page": 1, "size": len(items), "warnings": _said(away)}


@blueprint.get("/<string:industry>")
@blueprint.response(200, IndustryOut)
def read_industry(industry: str) -> dict[str, Any]:
    """One industry: its chain with solutions and articles by step, where to begin, and how much there is."""
    token = flask.request.headers.get(PRINCIPAL_HEADER, "")
    services, speech = parts().services, language()

    def read(service: str, path: str, query: str) -> tuple[int, Mapping[str, Any]] | None:
        return services.read(service, path, query, token, speech)

    found, away = industries.at_a_glance(industry, speech, read)
    return {**found, "warnings": _said(away)}


def _said(away: list[str]) -> list[str]:
    if language() == "en":
        return [f"{service} did not answer; incomplete." for service in away]
    return [f"{service} 暂时没有回答，内容不全。" for service in away]
