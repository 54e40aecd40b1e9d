"""Blobs in PostgreSQL, with a local folder as a cache of what was read."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from shared.blobs.folder import FolderBlobs
from shared.blobs.port import checked, digest_of
from shared.database import Database
from shared.errors import NotFound
from shared.settings import Settings

_TABLE = sa.Table(
    "blob", sa.MetaData(), sa.Column("digest", sa.String(64), primary_key=True), sa.Column("content", sa.LargeBinary)
)


class PostgresBlobs:
    def __init__(self, settings: Settings) -> None:
        self._database = Database.open(settings, "blobs")
        self._cache = FolderBlobs(settings.home / "blobs-cache")
        with self._database.write() as session:
            session.execute(sa.text("SELECT pg_advisory_xact_lock(7140514)"))
            session.execute(sa.text("CREATE SCHEMA IF NOT EXISTS blobs"))
            session.execute(
                sa.text("CREATE TABLE IF NOT EXISTS blobs.blob (digest varchar(64) PRIMARY KEY, content bytea)")
            )

    def put(self, content: bytes) -> str:
        digest = digest_of(content)
        with self._database.write() as session:
            session.execute(
                sa.text("INSERT INTO blob (digest, content) VALUES (:digest, :content) ON CONFLICT DO NOTHING"),
                {"digest": digest, "content": content},
            )
        return digest

    def get(self, digest: str) -> bytes:
        with self._database.read() as session:
            content = session.execute(
                sa.select(_TABLE.c.content).where(_TABLE.c.digest == digest[:80])
            ).scalar_one_or_none()
        if content is None:
            raise NotFound(kind="blob", id=digest[:80])
        return checked(bytes(content), digest)

    def path(self, digest: str) -> Path:
        try:
            return self._cache.path(digest)
        except NotFound:
            self._cache.put(self.get(digest))
            return self._cache.path(digest)

    def delete(self, digest: str) -> None:
        with self._database.write() as session:
            session.execute(sa.delete(_TABLE).where(_TABLE.c.digest == digest[:80]))
        self._cache.delete(digest)
