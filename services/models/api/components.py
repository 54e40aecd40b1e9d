"""Components: list, detail, releases, and batch prediction. Single predictions are answered by the hand-over."""

from __future__ import annotations

from typing import Any

import flask
import marshmallow as ma

from services.models.api.parts import database
from services.models.logic import batches, components
from services.models.logic.shipping import KINDS
from services.models.store.components import FILTERS, Component, Release
from shared.fields import Direction, Industry, OneOf, PageArguments, localised
from shared.http.service_app import caller, language
from shared.http.views import ServiceBlueprint
from shared.http.writes import answer_with_etag
from shared.jobs.api import JobOut, accepted, jobs_of

blueprint = ServiceBlueprint("components", __name__, url_prefix="/api/v1/components")


class ComponentArguments(PageArguments):
    industry = Industry()
    direction = Direction()
    kind = OneOf(KINDS)


class ComponentShort(ma.Schema):
    name = ma.fields.String()
    type = ma.fields.String()
    url = ma.fields.String()
    kind = ma.fields.String()
    stage = ma.fields.String()
    title = ma.fields.String()
    summary = ma.fields.String()
    answers = ma.fields.String()
    industries = ma.fields.List(ma.fields.String())
    directions = ma.fields.List(ma.fields.String())
    keywords = ma.fields.List(ma.fields.String())
    release = ma.fields.String(metadata={"description": "The stable release"})
    public = ma.fields.Boolean(metadata={"description": "May be called without a key, limited per address"})
    version = ma.fields.Integer()


class ComponentOut(ComponentShort):
    valid_for = ma.fields.String()
    source = ma.fields.String()
    licence = ma.fields.String()
    cost = ma.fields.String(metadata={"description": "job: predict answers 202, computed by the worker"})
    naive = ma.fields.String()
    aliases = ma.fields.Dict()
    articles = ma.fields.List(ma.fields.String())
    solutions = ma.fields.List(ma.fields.String())
    signature = ma.fields.Dict()
    examples = ma.fields.List(ma.fields.Dict())
    metrics = ma.fields.List(ma.fields.Dict())
    card = ma.fields.Dict()
    owner = ma.fields.String()


class ComponentsOut(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ComponentShort))
    total = ma.fields.Integer()
    page = ma.fields.Integer()
    size = ma.fields.Integer()


# Making a schema copies all its fields, which costs more than an answer.
_WHOLE = ComponentOut()


class ReleaseOut(ma.Schema):
    release = ma.fields.String()
    published_at = ma.fields.String()
    metrics = ma.fields.List(ma.fields.Dict())
    lineage = ma.fields.Dict()


class ReleasesOut(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ReleaseOut))
    total = ma.fields.Integer()
    page = ma.fields.Integer()
    size = ma.fields.Integer()


class BatchIn(ma.Schema):
    instances = ma.fields.List(ma.fields.Dict(), required=True)
    history = ma.fields.List(ma.fields.Dict(), load_default=None, allow_none=True)


@blueprint.get("")
@blueprint.arguments(ComponentArguments, location="query")
@blueprint.response(200, ComponentsOut)
def list_components(query: dict[str, Any]) -> dict[str, Any]:
    """Models and tools by industry, direction and kind."""
    filters = {name: query[name] for name in FILTERS if query.get(name)}
    rows, total = components.components_for(
        database(), caller(), filters=filters, page=query["page"], size=query["size"]
    )
    items = [shown(row, language()) for row in rows]
    return {"items": items, "total": total, "page": query["page"], "size": query["size"]}


@blueprint.get("/<string:name>")
@blueprint.response(200, ComponentOut)
def read_component(name: str) -> flask.Response:
    """One component: what it answers, its signature, stored examples with answers, card and figures."""
    row, release = components.component(database(), caller(), name)
    speech = language()
    content = row.content
    body = {
        **shown(row, speech),
        **{each: localised(content.get(each), speech) for each in ("valid_for", "source", "licence", "naive")},
        "aliases": content["aliases"],
        "cost": content.get("cost", "formula"),
        "articles": content.get("articles", []),
        "solutions": content.get("solutions", []),
        "owner": content["owner"],
        "signature": release.content["signature"],
        "examples": [{**each, "title": localised(each["title"], speech)} for each in release.content["examples"]],
        "metrics": release.content["metrics"],
        "card": _card(release, speech),
    }
    return answer_with_etag(_WHOLE.dump(body), row.id, row.version)


@blueprint.get("/<string:name>/releases")
@blueprint.response(200, ReleasesOut)
def list_releases(name: str) -> dict[str, Any]:
    """The releases of a component, oldest first, with figures and where they come from."""
    rows = components.releases(database(), caller(), name)
    return {"items": [_release(row) for row in rows], "total": len(rows), "page": 1, "size": max(len(rows), 1)}


@blueprint.post("/<string:name>/batch")
@blueprint.arguments(BatchIn)
@blueprint.alt_response(202, schema=JobOut)
def submit_batch(body: dict[str, Any], name: str) -> flask.Response:
    """Many instances as a job: 202 with `Location`; its result holds the predictions in order."""
    key = flask.request.headers.get("Idempotency-Key")
    return accepted(batches.submit(database(), jobs_of(), caller(), name, body, key))


def shown(row: Component, speech: str) -> dict[str, Any]:
    content = row.content
    return {
        "name": row.id,
        "type": "component",
        "url": f"/components/{row.id}",
        "kind": row.kind,
        "stage": row.stage,
        "title": localised(content["title"], speech),
        "summary": localised(content["summary"], speech),
        "answers": localised(content["answers"], speech),
        "industries": content["industries"],
        "directions": content["directions"],
        "keywords": content["keywords"],
        "release": row.stable,
        "public": content["public"],
        "version": row.version,
    }


def _release(row: Release) -> dict[str, Any]:
    return {
        "release": row.release,
        "published_at": row.created_at.isoformat(),
        "metrics": row.content["metrics"],
        "lineage": row.content["lineage"],
    }


def _card(release: Release, speech: str) -> dict[str, Any]:
    text = release.content.get("card_en") if speech == "en" else None
    text = text or release.content["card"]
    return {"text": text, "sections": _sections(text)}


def _sections(card: str) -> list[dict[str, str]]:
    """The card's second-level headings with their text; tables are shown as figures elsewhere."""
    found: list[dict[str, str]] = []
    for line in card.splitlines():
        if line.startswith("## "):
            found.append({"title": line[3:].strip(), "text": ""})
        elif found and line.strip() and not line.startswith("|"):
            found[-1]["text"] = f"{found[-1]['text']} {line.strip()}".strip()
    return [section for section in found if section["text"]]
