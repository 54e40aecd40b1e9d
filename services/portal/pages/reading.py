"""Pages to read: solutions, articles, terms, providers."""

from __future__ import annotations

from typing import Any

import flask
from markupsafe import Markup

from services.portal.client import ApiAnswer, api
from services.portal.pages import blueprint
from services.portal.pages.forms import example_of
from services.portal.pages.pictures import shown
from shared.fields import INDUSTRIES

Page = str | tuple[str, int] | flask.typing.ResponseReturnValue


def refused(found: ApiAnswer) -> tuple[str, int]:
    """A page that says in words what the API refused."""
    return flask.render_template("problem.html", body={"request_id": "", **found.body}), found.status


@blueprint.get("/solutions")
def solutions() -> Page:
    return flask.redirect("/search?type=solution")


@blueprint.get("/articles")
def articles() -> Page:
    return flask.redirect("/search?type=article")


@blueprint.get("/solutions/<solution_id>")
def solution(solution_id: str) -> Page:
    found = api().get(f"/api/v1/solutions/{solution_id}")
    if not found.ok:
        return refused(found)
    body = found.body
    names = list(body.get("components") or [])
    names += [
        effect["verify"]["component"]
        for effect in body.get("effects", [])
        if (effect.get("verify") or {}).get("component") and effect["verify"]["component"] not in names
    ]
    components = [brief for brief in map(_component, names) if brief]
    providers = api().get("/api/v1/providers", industry=body["industries"][0], size=10)
    return flask.render_template(
        "solution.html",
        section="solutions",
        s={**_EMPTY_SOLUTION, **body},
        components=components,
        component_titles={component["name"]: component["title"] for component in components},
        articles=_articles(body.get("articles") or []),
        providers=providers.body.get("items", []) if providers.ok else [],
    )


_EMPTY_SOLUTION: dict[str, Any] = {
    "suits": "", "measures": [], "data_points": [], "effects": [], "investment": None, "effort": None,
    "prerequisites": [], "risks": [], "roles": [], "ask_provider": [], "acceptance": [], "subsidy_rule": None,
    "standards": [], "overdue": False, "scale": "", "equipment": [], "integration": [],
}  # fmt: skip


def _component(name: str) -> dict[str, Any] | None:
    """What a solution shows of a component: what it answers and what its first example gave."""
    found = api().get(f"/api/v1/components/{name}")
    if not found.ok:
        return None
    body = found.body
    shown_example = None
    example = example_of(body)
    if example is not None and example.get("answer", {}).get("predictions"):
        first = example["answer"]["predictions"][0]
        interval = first.get("interval")
        band = f"[{shown(interval['low'])} – {shown(interval['high'])}]" if interval else ""
        shown_example = {
            "title": example.get("title") or example["name"],
            "value": f"{shown(first.get('value'))} {first.get('unit') or ''}".strip(),
            "interval": f"{band} {interval['coverage']:.0%}" if interval and interval.get("coverage") else band,
        }
    return {
        "name": name,
        "kind": body["kind"],
        "title": body["title"],
        "answers": body.get("answers", ""),
        "valid_for": body.get("valid_for", ""),
        "example": shown_example,
        "features": [each for part in ("inputs", "outputs") for each in body.get("signature", {}).get(part, [])],
    }


def _articles(ids: list[str]) -> list[dict[str, Any]]:
    """Those of the articles that there are, with their titles, in the order given."""
    if not ids:
        return []
    found = api().get("/api/v1/articles", id=",".join(ids), size=100)
    known = {each["id"]: each for each in found.body.get("items", [])} if found.ok else {}
    return [known[each] for each in ids if each in known]


def worked_calls(calls: list[dict[str, Any]], components: list[dict[str, Any]], language: str) -> list[dict[str, Any]]:
    """The calls whose figures a text quotes, inputs and outputs by title; by name where the component is away."""
    known = {each["name"]: each for each in components}
    found = []
    for call in calls:
        component = known.get(call["component"], {})
        features = {each["name"]: each for each in component.get("features", [])}
        inputs = [
            {
                "title": features.get(name, {}).get(f"title_{language}") or name,
                "value": "、".join(map(shown, value)) if isinstance(value, list) else shown(value),
                "unit": features.get(name, {}).get("unit", ""),
            }
            for name, value in call["request"]["instances"][0].items()
        ]
        quoted = [
            {**each, "title": features.get(each["output"], {}).get(f"title_{language}", "")} for each in call["quoted"]
        ]
        title = component.get("title", call["component"])
        found.append({**call, "title": title, "inputs": inputs, "quoted": quoted})
    return found


@blueprint.get("/articles/<article_id>")
def article(article_id: str) -> Page:
    found = api().get(f"/api/v1/articles/{article_id}")
    if not found.ok:
        return refused(found)
    body = found.body
    components = [brief for brief in map(_component, body.get("components") or []) if brief]
    industries = body.get("industries", [])
    return flask.render_template(
        "article.html",
        section="articles",
        a={"overdue": False, "sources": [], "standards": [], "directions": [], "causes": [], **body},
        shown_industries=industries,
        html=Markup(body.get("html", "")),  # noqa: S704 - rendered and cleaned by the knowledge service
        components=components,
        worked=worked_calls(body.get("worked") or [], components, flask.g.language),
        related=body.get("related_articles") or [],
    )


@blueprint.get("/terms/<term_id>")
def term(term_id: str) -> Page:
    found = api().get(f"/api/v1/terms/{term_id}")
    if not found.ok:
        return refused(found)
    body = {"synonyms": [], "variants": [], "related": [], **found.body}
    if "all" in body.get("industries", []):
        body["industries"] = list(INDUSTRIES)
    return flask.render_template("term.html", term=body)


@blueprint.get("/providers")
def providers() -> Page:
    found = api().get("/api/v1/providers", industry=flask.request.args.get("industry"), size=50)
    if not found.ok:
        return refused(found)
    return flask.render_template("providers.html", section="providers", items=found.body.get("items", []))


@blueprint.get("/providers/<provider_id>")
def provider(provider_id: str) -> Page:
    found = api().get(f"/api/v1/providers/{provider_id}")
    if not found.ok:
        return refused(found)
    return flask.render_template("provider.html", section="providers", p=found.body)
