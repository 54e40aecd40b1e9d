"""Webhooks as rows, and what waits to be sent to each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from services.models.store.schema import Base
from shared.database import Owned, UtcDateTime
from shared.database.tables import BIG_SERIAL

KIND = "webhook"


class Webhook(Owned, Base):  # type: ignore[misc,valid-type]
    """An address of an organisation; `organisation` is never null."""

    __tablename__ = "webhook"

    url: Mapped[str] = mapped_column(sa.String(500))
    events: Mapped[list[str]]
    everything: Mapped[bool]
    """Told about every component, not only its organisation's: the operator's."""
    digest: Mapped[str] = mapped_column(sa.String(10))
    secret: Mapped[str] = mapped_column(sa.String(80))
    """Signs what is sent; shown once."""
    due_at: Mapped[datetime]
    """Nothing is sent before: a day after the last for a daily digest, later and later after failures."""
    failures: Mapped[int] = mapped_column(default=0)
    said: Mapped[str] = mapped_column(sa.String(300), default="")
    """What came of the last attempt."""


class Delivery(Base):  # type: ignore[misc,valid-type]
    """An event that waits to be sent to a webhook; gone once it was taken."""

    __tablename__ = "delivery"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    seq: Mapped[int] = mapped_column(BIG_SERIAL, primary_key=True, autoincrement=True)
    webhook: Mapped[str] = mapped_column(sa.String(120), index=True)
    event: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(UtcDateTime())


def told(session: Session, organisation: str | None, event: str) -> list[Webhook]:
    """The webhooks that are told about an event of this organisation's component."""
    whose = sa.or_(Webhook.everything, *([] if organisation is None else [Webhook.organisation == organisation]))
    rows = session.execute(sa.select(Webhook).where(whose)).scalars()
    return [row for row in rows if event in row.events]


def due(session: Session, now: datetime, limit: int) -> list[tuple[str, datetime]]:
    """Webhooks for which something waits and whose time has come, and that time."""
    waits = sa.exists().where(Delivery.webhook == Webhook.id)
    statement = sa.select(Webhook.id, Webhook.due_at).where(Webhook.due_at <= now, waits)
    return [(row[0], row[1]) for row in session.execute(statement.order_by(Webhook.due_at).limit(limit))]


def waiting(session: Session, webhook: str, limit: int) -> list[Delivery]:
    statement = sa.select(Delivery).where(Delivery.webhook == webhook).order_by(Delivery.seq).limit(limit)
    return list(session.execute(statement).scalars())
