"""Starter packs: where a small firm of an industry begins, and what it leaves for later."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from services.catalog.api.parts import database
from services.catalog.logic import starter_packs
from services.catalog.logic.starter_files import ReadStarterPack
from shared.fields import localised
from shared.http.service_app import caller, context, language
from shared.http.views import ServiceBlueprint
from shared.industry_files import ByIndustry

blueprint = ServiceBlueprint("starter_packs", __name__, url_prefix="/api/v1/starter-packs")


class PackSolutionOut(ma.Schema):
    id = ma.fields.String()
    title = ma.fields.String()
    url = ma.fields.String()


class FirstMeasureOut(ma.Schema):
    solution = ma.fields.Nested(PackSolutionOut)
    why_first = ma.fields.String()
    first_week = ma.fields.String()
    proof = ma.fields.String(metadata={"description": "How to see that it worked"})
    component = ma.fields.String(allow_none=True)


class StarterPackOut(ma.Schema):
    industry = ma.fields.String()
    title = ma.fields.String()
    audience = ma.fields.String(data_key="for", attribute="for")
    measures = ma.fields.List(ma.fields.Nested(FirstMeasureOut))
    not_yet = ma.fields.List(ma.fields.String())


@blueprint.get("/<string:industry>")
@blueprint.response(200, StarterPackOut)
def read_starter_pack(industry: str) -> dict[str, Any]:
    """Three measures to begin with, each with its first week and its proof, and what can wait."""
    packs: ByIndustry[ReadStarterPack] = context().parts["starter_packs"]
    pack = packs.of(industry).content
    titles = starter_packs.titles(database(), caller(), pack)
    speech = language()
    return {
        "industry": industry,
        "title": localised(pack["title"], speech),
        "for": localised(pack["for"], speech),
        "measures": [
            {
                "solution": {
                    "id": measure["solution"],
                    "title": localised(titles[measure["solution"]], speech),
                    "url": f"/solutions/{measure['solution']}",
                },
                **{name: localised(measure[name], speech) for name in ("why_first", "first_week", "proof")},
                "component": measure["component"],
            }
            for measure in pack["measures"]
            if measure["solution"] in titles
        ],
        "not_yet": [localised(each, speech) for each in pack["not_yet"]],
    }
