"""A file that a form brings, on its way to the API."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import flask

from services.portal.client import api
from services.portal.reader import guest_token


def upload(path: str) -> Any:
    """Passes the form's file on to the API; None when no file was chosen."""
    part = flask.request.files.get("file")
    if part is None or not part.filename:
        return None
    guest_token()
    part.stream.seek(0, 2)
    size = part.stream.tell()
    part.stream.seek(0)
    headers = {"X-File-Name": quote(part.filename[-200:]), "Content-Type": "application/octet-stream"}
    once = flask.request.form.get("once", "")[:60]
    if once:
        headers["Idempotency-Key"] = f"upload-{once}"
    return api().send(path, part.stream, size, headers)
