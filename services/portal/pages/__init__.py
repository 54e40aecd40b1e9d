"""The pages, one module a kind. Each calls the API, shapes the answer and renders; none knows a rule."""

from __future__ import annotations

import flask

blueprint = flask.Blueprint("pages", __name__)

from services.portal.pages import (  # noqa: E402
    component,
    diagnosis,
    home,
    industry,
    own_data,
    own_jobs,
    programme,
    reading,
    search,
    solving,
)

__all__ = [
    "blueprint",
    "component",
    "diagnosis",
    "home",
    "industry",
    "own_data",
    "own_jobs",
    "programme",
    "reading",
    "search",
    "solving",
]
