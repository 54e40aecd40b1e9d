"""Results: one line per fact that decides, facets with counts, the rewrite with its undo, never a dead end."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import urlencode

import flask
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from services.portal.client import api
from services.portal.pages import blueprint
from services.portal.words import catalogue, word

SIZE = 20
SORTS = ("relevance", "newest")
FILTERS = ("type", "industry", "direction")
_MARK = re.compile(r"&lt;(/?)mark&gt;")


@blueprint.get("/search")
def search() -> tuple[str, int] | str:
    args = flask.request.args
    chosen = {name: args.get(name, "") for name in FILTERS}
    page = args.get("page", "1")
    sort = args.get("sort", "")
    asked = {"q": args.get("q", ""), "page": page, "size": SIZE, "literal": args.get("literal"), "sort": sort, **chosen}
    found = api().get("/api/v1/search", **asked)
    if not found.ok:
        return flask.render_template("search.html", q=args.get("q", "")[:300], problem=found.body), found.status
    body = found.body
    query = body.get("query", {})
    number, total = body.get("page", 1), body.get("total", 0)
    rewritten = query.get("rewritten") or ""
    return flask.render_template(
        "search.html",
        q=args.get("q", ""),
        section={"solution": "solutions", "article": "articles"}.get(chosen["type"], ""),
        problem=None,
        items=[_item(item) for item in body.get("items", [])],
        total=total,
        facets=_facets(body.get("facets", {}), chosen),
        chosen=sum(1 for value in chosen.values() if value),
        rewritten=rewritten if rewritten and rewritten != query.get("text") else "",
        literal_url=_address(literal="true"),
        inferred=query.get("industry") or "",
        suggestion=body.get("suggestion") or "",
        leads=[lead for lead in body.get("leads", []) if _has_page(lead["url"])],
        related=body.get("related", []),
        sorts=[
            {"name": name, "url": _address(sort=name, page=""), "chosen": (sort or SORTS[0]) == name} for name in SORTS
        ],
        warnings=[_sentence(warning) for warning in body.get("warnings", [])],
        previous_url=_address(page=number - 1) if number > 1 else "",
        next_url=_address(page=number + 1) if number * SIZE < total else "",
    )


@blueprint.post("/search/opened")
def opened() -> tuple[str, int]:
    """A browser says that a result was opened (the `ping` of its link). Counted by query and entry, nobody named."""
    q, entry = flask.request.args.get("q", "")[:300], flask.request.args.get("id", "")[:120]
    if q and entry:
        api().post("/api/v1/search/clicks", {"q": q, "id": entry})
    return "", 204


def _has_page(url: str) -> bool:
    """Whether the portal has this page: what the platform can answer may be ahead of its pages."""
    path = url.partition("?")[0]
    try:
        flask.current_app.url_map.bind("").match(path, method="GET")
    except HTTPException:
        return False
    return True


def _item(item: dict[str, Any]) -> dict[str, Any]:
    highlights = item.get("highlights") or {}
    q = flask.request.args.get("q", "")
    return {
        **item,
        "ping": "/search/opened?" + urlencode({"q": q[:300], "id": item["id"]}) if q else "",
        "marked_title": marked(highlights.get("title") or html.escape(item["title"], quote=False)),
        "marked_summary": marked(
            highlights.get("body") or highlights.get("summary") or html.escape(item.get("summary", ""), quote=False)
        ),
        "effects": item.get("effects") or [],
        "investment": item.get("investment"),
    }


def marked(text: str) -> Markup:
    """Highlighted text: everything escaped but the marks themselves, whatever an upstream sent."""
    escaped = html.escape(html.unescape(text), quote=True)
    return Markup(_MARK.sub(r"<\1mark>", escaped))  # noqa: S704 - escaped on the line above


def _facets(counts: dict[str, dict[str, int]], chosen: dict[str, str]) -> list[dict[str, Any]]:
    known = catalogue(flask.g.language)
    facets = []
    for name in FILTERS:
        values = [
            {
                "title": word(flask.g.language, f"{name}.{value}"),
                "count": count,
                "chosen": chosen[name] == value,
                "url": _address(**{name: "" if chosen[name] == value else value}, page=""),
            }
            for value, count in sorted(counts.get(name, {}).items(), key=lambda pair: (-pair[1], pair[0]))
            if f"{name}.{value}" in known
        ]
        if values:
            facets.append({"name": name, "values": values})
    return facets


def _address(**changes: object) -> str:
    pairs: dict[str, object] = dict(flask.request.args.items())
    pairs.update(changes)
    return "/search?" + urlencode({name: value for name, value in pairs.items() if value not in ("", None)})


def _sentence(warning: Any) -> str:
    return str(warning.get("message", "")) if isinstance(warning, dict) else str(warning)
