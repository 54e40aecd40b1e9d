"""Tables that every service has: revisions of content, audit, outbox, idempotency and jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Session

from shared.database.rows import UtcDateTime, utc_now
from shared.identity import Principal

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


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


def common_tables(base: type[DeclarativeBase]) -> CommonTables:
    """Declares the tables in the service's metadata."""
    return CommonTables(*_declare(base.metadata))


def _declare(metadata: sa.MetaData) -> tuple[sa.Table, ...]:
    serial = lambda: sa.Column("seq", _BIG, primary_key=True, autoincrement=True)  # noqa: E731
    revision = sa.Table(
        "revision", metadata, serial(),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("row_id", sa.String(120), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(120), nullable=False),
        sa.UniqueConstraint("kind", "row_id", "version", name="uq_revision_row"),
    )  # fmt: skip
    audit = sa.Table(
        "audit", metadata, serial(),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(120), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("row_id", sa.String(120), nullable=False, index=True),
        sa.Column("facts", sa.JSON, nullable=False),
    )  # fmt: skip
    outbox = sa.Table(
        "outbox", metadata, serial(),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("row_id", sa.String(120), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False, default=False),
        sa.Column("at", UtcDateTime(), nullable=False),
    )  # fmt: skip
    idempotency = sa.Table(
        "idempotency", metadata,
        sa.Column("owner", sa.String(120), primary_key=True),
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer, nullable=True),
        sa.Column("headers", sa.JSON, nullable=True),
        sa.Column("body", sa.LargeBinary, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False, index=True),
    )  # fmt: skip
    job = sa.Table(
        "job", metadata,
        sa.Column("id", sa.String(60), primary_key=True),
        sa.Column("organisation", sa.String(80), nullable=True, index=True),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("args", sa.JSON, nullable=False),
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
        sa.Column("result", sa.JSON, nullable=True),
        sa.Column("problem", sa.JSON, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.UniqueConstraint("organisation", "idempotency_key", name="uq_job_idempotency"),
        sa.Index("ix_job_open", "state", "due_at"),
    )  # fmt: skip
    return revision, audit, outbox, idempotency, job


def create_common_tables(op: Any) -> None:
    """For a service's first migration: the common tables as they stood at that migration."""
    for table in _declare(sa.MetaData()):
        columns = [column._copy() for column in table.columns]
        constraints = [
            constraint._copy() for constraint in table.constraints if isinstance(constraint, sa.UniqueConstraint)
        ]
        op.create_table(table.name, *columns, *constraints)
        for index in table.indexes:
            op.create_index(index.name, table.name, [column.name for column in index.columns], if_not_exists=True)
