"""Organisations, users, keys, usage."""

import sqlalchemy as sa
from alembic import op

from shared.database import UtcDateTime, common_tables_0001, owned_columns

revision = "0001"
down_revision = None


def upgrade() -> None:
    common_tables_0001(op)
    op.create_table(
        "organisation",
        *owned_columns(),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
    )
    op.create_table(
        "user_account",
        *owned_columns(),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("email", sa.String(200), nullable=True),
        sa.Column("role", sa.String(20), nullable=False),
    )
    op.create_table(
        "api_key",
        *owned_columns(),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("per_minute", sa.Integer, nullable=True),
        sa.Column("monthly_quota", sa.Integer, nullable=True),
    )
    op.create_table(
        "usage",
        sa.Column("hour", UtcDateTime(), primary_key=True),
        sa.Column("key_id", sa.String(40), primary_key=True),
        sa.Column("route", sa.String(20), primary_key=True),
        sa.Column("calls", sa.BigInteger, nullable=False),
        sa.Column("errors", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "usage_flush",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("at", UtcDateTime(), nullable=False, index=True),
    )
