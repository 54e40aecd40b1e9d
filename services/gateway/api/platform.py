"""What the platform says about itself: readiness by dependency, the merged API document, the page to read it."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import flask

from services.gateway import reading
from services.gateway.parts import parts
from shared.errors import Refused
from shared.http.service_app import language

blueprint = flask.Blueprint("platform", __name__, template_folder="../templates")


def readyz() -> tuple[dict[str, Any], int]:
    """Ready, or degraded while a service behind is away: the rest goes on, so traffic should still come here."""
    gateway = parts()
    try:
        gateway.database.ping()
        own = {"ok": True, "detail": ""}
    except Refused as refused:
        own = {"ok": False, "detail": type(refused).__name__}
    dependencies = {"gateway": own, **gateway.services.readiness()}
    if not own["ok"]:
        return {"status": "not_ready", "dependencies": dependencies}, 503
    ready = all(each["ok"] for each in dependencies.values())
    return {"status": "ready" if ready else "degraded", "dependencies": dependencies}, 200


@blueprint.get("/internal/readyz")
def internal_readyz() -> tuple[dict[str, Any], int]:
    return readyz()


@blueprint.get("/internal/openapi.json")
def document() -> flask.Response:
    """The document of the whole platform."""
    gateway = parts()
    return flask.jsonify(gateway.merged.of(gateway.services.documents()))


@blueprint.get("/docs")
def docs() -> flask.Response:
    """The document as a page, with a command to try each operation."""
    gateway = parts()
    merged = gateway.merged.of(gateway.services.documents())
    chosen = language()
    html = flask.render_template(
        "docs.html",
        language=chosen,
        info=merged["info"],
        groups=reading.groups(merged, chosen),
        schemas=[
            (name, json.dumps(schema, ensure_ascii=False, indent=2))
            for name, schema in sorted(merged["components"].get("schemas", {}).items())
        ],
        style=reading.STYLE,
    )
    response = flask.Response(html, content_type="text/html; charset=utf-8")
    # The page's one style sheet is named by its hash, so that nothing else written into the page could take effect.
    digest = base64.b64encode(hashlib.sha256(reading.STYLE.encode()).digest()).decode()
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'"
    )
    return response
