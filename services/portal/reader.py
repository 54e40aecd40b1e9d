"""Who reads a page, and how: the browser's guest, the language, addresses in it."""

from __future__ import annotations

import re
import secrets
from typing import Any
from urllib.parse import urlencode

import flask

from shared.identity import sign_guest, verify_guest


def known_guest(token: str) -> str:
    """The browser's guest token; a new one is only made when something is written (`guest_token`)."""
    if not token:
        return ""
    try:
        verify_guest(token, flask.current_app.extensions["zhigai.settings"].secret)
    except Exception:
        # A cookie of another installation or an old secret: the browser starts anew.
        return ""
    return token


def guest_token() -> str:
    """The browser's guest token, made on its first write and then kept in its cookie."""
    if not flask.g.guest:
        secret = flask.current_app.extensions["zhigai.settings"].secret
        flask.g.guest = sign_guest(f"gst-{secrets.token_hex(12)}", secret)
        flask.g.new_guest = flask.g.guest
    return str(flask.g.guest)


def here(path: str, **query: object) -> str:
    """An address of the portal in the language the reader chose."""
    pairs = {name: str(value) for name, value in query.items() if value not in (None, "")}
    if flask.g.language != "zh":
        pairs["lang"] = flask.g.language
    if not pairs:
        return path
    return f"{path}{'&' if '?' in path else '?'}{urlencode(pairs)}"


def side(text: Any) -> str:
    """The reader's half of a sentence that says the same in both languages: 正在读取 / reading."""
    zh, middle, en = str(text or "").partition(" / ")
    if not middle or not re.search("[一-鿿]", zh):
        return zh + middle + en
    return en if flask.g.language == "en" else zh
