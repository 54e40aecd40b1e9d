"""Stages, what was observed of releases, predictions with ids, webhooks and what waits to be sent to them."""

import sqlalchemy as sa
from alembic import op

from shared.database import UtcDateTime, owned_columns

revision = "0003"
down_revision = "0002"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("component", sa.Column("lifecycle", sa.JSON, nullable=True))
    op.create_table(
        "observation",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("component", sa.String(80), nullable=False),
        sa.Column("release", sa.String(40), nullable=False),
        sa.Column("hour", UtcDateTime(), nullable=False),
        sa.Column("counts", sa.JSON, nullable=False),
    )
    op.create_index("ix_observation_component_hour", "observation", ["component", "hour"])
    op.create_index("ix_observation_hour", "observation", ["hour"])
    op.create_table(
        "prediction",
        sa.Column("id", sa.String(60), primary_key=True),
        sa.Column("component", sa.String(80), nullable=False),
        sa.Column("release", sa.String(40), nullable=False),
        sa.Column("owner", sa.String(80), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("answer", sa.JSON, nullable=False),
        sa.Column("actual", sa.JSON, nullable=True),
        sa.Column("actual_at", UtcDateTime(), nullable=True),
    )
    op.create_index("ix_prediction_component_at", "prediction", ["component", "at"])
    op.create_table(
        "webhook",
        *owned_columns(),
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("events", sa.JSON, nullable=False),
        sa.Column("everything", sa.Boolean, nullable=False),
        sa.Column("digest", sa.String(10), nullable=False),
        sa.Column("secret", sa.String(80), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("said", sa.String(300), nullable=False),
    )
    op.create_table(
        "delivery",
        sa.Column("seq", SERIAL, primary_key=True, autoincrement=True),
        sa.Column("webhook", sa.String(120), nullable=False, index=True),
        sa.Column("event", sa.JSON, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sqlite_autoincrement=True,
    )
