"""Articles: list and detail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import flask
import marshmallow as ma

from services.knowledge.api.parts import database
from services.knowledge.api.terms import TermShort, terms_named
from services.knowledge.logic import reading
from services.knowledge.logic.article_files import KINDS
from services.knowledge.rendering import to_html
from services.knowledge.store.articles import FILTERS, ORDERS, Article
from shared.fields import (
    STATUSES,
    Direction,
    Industry,
    OneOf,
    PageArguments,
    Said,
    localised,
    name_filter,
    names_filter,
)
from shared.http.service_app import caller, language
from shared.http.views import ServiceBlueprint
from shared.http.writes import answer_with_etag

blueprint = ServiceBlueprint("articles", __name__, url_prefix="/api/v1/articles")


class ArticleArguments(PageArguments):
    kind = OneOf(KINDS)
    industry = Industry()
    direction = Direction()
    component = name_filter()
    step = name_filter(metadata={"description": "Step of a chain; with `industry` of that industry's chain"})
    id = names_filter(metadata={"description": "Only these, ids with commas between them"})
    order = OneOf(ORDERS, load_default="id", metadata={"description": "`recent`: lately confirmed first"})


class SourceOut(ma.Schema):
    text = ma.fields.String()
    status = ma.fields.String(validate=ma.validate.OneOf(STATUSES))


class RelatedOut(ma.Schema):
    id = ma.fields.String()
    title = ma.fields.String()
    url = ma.fields.String()


class ArticleShort(ma.Schema):
    id = ma.fields.String()
    type = ma.fields.String()
    url = ma.fields.String()
    kind = ma.fields.String(validate=ma.validate.OneOf(KINDS))
    title = ma.fields.String()
    summary = ma.fields.String()
    industries = ma.fields.List(ma.fields.String())
    directions = ma.fields.List(ma.fields.String())
    steps = ma.fields.List(ma.fields.String(), metadata={"description": "Of the main industry's chain"})
    keywords = ma.fields.List(ma.fields.String())
    status = ma.fields.String(validate=ma.validate.OneOf(STATUSES))
    components = ma.fields.List(ma.fields.String())
    owner = ma.fields.String()
    last_confirmed = ma.fields.String()
    confirm_by = ma.fields.String()
    overdue = ma.fields.Boolean()
    version = ma.fields.Integer()


class CauseOut(ma.Schema):
    cause = ma.fields.String()
    check = ma.fields.String(metadata={"description": "What can be looked at the same day"})
    remedy = ma.fields.String()


class QuotedOut(ma.Schema):
    output = ma.fields.String()
    text = ma.fields.String(metadata={"description": "The number as it stands in the text"})
    unit = ma.fields.String()
    against = ma.fields.String()
    relative = ma.fields.Boolean()


class WorkedOut(ma.Schema):
    id = ma.fields.String()
    component = ma.fields.String()
    request = ma.fields.Dict(keys=ma.fields.String())
    quoted = ma.fields.List(ma.fields.Nested(QuotedOut))


class ArticleOut(ArticleShort):
    said = Said()
    causes = ma.fields.List(
        ma.fields.Nested(CauseOut), metadata={"description": "Of a fault, in the order in which to look"}
    )
    worked = ma.fields.List(
        ma.fields.Nested(WorkedOut), metadata={"description": "Calls of components whose figures stand in the text"}
    )
    html = ma.fields.String(metadata={"description": "The text as sanitised HTML, in Chinese"})
    markdown = ma.fields.String()
    sources = ma.fields.List(ma.fields.Nested(SourceOut))
    standards = ma.fields.List(ma.fields.String())
    related = ma.fields.List(ma.fields.String())
    related_articles = ma.fields.List(ma.fields.Nested(RelatedOut))
    terms = ma.fields.List(ma.fields.Nested(TermShort))


class ArticlesOut(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ArticleShort))
    total = ma.fields.Integer()
    page = ma.fields.Integer()
    size = ma.fields.Integer()


# Making a schema copies all its fields, which costs more than an answer.
_WHOLE = ArticleOut()
_SHORT_NAMES = tuple(ArticleShort().fields)


@blueprint.get("")
@blueprint.arguments(ArticleArguments, location="query")
@blueprint.response(200, ArticlesOut)
def list_articles(query: dict[str, Any]) -> dict[str, Any]:
    """Articles by kind, industry, direction, step or component. An industry finds what holds for all industries too."""
    filters = {name: query[name] for name in FILTERS if query.get(name)}
    rows, total = reading.articles_for(
        database(), caller(), filters=filters, order=query["order"], page=query["page"], size=query["size"]
    )
    items = [_shown(row, language()) for row in rows]
    return {"items": items, "total": total, "page": query["page"], "size": query["size"]}


@blueprint.get("/<string:article_id>")
@blueprint.response(200, ArticleOut)
def read_article(article_id: str) -> flask.Response:
    """One article with its text, its sources and what it is related to."""
    row, titles = reading.article(database(), caller(), article_id)
    speech = language()
    body = {
        **row.content,
        **_shown(row, speech),
        "html": to_html(row.text),
        "markdown": row.text,
        "related": [each for each in row.content["related"] if each in titles],
        "related_articles": _related(row.content["related"], titles, speech),
        "terms": terms_named(row.content["terms"]),
    }
    return answer_with_etag(_WHOLE.dump(body), row.id, row.version)


def _shown(row: Article, speech: str) -> dict[str, Any]:
    content = row.content
    return {
        **{name: content[name] for name in _SHORT_NAMES if name in content},
        "type": "article",
        "url": f"/articles/{row.id}",
        "title": localised(content["title"], speech),
        "summary": localised(content["summary"], speech),
        "overdue": content["confirm_by"] < datetime.now(UTC).date().isoformat(),
        "version": row.version,
    }


def _related(ids: list[str], titles: Mapping[str, Mapping[str, str]], speech: str) -> list[dict[str, str]]:
    return [
        {"id": each, "title": localised(titles[each], speech), "url": f"/articles/{each}"}
        for each in ids
        if each in titles
    ]
