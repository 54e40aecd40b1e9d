"""Chains: the process steps of an industry with what is known about each."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from services.knowledge.api.parts import database
from services.knowledge.logic import reading
from services.knowledge.logic.article_files import KINDS
from services.knowledge.logic.chains import Chains
from services.knowledge.store.articles import Article
from shared.fields import STATUSES, localised
from shared.http.service_app import caller, context, language
from shared.http.views import ServiceBlueprint

blueprint = ServiceBlueprint("chains", __name__, url_prefix="/api/v1/chains")


class ParameterOut(ma.Schema):
    name = ma.fields.String()
    unit = ma.fields.String()
    window = ma.fields.String(allow_none=True)
    status = ma.fields.String(validate=ma.validate.OneOf(STATUSES))


class ChainArticleOut(ma.Schema):
    id = ma.fields.String()
    url = ma.fields.String()
    title = ma.fields.String()
    kind = ma.fields.String(validate=ma.validate.OneOf(KINDS))


class StepOut(ma.Schema):
    id = ma.fields.String()
    title = ma.fields.String()
    zh = ma.fields.String()
    en = ma.fields.String()
    equipment = ma.fields.List(ma.fields.String())
    parameters = ma.fields.List(ma.fields.Nested(ParameterOut))
    quality = ma.fields.List(ma.fields.String())
    energy = ma.fields.List(ma.fields.String())
    next = ma.fields.List(ma.fields.String())
    articles = ma.fields.List(ma.fields.Nested(ChainArticleOut))


class ChainOut(ma.Schema):
    industry = ma.fields.String()
    title = ma.fields.String()
    summary = ma.fields.String()
    source = ma.fields.String()
    status = ma.fields.String(validate=ma.validate.OneOf(STATUSES))
    steps = ma.fields.List(ma.fields.Nested(StepOut))
    articles_by_kind = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.Integer(),
        metadata={"description": "Articles written for this industry, by kind"},
    )


@blueprint.get("/<string:industry>")
@blueprint.response(200, ChainOut)
def read_chain(industry: str) -> dict[str, Any]:
    """The steps of an industry in order: equipment, parameters with their windows, what can go wrong, what to read."""
    chains: Chains = context().parts["chains"]
    chain = chains.of(industry)
    speech = language()
    articles = reading.articles_of_industry(database(), caller(), industry)
    kinds = [article.content["kind"] for article in articles]
    return {
        **chain.content,
        "title": localised(chain.content["title"], speech),
        "steps": [
            {
                **step,
                "title": step["en"] if speech == "en" else step["zh"],
                "articles": [
                    _brief(article, speech) for article in articles if _is_about(article, industry, step["id"])
                ],
            }
            for step in chain.content["steps"]
        ],
        "articles_by_kind": {kind: kinds.count(kind) for kind in KINDS if kind in kinds},
    }


def _is_about(article: Article, industry: str, step: str) -> bool:
    """The steps of an article are those of its main industry's chain."""
    return article.content["industries"][0] == industry and step in article.content.get("steps", [])


def _brief(article: Article, speech: str) -> dict[str, str]:
    content = article.content
    title = localised(content["title"], speech)
    return {"id": article.id, "url": f"/articles/{article.id}", "title": title, "kind": content["kind"]}
