"""Solutions: list and detail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import flask
import marshmallow as ma

from services.catalog.api.parts import database
from services.catalog.logic import solutions
from services.catalog.logic.solution_files import SCALES
from services.catalog.store.solutions import FILTERS, ORDERS, Solution
from shared import vocabulary
from shared.fields import STATUSES, Direction, Industry, OneOf, PageArguments, Said, localised, name_filter
from shared.http.service_app import caller, language
from shared.http.views import ServiceBlueprint
from shared.http.writes import answer_with_etag

blueprint = ServiceBlueprint("solutions", __name__, url_prefix="/api/v1/solutions")


class SolutionArguments(PageArguments):
    industry = Industry()
    direction = Direction()
    component = name_filter()
    scale = OneOf(SCALES)
    step = name_filter(metadata={"description": "Step of a chain; with `industry` of that industry's chain"})
    order = OneOf(ORDERS, load_default="id", metadata={"description": "`recent`: lately confirmed first"})


class VerifyOut(ma.Schema):
    text = ma.fields.String()
    component = ma.fields.String(allow_none=True)


class EffectOut(ma.Schema):
    kpi = ma.fields.String()
    unit = ma.fields.String()
    change = ma.fields.String(validate=ma.validate.OneOf(["lower", "higher"]))
    low = ma.fields.Float(allow_none=True)
    high = ma.fields.Float(allow_none=True)
    status = ma.fields.String(validate=ma.validate.OneOf(STATUSES))
    source = ma.fields.String()
    year = ma.fields.Integer(allow_none=True)
    verify = ma.fields.Nested(VerifyOut)


class InvestmentOut(ma.Schema):
    low = ma.fields.Float()
    high = ma.fields.Float()
    unit = ma.fields.String()
    status = ma.fields.String(validate=ma.validate.OneOf(STATUSES))
    source = ma.fields.String()
    year = ma.fields.Integer()


class EffortOut(ma.Schema):
    months_low = ma.fields.Float()
    months_high = ma.fields.Float()
    status = ma.fields.String(validate=ma.validate.OneOf(STATUSES))


class MeasureOut(ma.Schema):
    direction = ma.fields.String()
    title = ma.fields.String()
    text = ma.fields.String()


class DataPointOut(ma.Schema):
    name = ma.fields.String()
    unit = ma.fields.String()
    why = ma.fields.String()


class IntegrationOut(ma.Schema):
    existing = ma.fields.String(data_key="with", attribute="with")
    protocol = ma.fields.String()
    how = ma.fields.String()


class RoleOut(ma.Schema):
    who = ma.fields.String()
    does = ma.fields.String()


class TermShort(ma.Schema):
    id = ma.fields.String(allow_none=True)
    zh = ma.fields.String()
    en = ma.fields.String()
    url = ma.fields.String(allow_none=True)


class SolutionShort(ma.Schema):
    id = ma.fields.String()
    type = ma.fields.String()
    url = ma.fields.String()
    title = ma.fields.String()
    summary = ma.fields.String()
    industries = ma.fields.List(ma.fields.String())
    directions = ma.fields.List(ma.fields.String())
    scale = ma.fields.String(validate=ma.validate.OneOf(SCALES))
    steps = ma.fields.List(ma.fields.String(), metadata={"description": "Of the main industry's chain"})
    keywords = ma.fields.List(ma.fields.String())
    effects = ma.fields.List(ma.fields.Nested(EffectOut))
    investment = ma.fields.Nested(InvestmentOut, allow_none=True)
    effort = ma.fields.Nested(EffortOut, allow_none=True)
    subsidy_rule = ma.fields.String(allow_none=True)
    components = ma.fields.List(ma.fields.String())
    owner = ma.fields.String()
    last_confirmed = ma.fields.String()
    confirm_by = ma.fields.String()
    overdue = ma.fields.Boolean()
    version = ma.fields.Integer()


class SolutionOut(SolutionShort):
    problem = ma.fields.String()
    suits = ma.fields.String()
    said = Said()
    measures = ma.fields.List(ma.fields.Nested(MeasureOut))
    data_points = ma.fields.List(ma.fields.Nested(DataPointOut))
    equipment = ma.fields.List(ma.fields.String())
    integration = ma.fields.List(ma.fields.Nested(IntegrationOut))
    prerequisites = ma.fields.List(ma.fields.String())
    risks = ma.fields.List(ma.fields.String())
    roles = ma.fields.List(ma.fields.Nested(RoleOut))
    ask_provider = ma.fields.List(ma.fields.String())
    acceptance = ma.fields.List(ma.fields.String())
    articles = ma.fields.List(ma.fields.String())
    terms = ma.fields.List(ma.fields.Nested(TermShort))
    standards = ma.fields.List(ma.fields.String())


class SolutionsOut(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(SolutionShort))
    total = ma.fields.Integer()
    page = ma.fields.Integer()
    size = ma.fields.Integer()


# Making a schema copies all its fields, which costs more than an answer.
_WHOLE, _SHORT = SolutionOut(), SolutionShort()
_SHORT_NAMES = tuple(_SHORT.fields)

_MOST_KEPT = 2000
_listed: dict[str, dict[str, dict[str, Any]]] = {}
"""What lists show of a solution, by language and its content's digest, for which it never changes."""


