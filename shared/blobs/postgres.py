"""Blobs in PostgreSQL, where every machine sees them, with a local folder for those who need a file.

A blob is several rows of a few megabytes, written in one transaction: a single row of 64 MB would be held in memory
several times over by driver and server.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shared.blobs.folder import FolderBlobs
from shared.blobs.port import BlobDamaged, checked, known_form
from shared.database import Database
from shared.database.roles import make_schema
from shared.errors import NotFound
from shared.settings import Settings

SCHEMA = "blobs"
_PART_BYTES = 4 << 20
_LOCK = 7_140_514
_PARTS = sa.Table(
    "part",
    sa.MetaData(),
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)


class PostgresBlobs:
    def __init__(self, settings: Settings) -> None:
        self._database = Database.open(settings, SCHEMA)
        self._files = FolderBlobs(settings.home / "blobs-cache")
        self._made = False

    def put(self, content: bytes | BinaryIO) -> str:
        # The file gives the digest before the transaction begins, and the rows are read from it piece by piece.
        digest = self._files.put(content)
        self._make()
        with self._database.write() as session, self._files.path(digest).open("rb") as file:
            number = 0
            while True:
                piece = file.read(_PART_BYTES)
                if not piece and number:
                    return digest
                row = insert(_PARTS).values(digest=digest, number=number, content=piece)
                session.execute(row.on_conflict_do_nothing())
                number += 1

    def get(self, digest: str) -> bytes:
        known_form(digest)
        self._make()
        numbered = sa.select(_PARTS.c.number).where(_PARTS.c.digest == digest).order_by(_PARTS.c.number)
        with self._database.read() as session:
            numbers = session.execute(numbered).scalars().all()
            parts = [
                bytes(session.execute(
                    sa.select(_PARTS.c.content).where(_PARTS.c.digest == digest, _PARTS.c.number == number)
                ).scalar_one())
                for number in numbers
            ]  # fmt: skip
        if not numbers:
            raise NotFound(kind="blob", id=digest)
        return checked(b"".join(parts), digest)

    def path(self, digest: str) -> Path:
        try:
            return self._files.path(digest)
        except (NotFound, BlobDamaged):
            self._files.put(self.get(digest))
            return self._files.path(digest)

    def delete(self, digest: str) -> None:
        known_form(digest)
        self._make()
        with self._database.write() as session:
            session.execute(sa.delete(_PARTS).where(_PARTS.c.digest == digest))
        self._files.delete(digest)

    def close(self) -> None:
        self._database.close()

    def _make(self) -> None:
        """Makes schema and table the first time they are needed: the store belongs to no service's migrations."""
        if self._made:
            return
        with self._database.write() as session:
            there = session.execute(sa.text("SELECT to_regclass('blobs.part')")).scalar_one_or_none()
            if there is None:
                session.execute(sa.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
                make_schema(session.connection(), SCHEMA)
                _PARTS.create(session.connection(), checkfirst=True)
        if there is None:
            # Connections opened before the schema had its role would work without it.
            self._database.engine.dispose()
        self._made = True
