"""The common tables as they stood at the first migration, frozen: a later change is a function of its own beside it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from shared.database.rows import UtcDateTime

_BIG_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, length: int, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, UtcDateTime(), nullable=nullable)


def common_tables_0001(op: Any) -> None:
    """Makes the common tables. For a service's first migration, with Alembic's `op`."""
    _content(op)
    _requests(op)
    _jobs(op)
    _forbid_changes_of_audit(op)


def _content(op: Any) -> None:
    op.create_table(
        "revision",
        sa.Column("seq", _BIG_SERIAL, primary_key=True, autoincrement=True),
        _text("kind", 40),
        _text("row_id", 120),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        _moment("at"),
        _text("by", 120),
        sa.UniqueConstraint("kind", "row_id", "version", name="uq_revision_row"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "audit",
        sa.Column("seq", _BIG_SERIAL, primary_key=True, autoincrement=True),
        _moment("at"),
        _text("by", 120),
        _text("action", 40),
        _text("kind", 40),
        _text("row_id", 120),
        sa.Column("facts", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_row_id", "audit", ["row_id"])
    op.create_table(
        "outbox",
        sa.Column("seq", _BIG_SERIAL, primary_key=True, autoincrement=True),
        _text("kind", 40),
        _text("row_id", 120),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        _moment("at"),
        sqlite_autoincrement=True,
    )


def _requests(op: Any) -> None:
    op.create_table(
        "idempotency",
        sa.Column("owner", sa.String(120), primary_key=True),
        sa.Column("key", sa.String(255), primary_key=True),
        _text("request_hash", 64),
        sa.Column("status", sa.Integer, nullable=True),
        sa.Column("headers", sa.JSON, nullable=True),
        sa.Column("body", sa.LargeBinary, nullable=True),
        _moment("at"),
    )
    op.create_index("ix_idempotency_at", "idempotency", ["at"])


def _jobs(op: Any) -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.String(60), primary_key=True),
        _text("owner", 80),
        _text("by", 120),
        _text("kind", 60),
        sa.Column("args", sa.JSON, nullable=False),
        _text("state", 20),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("lost_leases", sa.Integer, nullable=False),
        _moment("lease_until", nullable=True),
        _moment("due_at"),
        _moment("rung_at", nullable=True),
        _text("idempotency_key", 255, nullable=True),
        sa.Column("cancel", sa.Boolean, nullable=False),
        sa.Column("progress", sa.Float, nullable=False),
        _text("message", 400),
        sa.Column("result", sa.JSON, nullable=True),
        sa.Column("problem", sa.JSON, nullable=True),
        _moment("created_at"),
        _moment("updated_at"),
        _moment("finished_at", nullable=True),
        sa.UniqueConstraint("owner", "idempotency_key", name="uq_job_idempotency"),
    )
    op.create_index("ix_job_open", "job", ["state", "due_at"])
    op.create_index("ix_job_lease", "job", ["state", "lease_until"])


def _forbid_changes_of_audit(op: Any) -> None:
    """The audit is append-only in the engine itself, so that a mistake in code cannot rewrite it."""
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{change.lower()} BEFORE {change} ON audit"
                " BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'audit is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit"
        " EXECUTE FUNCTION audit_is_append_only()"
    )
