"""Solutions, providers, enquiries."""

import sqlalchemy as sa
from alembic import op

from shared.database import common_tables_0001, owned_columns

revision = "0001"
down_revision = None


def upgrade() -> None:
    common_tables_0001(op)
    op.create_table(
        "solution",
        *owned_columns(),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("last_confirmed", sa.String(10), nullable=False),
    )
    op.create_table(
        "provider",
        *owned_columns(),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
    )
    op.create_table(
        "enquiry",
        *owned_columns(),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
    )
