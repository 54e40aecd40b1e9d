"""Tables that every service has: revisions of content, audit, outbox, idempotency and jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Session

from shared.database.rows import UtcDateTime, utc_now
from shared.identity import Principal

BIG_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True)


@dataclass(frozen=True)
class CommonTables:
    revision: sa.Table
    audit: sa.Table
    outbox: sa.Table
    idempotency: sa.Table
    job: sa.Table

    def record(
        self,
        session: Session,
        principal: Principal,
        action: str,
        kind: str,
        row_id: str,
        *,
        version: int | None = None,
        content: Mapping[str, Any] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """One line in the append-only audit; with `content` also a revision of the row as it now stands."""
        now = utc_now()
        session.execute(
            self.audit.insert().values(
                at=now, by=principal.actor, action=action, kind=kind, row_id=row_id, facts=dict(facts or {})
            )
        )
        if content is not None:
            session.execute(
                self.revision.insert().values(
                    kind=kind, row_id=row_id, version=version or 1, content=dict(content), at=now, by=principal.actor
                )
            )

    def last_version(self, session: Session, kind: str, row_id: str) -> int:
        """The newest version that this id ever had, also when the row is gone; 0 for one that never was."""
        newest = sa.select(sa.func.max(self.revision.c.version)).where(
            self.revision.c.kind == kind, self.revision.c.row_id == row_id
        )
        return int(session.execute(newest).scalar_one() or 0)


def common_tables(base: type[DeclarativeBase]) -> CommonTables:
    """Declares the tables in the service's metadata."""
    return declare(base.metadata)


def declare(metadata: sa.MetaData) -> CommonTables:
    return CommonTables(
        revision=_revision(metadata),
        audit=_audit(metadata),
        outbox=_outbox(metadata),
        idempotency=_idempotency(metadata),
        job=_job(metadata),
    )


def _serial() -> sa.Column[int]:
    return sa.Column("seq", BIG_SERIAL, primary_key=True, autoincrement=True)


def _revision(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "revision", metadata, _serial(),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("row_id", sa.String(120), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(120), nullable=False),
        sa.UniqueConstraint("kind", "row_id", "version", name="uq_revision_row"),
        sqlite_autoincrement=True,
    )  # fmt: skip


def _audit(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "audit", metadata, _serial(),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(120), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("row_id", sa.String(120), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Index("ix_audit_row_id", "row_id"),
        sqlite_autoincrement=True,
    )  # fmt: skip


def _outbox(metadata: sa.MetaData) -> sa.Table:
    # A number is never used twice, or a relay that was slow would remove the line of a later write.
    return sa.Table(
        "outbox", metadata, _serial(),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("row_id", sa.String(120), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False, default=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sqlite_autoincrement=True,
    )  # fmt: skip


def _idempotency(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "idempotency", metadata,
        sa.Column("owner", sa.String(120), primary_key=True),
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer, nullable=True),
        sa.Column("headers", JSON, nullable=True),
        sa.Column("body", sa.LargeBinary, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Index("ix_idempotency_at", "at"),
    )  # fmt: skip


def _job(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "job", metadata,
        sa.Column("id", sa.String(60), primary_key=True),
        # Empty for the platform's own jobs: a null would not count for the unique key below.
        sa.Column("owner", sa.String(80), nullable=False, default=""),
        sa.Column("by", sa.String(120), nullable=False, default=""),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("args", JSON, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False, default=0),
        sa.Column("lost_leases", sa.Integer, nullable=False, default=0),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("rung_at", UtcDateTime(), nullable=True),
        sa.Column("idempotency_key", sa.String(255), nullable=True),
        sa.Column("cancel", sa.Boolean, nullable=False, default=False),
        sa.Column("progress", sa.Float, nullable=False, default=0.0),
        sa.Column("message", sa.String(400), nullable=False, default=""),
        sa.Column("result", JSON, nullable=True),
        sa.Column("problem", JSON, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.UniqueConstraint("owner", "idempotency_key", name="uq_job_idempotency"),
        sa.Index("ix_job_open", "state", "due_at"),
        sa.Index("ix_job_lease", "state", "lease_until"),
    )  # fmt: skip