@blueprint.get("")
@blueprint.arguments(SolutionArguments, location="query")
@blueprint.response(200, SolutionsOut)
def list_solutions(query: dict[str, Any]) -> flask.Response:
    """Solutions by industry, direction, scale, process step or the component that proves them."""
    filters = {name: query[name] for name in FILTERS if query.get(name)}
    speech, today = language(), _today()
    known = _known(speech)
    rows, total = solutions.solutions_for(
        database(), caller(), filters=filters, order=query["order"], page=query["page"], size=query["size"], known=known
    )
    items = [_brief(row, speech, today, known) for row in rows]
    return flask.jsonify({"items": items, "total": total, "page": query["page"], "size": query["size"]})


@blueprint.get("/<string:solution_id>")
@blueprint.response(200, SolutionOut)
def read_solution(solution_id: str) -> flask.Response:
    """One solution with measures, effects and how to check them, risks, acceptance criteria and references."""
    row = solutions.solution(database(), caller(), solution_id)
    body = _WHOLE.dump({**row.content, **_shown(row, language()), "terms": _terms(row.content["terms"])})
    return answer_with_etag(body, row.id, row.version)


def _known(speech: str) -> dict[str, dict[str, Any]]:
    found = _listed.setdefault(speech, {})
    if len(found) >= _MOST_KEPT:
        # A new one: whoever reads from the old one at this moment still finds what was there.
        found = _listed[speech] = {}
    return found


def _brief(row: Solution, speech: str, today: str, known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """As `SolutionShort` says it."""
    found = known.get(row.fingerprint)
    if found is None:
        found = known[row.fingerprint] = _SHORT.dump(_shown(row, speech))
    return {**found, "overdue": found["confirm_by"] < today, "version": row.version}


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _shown(row: Solution, speech: str) -> dict[str, Any]:
    content = row.content
    return {
        **{name: content[name] for name in _SHORT_NAMES if name in content},
        "type": "solution",
        "url": f"/solutions/{row.id}",
        "title": localised(content["title"], speech),
        "summary": localised(content["summary"], speech),
        "overdue": content["confirm_by"] < _today(),
        "version": row.version,
    }


def _terms(names: list[str]) -> list[dict[str, Any]]:
    known = {term.zh: term for term in vocabulary.load().terms}
    shown = []
    for name in names:
        term = known.get(name)
        shown.append(
            {
                "id": term.id if term else None,
                "zh": name,
                "en": term.en if term else "",
                "url": f"/terms/{term.id}" if term else None,
            }
        )
    return shown
