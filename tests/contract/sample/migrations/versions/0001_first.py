"""The first tables."""

import sqlalchemy as sa
from alembic import op

from shared.database import common_tables_0001, owned_columns

revision = "0001"
down_revision = None


def upgrade() -> None:
    common_tables_0001(op)
    op.create_table(
        "note",
        *owned_columns(),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
    )
    op.create_table(
        "effect",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("job_id", sa.String(60), nullable=False),
    )
