"""The plan's targets."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from services.programme.logic import targets
from shared.fields import PageArguments, localised
from shared.http.service_app import language
from shared.http.views import ServiceBlueprint

blueprint = ServiceBlueprint("targets", __name__, url_prefix="/api/v1/targets")


class TargetArguments(PageArguments):
    year = ma.fields.String(metadata={"description": f"One of {', '.join(targets.YEARS)}", "example": "2021"})
    district = ma.fields.String(
        validate=ma.validate.Length(max=40), metadata={"description": "District id or name; `city` for the whole city"}
    )
    size = ma.fields.Integer(load_default=100, validate=ma.validate.Range(min=1, max=100))


class TargetOut(ma.Schema):
    indicator = ma.fields.String()
    title = ma.fields.String()
    unit = ma.fields.String()
    kind = ma.fields.String(validate=ma.validate.OneOf(["flow", "stock"]))
    district = ma.fields.String()
    district_title = ma.fields.String()
    year = ma.fields.String()
    value = ma.fields.Integer()
    notes = ma.fields.List(ma.fields.String())


class DistrictOut(ma.Schema):
    id = ma.fields.String()
    title = ma.fields.String()
    kind = ma.fields.String()


class GoalOut(ma.Schema):
    id = ma.fields.String()
    title = ma.fields.String()
    value = ma.fields.Integer()
    comparison = ma.fields.String()
    unit = ma.fields.String()
    window = ma.fields.String()


class PlanOut(ma.Schema):
    title = ma.fields.String()
    issuer = ma.fields.String()
    issued = ma.fields.String()
    status = ma.fields.String()


class TargetsOut(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(TargetOut))
    total = ma.fields.Integer()
    page = ma.fields.Integer()
    size = ma.fields.Integer()
    goals = ma.fields.List(ma.fields.Nested(GoalOut))
    districts = ma.fields.List(ma.fields.Nested(DistrictOut))
    oddities = ma.fields.List(ma.fields.String())
    plan = ma.fields.Nested(PlanOut)


@blueprint.get("")
@blueprint.arguments(TargetArguments, location="query")
@blueprint.response(200, TargetsOut)
def list_targets(query: dict[str, Any]) -> dict[str, Any]:
    """Targets by indicator, district and year as the plan's annex prints them, beside the city-wide goals."""
    speech = language()
    plan = targets.load()
    found = targets.targets_for(plan, year=query.get("year"), district=query.get("district"))
    start = (query["page"] - 1) * query["size"]
    raw = plan.raw
    return {
        "items": [_shown(plan, each, speech) for each in found[start : start + query["size"]]],
        "total": len(found),
        "page": query["page"],
        "size": query["size"],
        "goals": [
            {
                "id": each["id"],
                "title": localised(each["title"], speech),
                "value": each["value"],
                "comparison": each["comparison"],
                "unit": localised(each["unit"], speech),
                "window": localised(each["window"], speech),
            }
            for each in raw["goals"]
        ],
        "districts": [
            {"id": each["id"], "title": localised(each["title"], speech), "kind": each["kind"]}
            for each in plan.districts
        ],
        "oddities": [localised(each["text"], speech) for each in raw["oddities"]],
        "plan": {
            "title": localised(raw["title"], speech),
            "issuer": localised(raw["issuer"], speech),
            "issued": str(raw["issued"]),
            "status": raw["status"],
        },
    }


def _shown(plan: targets.Plan, target: targets.Target, speech: str) -> dict[str, Any]:
    return {
        "indicator": target.indicator,
        "title": localised(target.title, speech),
        "unit": localised(target.unit, speech),
        "kind": target.kind,
        "district": target.district,
        "district_title": localised(plan.district_title(target.district), speech),
        "year": target.year,
        "value": target.value,
        "notes": [localised(each, speech) for each in target.notes],
    }
