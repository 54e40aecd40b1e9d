"""Terms: the trade's words, what else they are called, and what they must not be confused with."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import flask
import marshmallow as ma

from services.knowledge.api.parts import database
from services.knowledge.logic import reading
from services.knowledge.store.terms import FILTERS, Term
from shared import vocabulary
from shared.fields import Industry, PageArguments, name_filter
from shared.http.service_app import caller
from shared.http.views import ServiceBlueprint
from shared.http.writes import answer_with_etag

blueprint = ServiceBlueprint("terms", __name__, url_prefix="/api/v1/terms")


class TermArguments(PageArguments):
    industry = Industry()
    category = name_filter()


class TermShort(ma.Schema):
    id = ma.fields.String(allow_none=True)
    zh = ma.fields.String()
    en = ma.fields.String()
    url = ma.fields.String(allow_none=True)


class NotTheSameOut(ma.Schema):
    term = ma.fields.String()
    why = ma.fields.String()


class TermItem(ma.Schema):
    id = ma.fields.String()
    type = ma.fields.String()
    url = ma.fields.String()
    zh = ma.fields.String()
    en = ma.fields.String()
    category = ma.fields.String()
    industries = ma.fields.List(ma.fields.String())
    synonyms = ma.fields.List(ma.fields.String())
    version = ma.fields.Integer()


class TermOut(TermItem):
    variants = ma.fields.List(ma.fields.String())
    related = ma.fields.List(ma.fields.String())
    related_terms = ma.fields.List(ma.fields.Nested(TermShort))
    not_the_same = ma.fields.List(ma.fields.Nested(NotTheSameOut))


class TermsOut(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(TermItem))
    total = ma.fields.Integer()
    page = ma.fields.Integer()
    size = ma.fields.Integer()


# Making a schema copies all its fields, which costs more than an answer.
_WHOLE = TermOut()


@blueprint.get("")
@blueprint.arguments(TermArguments, location="query")
@blueprint.response(200, TermsOut)
def list_terms(query: dict[str, Any]) -> dict[str, Any]:
    """Terms by category or industry. An industry finds what holds for all industries too."""
    filters = {name: query[name] for name in FILTERS if query.get(name)}
    rows, total = reading.terms_for(database(), caller(), filters=filters, page=query["page"], size=query["size"])
    return {"items": [_shown(row) for row in rows], "total": total, "page": query["page"], "size": query["size"]}


@blueprint.get("/<string:term_id>")
@blueprint.response(200, TermOut)
def read_term(term_id: str) -> flask.Response:
    """One term by its id or its Chinese head word."""
    row = reading.term(database(), caller(), term_id)
    body = {
        **_shown(row),
        "related_terms": [each for each in terms_named(row.content["related"]) if each["id"] not in (None, row.id)],
        "not_the_same": _not_the_same(row.content),
    }
    return answer_with_etag(_WHOLE.dump(body), row.id, row.version)


def terms_named(names: Iterable[str]) -> list[dict[str, Any]]:
    """The terms that these words name; a word without a term stays a word."""
    shown = []
    for name in names:
        term = _by_name().get(name)
        shown.append(
            {
                "id": term.id if term else None,
                "zh": term.zh if term else name,
                "en": term.en if term else "",
                "url": f"/terms/{term.id}" if term else None,
            }
        )
    return shown


@cache
def _by_name() -> dict[str, vocabulary.Term]:
    terms = vocabulary.load().terms
    found = {name: term for term in reversed(terms) for name in term.synonyms}
    # A head word is that term, whatever else is called so too.
    return found | {term.zh: term for term in terms}


def _not_the_same(content: dict[str, Any]) -> list[dict[str, str]]:
    names = {content["zh"], *content["synonyms"]}
    found = []
    for one, other, why in vocabulary.load().never_merge_why:
        if one in names or other in names:
            found.append({"term": other if one in names else one, "why": why})
    return found


def _shown(row: Term) -> dict[str, Any]:
    return {**row.content, "type": "term", "url": f"/terms/{row.id}", "version": row.version}
