"""Datasets: what organisations and guests upload."""

import sqlalchemy as sa
from alembic import op

from shared.database import owned_columns

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "dataset",
        *owned_columns(),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False, index=True),
        sa.Column("sheet", sa.String(80), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("job", sa.String(60), nullable=False),
        sa.Column("format", sa.String(10), nullable=False),
        sa.Column("table", sa.String(64), nullable=False, index=True),
        sa.Column("results", sa.JSON, nullable=False),
        sa.Column("profile", sa.JSON, nullable=True),
        sa.Column("problem", sa.JSON, nullable=True),
    )
