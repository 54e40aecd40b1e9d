"""The portal's Flask app: wiring only."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import flask
import werkzeug.exceptions
from jinja2 import ChainableUndefined
from markupsafe import Markup

from services.portal import pages, words
from services.portal.client import Api
from services.portal.reader import here, known_guest, side
from shared.fields import LANGUAGES, language_of
from shared.http.page_cache import SHARED_FOR
from shared.http.upstream import Upstream
from shared.identity import GUEST_COOKIE
from shared.settings import Settings
from shared.telemetry import request_id_of

FOLDER = Path(__file__).parent
SECTIONS = (
    ("solutions", "/search?type=solution"),
    ("articles", "/search?type=article"),
    ("components", "/components"),
    ("data", "/data"),
    ("diagnosis", "/diagnosis"),
    ("subsidy", "/subsidy"),
    ("providers", "/providers"),
)
CONTENT_POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; img-src 'self' data:"
SHARED_FOR_S = "10"
"""Seconds for which a page without a guest is everybody's."""
BRIEFLY_S = "2"
"""The same for a page that lacks a part, and for those that read the index, which what was written reaches a moment later."""
SEARCHED = ("/", "/search")
UPLOAD_BYTES = 64 * 1024 * 1024
FORM_BYTES = 512 * 1024


def create_app(settings: Settings, api: Upstream) -> flask.Flask:
    """The web pages over the public API behind `api`."""
    app = flask.Flask("services.portal", root_path=str(FOLDER), static_url_path="/static", static_folder="static")
    app.config.update(MAX_CONTENT_LENGTH=64_000, MAX_FORM_MEMORY_SIZE=64_000, MAX_FORM_PARTS=200)
    # A field that an answer lacks leaves a gap on the page, never an error page.
    app.jinja_options = {"undefined": ChainableUndefined, "trim_blocks": True, "lstrip_blocks": True}
    app.extensions["zhigai.portal.api"] = Api(api)
    app.extensions["zhigai.settings"] = settings
    app.jinja_env.filters["plain"] = plain_number
    app.jinja_env.filters["side"] = side
    app.before_request(_open)
    app.after_request(_close)
    app.context_processor(_in_every_page)
    app.register_error_handler(Exception, _failed)
    app.register_blueprint(pages.blueprint)
    return app


def plain_number(value: Any) -> str:
    """A number as a reader writes it: 12, 0.5, 1,200; never 12.0 or 1e3."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:,.10g}" if abs(value) < 1e15 else f"{value:.4g}"
    return "" if value is None else str(value)


def _open() -> None:
    request = flask.request
    if request.method == "POST" and (request.path == "/data" or request.path.endswith("/predict-file")):
        request.max_content_length = UPLOAD_BYTES
        # The parser of forms counts each piece of a file that it holds, of 64 KiB, against this limit too.
        request.max_form_memory_size = FORM_BYTES
    flask.g.request_id = request_id_of(request.headers.get("X-Request-Id"))
    chosen = request.args.get("lang")
    flask.g.language = language_of(None, chosen) if chosen in LANGUAGES else "zh"
    flask.g.guest = known_guest(request.cookies.get(GUEST_COOKIE, ""))


def _close(response: flask.Response) -> flask.Response:
    headers = response.headers
    headers["X-Request-Id"] = flask.g.get("request_id") or request_id_of(None)
    headers["Content-Security-Policy"] = CONTENT_POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    if flask.request.path.startswith("/static/"):
        headers["Cache-Control"] = "public, max-age=86400"
    else:
        headers.setdefault("Cache-Control", "private, no-cache")
        if response.status_code == 200 and response.mimetype == "text/html" and not flask.g.get("guest"):
            brief = flask.g.get("lacking") or flask.request.path in SEARCHED
            headers[SHARED_FOR] = BRIEFLY_S if brief else SHARED_FOR_S
    if flask.g.get("new_guest"):
        response.set_cookie(GUEST_COOKIE, flask.g.new_guest, max_age=180 * 86400, httponly=True, samesite="Lax")
    return response


def _in_every_page() -> dict[str, Any]:
    language = flask.g.get("language", "zh")
    other = dict(flask.request.args.items())
    other["lang"] = "en" if language == "zh" else "zh"

    def t(key: str, **values: object) -> Markup | str:
        return words.word(language, key, **values)

    return {
        "t": t,
        "here": here,
        "language": language,
        "other_language_url": f"{flask.request.path}?{urlencode(other)}",
        "sections": SECTIONS,
        "section": "",
        "welcome": False,
        "q": "",
        "static": lambda name: f"/static/{name}?v={_stamp()}",
        "zh_only": language != "zh",
    }


def _stamp() -> str:
    found = flask.current_app.extensions.get("zhigai.stamp")
    if found is None:
        newest = max(path.stat().st_mtime for path in (FOLDER / "static").iterdir())
        found = flask.current_app.extensions["zhigai.stamp"] = f"{int(newest):x}"
    return str(found)


def _failed(wrong: Exception) -> flask.typing.ResponseReturnValue:
    """An HTML page for people; the API's own errors never come here."""
    status = wrong.code if isinstance(wrong, werkzeug.exceptions.HTTPException) and wrong.code else 500
    if status >= 500:
        flask.current_app.logger.error("a page failed", exc_info=wrong)
    key = "error.not_found" if status == 404 else "error.method" if status == 405 else "error.failed"
    language = flask.g.get("language", "zh")
    body = {
        "title": words.word(language, key),
        "detail": words.word(language, f"{key}_detail"),
        "request_id": flask.g.get("request_id", ""),
    }
    return flask.render_template("problem.html", body=body), status
