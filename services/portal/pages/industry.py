"""An industry: its process chain with what to do and to read at each step, where to begin, what goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flask

from services.portal.client import api
from services.portal.pages import blueprint
from services.portal.pages.reading import Page, refused

SCALES = ("low_cost", "single", "integrated", "full_factory")
MOST_FAULTS = 12


@blueprint.get("/industries/<industry>")
def industry(industry: str) -> Page:
    found = api().get(f"/api/v1/industries/{industry}")
    if not found.ok:
        return refused(found)
    body = {"chain": None, "starter_pack": None, "solutions": [], "counts": {}, "warnings": [], **found.body}
    return flask.render_template(
        "industry.html",
        i=body,
        steps=_steps(body["chain"]),
        pack=_pack(body["starter_pack"]),
        scales=_by_scale(body["solutions"]),
        faults=_faults(body["chain"]),
    )


def _steps(chain: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The steps in order; where one does not simply lead to the next line, `leads_to` names where it leads."""
    steps = (chain or {}).get("steps") or []
    titles = {step["id"]: step["title"] for step in steps}
    shown = []
    for place, step in enumerate(steps):
        following = [steps[place + 1]["id"]] if place + 1 < len(steps) else []
        leads_to = [] if step["next"] == following else [titles[each] for each in step["next"] if each in titles]
        leads_on = bool(following) and following[0] in step["next"]
        shown.append({**step, "number": place + 1, "leads_to": leads_to, "leads_on": leads_on})
    return shown


def _pack(pack: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The starter pack with the titles of its components."""
    if pack is None:
        return None
    measures = []
    for measure in pack["measures"]:
        component = api().get(f"/api/v1/components/{measure['component']}") if measure.get("component") else None
        shown = component is not None and component.ok
        measures.append({**measure, "component_title": component.body["title"] if component and shown else ""})
    return {**pack, "measures": measures}


def _by_scale(solutions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """From what costs little to the whole factory; what has no scale comes last."""
    groups = [
        {"scale": scale, "solutions": [each for each in solutions if each.get("scale", "") == scale]}
        for scale in (*SCALES, "")
    ]
    return [group for group in groups if group["solutions"]]


def _faults(chain: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The faults of all steps, each once, in the order of the process."""
    articles = [article for step in (chain or {}).get("steps") or [] for article in step.get("articles", [])]
    once = {article["id"]: article for article in articles if article["kind"] == "fault"}
    return list(once.values())[:MOST_FAULTS]
