"""`zhigai doctor`: what an operator should mend, in one list."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from shared.database.migrations import is_current
from shared.database.roles import role_findings
from shared.errors import Refused
from shared.search import SearchIndex
from shared.settings import UPSTREAM_SERVICES, Settings
from zhigai import platform


@dataclass(frozen=True)
class Finding:
    what: str
    ok: bool
    detail: str


def findings(settings: Settings) -> list[Finding]:
    """Files, databases, indexes and engines, each with what was seen."""
    return [*_files(settings), *_services(settings)]


def _files(settings: Settings) -> Iterator[Finding]:
    free = shutil.disk_usage(settings.home).free
    yield Finding("free disk", free > 2**30, f"{free / 2**30:.1f} GiB at {settings.home}")
    for name in ("secret.key", "admin.key"):
        path = settings.home / name
        if path.exists():
            private = stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
            yield Finding(name, private, "only its owner may read it" if private else f"chmod 600 {path}")


def _services(settings: Settings) -> Iterator[Finding]:
    for service in UPSTREAM_SERVICES:
        if service in settings.upstreams:
            continue
        app = platform.service_app(settings, service)
        context = app.extensions["zhigai"]
        try:
            for name, probe in context.probes.items():
                yield _seen(f"{service} {name}", probe)
            database, index = context.parts.get("database"), context.parts.get("index")
            if database is not None:
                current = is_current(database)
                yield Finding(f"{service} schema", current, "newest" if current else "run: zhigai migrate")
                if not database.is_sqlite:
                    for said in role_findings(database.engine):
                        yield Finding(f"{service} role", False, said)
            if index is not None:
                yield _index(service, index)
        except Refused as refused:
            yield Finding(service, False, str(refused))
        finally:
            context.close()


def _seen(what: str, look: Callable[[], str | None]) -> Finding:
    try:
        return Finding(what, True, look() or "ok")
    except Exception as wrong:
        return Finding(what, False, str(wrong) or type(wrong).__name__)


def _index(service: str, index: SearchIndex) -> Finding:
    try:
        current = index.is_current()
    except Refused as refused:
        return Finding(f"{service} index", False, str(refused))
    return Finding(f"{service} index", current, "newest analysis" if current else "run: zhigai reindex")
