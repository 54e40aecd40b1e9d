"""The home page: the search box, ten industries, three small forms that answer without sign-in."""

from __future__ import annotations

from typing import Any

import flask

from services.portal.client import api
from services.portal.pages import blueprint
from services.portal.pages.forms import form_fields
from shared.fields import INDUSTRIES

EXAMPLES = ("定型机能耗太高怎么办", "空压机费电", "螺栓拧紧力矩怎么定")
SMALL_FORMS = {
    "stenter-heat-balance": ("fabric_kg_h", "exhaust_kg_h", "exhaust_temperature_c"),
    "bolt-preload": ("size", "property_class", "thread_friction"),
    "coal-equivalent": ("electricity_kwh", "natural_gas_m3", "steam_kg"),
}


@blueprint.get("/")
def home() -> str:
    found = api().get("/api/v1/search", type="solution", size=1)
    counts: dict[str, int] = found.body.get("facets", {}).get("industry", {}) if found.ok else {}
    industries = [{"id": industry, "entries": counts.get(industry, 0)} for industry in INDUSTRIES]
    return flask.render_template(
        "home.html",
        welcome=True,
        examples=EXAMPLES,
        industries=industries,
        small_forms=[form for form in map(_small_form, SMALL_FORMS) if form],
        recent=_recent(),
        away=None if found.ok else found.body,
    )


def _small_form(name: str) -> dict[str, Any] | None:
    """Three fields of a component, the others at its example's values."""
    found = api().get(f"/api/v1/components/{name}")
    if not found.ok:
        return None
    component = found.body
    fields = form_fields(component, flask.g.language)
    shown = [field for field in fields if field["name"] in SMALL_FORMS[name]] or fields[:3]
    return {
        "name": name,
        "title": component["title"],
        "answers": component.get("answers", ""),
        "fields": shown,
        "hidden": [field for field in fields if field not in shown],
    }


def _recent() -> list[dict[str, Any]]:
    found = api().get("/api/v1/solutions", size=100)
    if not found.ok:
        return []
    items = [
        {"type": "solution", "url": f"/solutions/{item['id']}", **item}
        for item in found.body.get("items", [])
        if item.get("last_confirmed")
    ]
    return sorted(items, key=lambda item: (item["last_confirmed"], item["id"]), reverse=True)[:4]
