"""A component's stage, the candidate's share of calls, and how the two releases compare."""

from __future__ import annotations

from typing import Any

import flask
import marshmallow as ma

from services.models.api.components import ComponentShort, shown
from services.models.api.parts import database
from services.models.inference.standing import STAGES
from services.models.logic import lifecycle, monitoring
from shared.fields import OneOf, Sentence
from shared.http.service_app import caller, context, language
from shared.http.views import ServiceBlueprint
from shared.http.writes import answer_with_etag

blueprint = ServiceBlueprint("lifecycle", __name__, url_prefix="/api/v1/components")


class StageIn(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    stage = OneOf(STAGES[1:], required=True)
    reason = Sentence(required=True, maximum=300)
    sunset = ma.fields.AwareDateTime(load_default=None, allow_none=True)
    replaced_by = ma.fields.String(load_default="", validate=ma.validate.Length(max=80))


class TrafficIn(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    candidate_percent = ma.fields.Float(required=True, validate=ma.validate.Range(min=0, max=100))


class HoursArguments(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    hours = ma.fields.Integer(load_default=24, validate=ma.validate.Range(min=1, max=24 * 90))
    lang = ma.fields.String()


class SourceOut(ma.Schema):
    source = ma.fields.String(metadata={"enum": ["batch", "file", "http", "online"]})
    calls = ma.fields.Integer(metadata={"description": "A job is one call, each of its rows a row"})
    errors = ma.fields.Integer()
    rows_sampled = ma.fields.Integer()
    out_of_range_share = ma.fields.Float(allow_none=True)


class UsageOut(ma.Schema):
    release = ma.fields.String()
    calls = ma.fields.Integer()
    errors = ma.fields.Integer(metadata={"description": "Calls that the model did not answer"})
    rows_sampled = ma.fields.Integer(metadata={"description": "Rows that the shares below were counted on"})
    out_of_range_share = ma.fields.Float(allow_none=True)
    p50_ms = ma.fields.Float(
        allow_none=True, metadata={"description": "Upper end of its class of time; of calls that are no jobs"}
    )
    p95_ms = ma.fields.Float(allow_none=True)
    p99_ms = ma.fields.Float(allow_none=True)
    sources = ma.fields.List(ma.fields.Nested(SourceOut))


class ComparisonOut(ma.Schema):
    stable = ma.fields.String()
    candidate = ma.fields.String()
    candidate_percent = ma.fields.Float()
    hours = ma.fields.Integer()
    releases = ma.fields.List(ma.fields.Nested(UsageOut))
    differences = ma.fields.Dict(
        allow_none=True, metadata={"description": "Candidate minus stable on the same rows, from a sample"}
    )


@blueprint.post("/<string:name>/stage")
@blueprint.arguments(StageIn)
@blueprint.response(200, ComponentShort)
def move_stage(body: dict[str, Any], name: str) -> flask.Response:
    """Moves a component to another stage, with the reason. `deprecated` needs `sunset`, the date of its end.

    A provider may deprecate and retire its own; a reviewer or the operator decides all others. Calls: deprecated answers
    with `Deprecation` and `Sunset`, quarantined with 503, retired with 410.
    """
    row = lifecycle.move_stage(database(), caller(), name, **body)
    context().parts["keeper"].changed()
    return answer_with_etag(shown(row, language()), row.id, row.version)


@blueprint.post("/<string:name>/traffic")
@blueprint.arguments(TrafficIn)
@blueprint.response(200, ComponentShort)
def set_traffic(body: dict[str, Any], name: str) -> flask.Response:
    """Gives `candidate` a share of the calls that name no release, chosen by a hash of the request id."""
    row = lifecycle.set_traffic(database(), caller(), name, **body)
    context().parts["keeper"].changed()
    return answer_with_etag(shown(row, language()), row.id, row.version)


@blueprint.get("/<string:name>/comparison")
@blueprint.arguments(HoursArguments, location="query")
@blueprint.response(200, ComparisonOut)
def read_comparison(query: dict[str, Any], name: str) -> dict[str, Any]:
    """Calls, errors and time of each release, and what the candidate says beside the stable one. For its provider."""
    return monitoring.comparison(database(), caller(), name, query["hours"])
