"""A service of one table, small enough to read, through which the shared parts are tested."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from shared import outbox
from shared.database import Database, Owned, Scoped, common_tables, make_base
from shared.identity import SYSTEM, Principal
from shared.search.port import Document

SERVICE = "catalog"
MIGRATIONS = Path(__file__).parent / "migrations"

Base = make_base(SERVICE)
TABLES = common_tables(Base)


class Note(Owned, Base):  # type: ignore[misc,valid-type]
    __tablename__ = "note"

    title: Mapped[str] = mapped_column(sa.String(200))
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Effect(Base):  # type: ignore[misc,valid-type]
    """What a job did; no unique constraint, so that a job done twice shows."""

    __tablename__ = "effect"

    seq: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[str] = mapped_column(sa.String(60))


def write_note(
    database: Database, note_id: str, title: str, principal: Principal = SYSTEM, organisation: str | None = None
) -> int:
    """Makes or changes a note with everything that belongs to it; returns its version."""
    with database.write() as session:
        note = session.get(Note, note_id)
        if note is None:
            after = TABLES.last_version(session, "note", note_id)
            note = Note(id=note_id, title=title, organisation=organisation)
            Scoped(session, principal).add(note, after=after)
        else:
            note.title = title
            session.flush()
        TABLES.record(session, principal, "write", "note", note_id, version=note.version, content={"title": title})
        outbox.put(session, TABLES, "note", note_id, note.version)
        return note.version


def delete_note(database: Database, note_id: str) -> int:
    with database.write() as session:
        note = session.get_one(Note, note_id)
        version = note.version + 1
        session.delete(note)
        TABLES.record(session, SYSTEM, "delete", "note", note_id, version=version, content={})
        outbox.put(session, TABLES, "note", note_id, version, deleted=True)
        return version


def document_of(session: Session, kind: str, row_id: str) -> Document | None:
    note = session.get(Note, row_id)
    return None if note is None else Document(id=note.id, type=kind, version=note.version, title=note.title)
