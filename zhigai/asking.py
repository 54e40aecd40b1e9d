"""The command line's way to the platform: the one of this home, in this process, with the home's admin key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import click

from shared.http.upstream import MountedUpstream, Request
from shared.settings import Settings


class Door:
    """Calls the public API of a platform that is mounted here."""

    def __init__(self, settings: Settings, wsgi: Any) -> None:
        self._upstream = MountedUpstream(wsgi)
        self._headers = {"Content-Type": "application/json"}
        key_file = settings.home / "admin.key"
        if key_file.exists():
            self._headers["X-API-Key"] = key_file.read_text(encoding="ascii").strip()

    def __call__(self, method: str, path: str, query: dict[str, Any] | None = None, body: Any = None) -> Any:
        """The answer's JSON. Raises `ClickException` with what the platform says when it refuses."""
        sent = b"" if body is None else json.dumps(body).encode()
        request = Request(method=method, path=path, query=urlencode(query or {}), headers=self._headers, body=sent)
        answer = self._upstream.call(request)
        found = json.loads(answer.read())
        if answer.status >= 400:
            raise click.ClickException(found.get("detail", "refused"))
        return found


@contextmanager
def door(settings: Settings) -> Iterator[Door]:
    """The platform of `settings`, with the vocabulary that its indexes hold, for as long as the block lasts.

    Raises `ClickException` for a home without content, of which nothing could be found.
    """
    from zhigai import platform

    empty = click.ClickException(
        f"「{settings.home}」里还没有内容，请先运行 zhigai migrate，再运行 zhigai seed"
        " / this home holds no content yet: run `zhigai migrate`, then `zhigai seed`"
    )
    if not platform.is_migrated(settings):
        raise empty
    made = platform.all_in_one(settings)
    try:
        made.wsgi.gateway.flask.extensions["zhigai"].parts["gateway"].learner.look()
        ask = Door(settings, made.wsgi)
        # Words that are empty list everything.
        if not ask("GET", "/api/v1/search", {"q": "", "size": 1})["total"]:
            raise empty
        yield ask
    finally:
        made.stop()
