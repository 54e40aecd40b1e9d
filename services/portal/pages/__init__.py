"""The pages, one module a kind. Each calls the API, shapes the answer and renders; none knows a rule."""

from __future__ import annotations

import flask

blueprint = flask.Blueprint("pages", __name__)

from services.portal.pages import component, home, programme, reading, search  # noqa: E402

__all__ = ["blueprint", "component", "home", "programme", "reading", "search"]
