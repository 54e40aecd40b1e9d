"""What searches teach: which results are opened (counted, nobody named), and the operator's list of what finds nothing."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from services.gateway.logic.search_records import Line
from services.gateway.parts import parts
from shared.errors import Forbidden
from shared.http.service_app import caller
from shared.http.views import ServiceBlueprint

blueprint = ServiceBlueprint(
    "search_records", __name__, url_prefix="/api/v1/search", description="检索记录 / what searches teach"
)


class Opened(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    q = ma.fields.String(required=True, validate=ma.validate.Length(min=1, max=300))
    id = ma.fields.String(required=True, validate=ma.validate.Length(min=1, max=120))


class RecordArguments(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    size = ma.fields.Integer(load_default=50, validate=ma.validate.Range(min=1, max=500))


class LineOut(ma.Schema):
    text = ma.fields.String(required=True)
    id = ma.fields.String(attribute="entry", allow_none=True)
    times = ma.fields.Integer(required=True)
    last_day = ma.fields.AwareDateTime(format="iso")


class RecordsOut(ma.Schema):
    misses = ma.fields.List(ma.fields.Nested(LineOut), required=True)
    clicks = ma.fields.List(ma.fields.Nested(LineOut), required=True)


@blueprint.post("/clicks")
@blueprint.arguments(Opened)
@blueprint.response(204)
def clicks(arguments: dict[str, Any]) -> None:
    """A result was opened. Counted by query and entry, kept for 30 days; nothing about the caller is kept."""
    parts().records.opened(arguments["q"], arguments["id"])


@blueprint.get("/records")
@blueprint.arguments(RecordArguments, location="query")
@blueprint.response(200, RecordsOut)
def records(arguments: dict[str, Any]) -> dict[str, list[Line]]:
    """For the operator: queries that found nothing and results that were opened, of the last 30 days, frequent first."""
    if caller().role != "admin":
        raise Forbidden(needed="role admin")
    found = parts().records
    return {"misses": found.misses(arguments["size"]), "clicks": found.clicks(arguments["size"])}
