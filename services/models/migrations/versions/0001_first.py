"""Components and releases."""

import sqlalchemy as sa
from alembic import op

from shared.database import common_tables_0001, owned_columns

revision = "0001"
down_revision = None


def upgrade() -> None:
    common_tables_0001(op)
    op.create_table(
        "component",
        *owned_columns(),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("stage", sa.String(20), nullable=False),
        sa.Column("stable", sa.String(40), nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
    )
    op.create_table(
        "release",
        *owned_columns(),
        sa.Column("component", sa.String(80), nullable=False, index=True),
        sa.Column("release", sa.String(40), nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
    )
