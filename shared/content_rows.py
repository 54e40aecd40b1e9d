"""Brings the public rows of one kind to what the shipped files say; what did not change is left alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from shared import outbox
from shared.database import CommonTables, Scoped
from shared.identity import SYSTEM


@dataclass(frozen=True)
class Entry:
    """What one row is to become."""

    id: str
    fingerprint: str
    content: Mapping[str, Any]
    """For the revision."""
    values: tuple[Any, ...]
    """What the row's `take` takes."""


@dataclass(frozen=True)
class Loaded:
    added: int
    changed: int
    removed: int
    unchanged: int


def bring(
    session: Session, tables: CommonTables, kind: str, model: type[Any], held: dict[str, Any], entries: Iterable[Entry]
) -> Loaded:
    """Adds, changes and removes rows of `model`, each with its revision and its line for the index.

    `held` are the public rows by id; it is used up.
    """
    added = changed = unchanged = 0
    scoped = Scoped(session, SYSTEM)
    for entry in entries:
        row = held.pop(entry.id, None)
        if row is not None and row.fingerprint == entry.fingerprint:
            unchanged += 1
            continue
        if row is None:
            row = model(id=entry.id, organisation=None)
            row.take(*entry.values)
            scoped.add(row, after=tables.last_version(session, kind, entry.id))
            added += 1
        else:
            row.take(*entry.values)
            session.flush()
            changed += 1
        tables.record(session, SYSTEM, "load", kind, row.id, version=row.version, content=entry.content)
        outbox.put(session, tables, kind, row.id, row.version)
    for row in held.values():
        version = row.version + 1
        session.delete(row)
        tables.record(session, SYSTEM, "remove", kind, row.id, version=version, content={})
        outbox.put(session, tables, kind, row.id, version, deleted=True)
    return Loaded(added, changed, len(held), unchanged)
