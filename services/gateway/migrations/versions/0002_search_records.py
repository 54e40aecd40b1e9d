"""Queries that found nothing, results that were opened."""

import sqlalchemy as sa
from alembic import op

from shared.database import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "search_record",
        sa.Column("day", UtcDateTime(), primary_key=True),
        sa.Column("text", sa.String(80), primary_key=True),
        sa.Column("entry", sa.String(120), primary_key=True),
        sa.Column("times", sa.BigInteger, nullable=False),
    )
