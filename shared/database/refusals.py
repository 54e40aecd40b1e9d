"""Which failures of an engine are a refusal that may pass (away, busy), and which are our own mistakes."""

from __future__ import annotations

import sqlalchemy as sa

from shared.errors import Busy, DependencyDown, Refused

_POSTGRES_BUSY = {"55P03", "57014", "40001", "40P01", "53300"}
"""Lock not available, statement cancelled by its timeout, serialisation failure, deadlock, too many connections."""
_POSTGRES_AWAY = ("08", "53", "57P", "58", "25P03")
"""Connection, resources, operator intervention (shutdown, crash, starting up), system error, idle too long."""
_SQLITE_BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED")
_SQLITE_AWAY = ("SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_FULL", "SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_NOMEM")


def refusal_of(wrong: sa.exc.DBAPIError, dependency: str) -> Refused | None:
    """`Busy`, `DependencyDown`, or None for what is no fault of the engine (a missing column, a broken constraint)."""
    if wrong.connection_invalidated:
        return DependencyDown(dependency=dependency)
    name = getattr(wrong.orig, "sqlite_errorname", None)
    if name is not None:
        if name.startswith(_SQLITE_BUSY):
            return Busy(what=dependency)
        return DependencyDown(dependency=dependency) if name.startswith(_SQLITE_AWAY) else None
    state = getattr(wrong.orig, "sqlstate", None)
    if state in _POSTGRES_BUSY:
        return Busy(what=dependency)
    if state is not None:
        return DependencyDown(dependency=dependency) if state.startswith(_POSTGRES_AWAY) else None
    # No state at all: the driver never got as far as an answer.
    return DependencyDown(dependency=dependency) if isinstance(wrong, sa.exc.OperationalError) else None
