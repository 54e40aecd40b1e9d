"""Calls by hour, key and route class."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from services.gateway.metering import Counted
from services.gateway.store.tables import Base
from shared.database import UtcDateTime

FLUSHES_KEPT = timedelta(days=1)


class Usage(Base):  # type: ignore[misc,valid-type]
    __tablename__ = "usage"

    hour: Mapped[datetime] = mapped_column(UtcDateTime(), primary_key=True)
    key_id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    route: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    calls: Mapped[int] = mapped_column(sa.BigInteger)
    errors: Mapped[int] = mapped_column(sa.BigInteger)


class UsageFlush(Base):  # type: ignore[misc,valid-type]
    """A flush that was stored: one that is sent again, because its answer was lost, is not counted twice."""

    __tablename__ = "usage_flush"

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime(), index=True)


def add(
    session: Session, flush_id: str, now: datetime, hour: datetime, counted: Mapping[tuple[str, str], Counted]
) -> None:
    """Adds the counts unless this flush was added before."""
    if session.get(UsageFlush, flush_id) is not None:
        return
    session.add(UsageFlush(id=flush_id, at=now))
    session.flush()
    session.execute(sa.delete(UsageFlush).where(UsageFlush.at < now - FLUSHES_KEPT))
    dialect = session.get_bind().dialect.name
    insert = sqlite.insert(Usage) if dialect == "sqlite" else postgresql.insert(Usage)
    # Several gateways flush at once: rows in one order cannot block each other in a circle.
    rows = [
        {"hour": hour, "key_id": key_id, "route": route, "calls": each.calls, "errors": each.errors}
        for (key_id, route), each in sorted(counted.items())
    ]
    statement = insert.values(rows)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Usage.hour, Usage.key_id, Usage.route],
            set_={
                "calls": Usage.calls + statement.excluded.calls,
                "errors": Usage.errors + statement.excluded.errors,
            },
        )
    )


def calls_since(session: Session, key_ids: list[str], since: datetime) -> dict[str, int]:
    statement = (
        sa.select(Usage.key_id, sa.func.sum(Usage.calls))
        .where(Usage.key_id.in_(key_ids), Usage.hour >= since)
        .group_by(Usage.key_id)
    )
    return {key_id: int(calls) for key_id, calls in session.execute(statement)}


def by_hour(
    session: Session, key_ids: sa.ColumnElement[bool], since: datetime, until: datetime
) -> list[tuple[datetime, str, str, int, int]]:
    statement = (
        sa.select(Usage.hour, Usage.key_id, Usage.route, Usage.calls, Usage.errors)
        .where(key_ids, Usage.hour >= since, Usage.hour < until)
        .order_by(Usage.hour, Usage.key_id, Usage.route)
    )
    return [tuple(row) for row in session.execute(statement)]  # type: ignore[misc]
