"""The subsidy page: two sliders, parts that add up, each condition with its clause, and what would change the verdict."""

from __future__ import annotations

from typing import Any

import flask

from services.portal.client import ApiAnswer, api
from services.portal.pages import blueprint, pictures
from services.portal.pages.reading import Page

SLIDER_MAXIMUM = 200_000_000
SLIDER_STEP = 100_000
FACTS = ("recognised",)


@blueprint.get("/subsidy")
def subsidy() -> Page:
    args = flask.request.args
    given = {
        "equipment_investment": args.get("equipment_investment", "20000000").strip() or "0",
        "technology_investment": args.get("technology_investment", "5000000").strip() or "0",
    }
    facts = {name: args.get(name, "") for name in FACTS}
    body: dict[str, Any] = {**{name: _plain(value) for name, value in given.items()}}
    if args.get("as_of"):
        body["as_of"] = args["as_of"]
    body["facts"] = {name: value == "yes" for name, value in facts.items() if value in ("yes", "no")}
    answer = api().post("/api/v1/subsidies/estimate", body)
    page = {"estimate": _estimate(answer), "problem": None if answer.ok else answer.body}
    if flask.request.headers.get("X-Partial"):
        return flask.render_template("estimate.html", **page)
    return flask.render_template(
        "subsidy.html",
        section="subsidy",
        given=given,
        facts=facts,
        as_of=args.get("as_of", ""),
        solution=_solution(args.get("solution", "")),
        slider_maximum=SLIDER_MAXIMUM,
        slider_step=SLIDER_STEP,
        **page,
    )


def _plain(text: str) -> str:
    return text.replace(",", "").replace("，", "").replace(" ", "")


def _solution(solution_id: str) -> dict[str, Any] | None:
    if not solution_id:
        return None
    found = api().get(f"/api/v1/solutions/{solution_id}")
    return {"id": solution_id, "title": found.body["title"]} if found.ok else None


def _estimate(answer: ApiAnswer) -> dict[str, Any] | None:
    if not answer.ok:
        return None
    body = answer.body
    cap = body.get("cap")
    return {
        "notices": [],
        "questions": [],
        "open_points": [],
        **body,
        "amount_shown": _yuan(body["amount"]),
        "cap_shown": _yuan(cap) if cap else "",
        "parts": [
            {**part, "amount_shown": _yuan(part["amount"]), "base_shown": _yuan(part["base"]),
             "rate_shown": f"{float(part['rate']) * 100:g} %"}
            for part in body.get("parts", [])
        ],
        "stack": pictures.stack(body.get("parts", []), float(cap) if cap else None),
        "changes": [{**change, "amount_shown": _yuan(change["amount"])} for change in body.get("changes", [])],
    }  # fmt: skip


def _yuan(text: Any) -> str:
    """Yuan with separators; whole amounts without decimals."""
    whole, _, rest = str(text).partition(".")
    sign = "-" if whole.startswith("-") else ""
    grouped = f"{int(whole.lstrip('-') or 0):,}"
    return f"{sign}{grouped}" + (f".{rest}" if rest.strip("0") else "")
