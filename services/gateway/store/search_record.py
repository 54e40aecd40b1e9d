"""Queries that found nothing and results that were opened, counted by day. Nothing says who asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from services.gateway.store.tables import Base
from shared.database import UtcDateTime

NOTHING = "-"
"""Stands for the entry of a query that found none."""


class SearchRecord(Base):  # type: ignore[misc,valid-type]
    """`entry` is what was opened, or `NOTHING`."""

    __tablename__ = "search_record"

    day: Mapped[datetime] = mapped_column(UtcDateTime(), primary_key=True)
    text: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    entry: Mapped[str] = mapped_column(sa.String(120), primary_key=True)
    times: Mapped[int] = mapped_column(sa.BigInteger)


def add(session: Session, day: datetime, counted: Mapping[tuple[str, str], int]) -> None:
    """Adds counts by text and entry to those of the day."""
    dialect = session.get_bind().dialect.name
    insert = sqlite.insert(SearchRecord) if dialect == "sqlite" else postgresql.insert(SearchRecord)
    # Several gateways write at once: rows in one order cannot block each other in a circle.
    rows = [
        {"day": day, "text": text, "entry": entry, "times": times} for (text, entry), times in sorted(counted.items())
    ]
    statement = insert.values(rows)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[SearchRecord.day, SearchRecord.text, SearchRecord.entry],
            set_={"times": SearchRecord.times + statement.excluded.times},
        )
    )


def forget(session: Session, before: datetime) -> None:
    session.execute(sa.delete(SearchRecord).where(SearchRecord.day < before))


def listed(session: Session, *, nothing: bool, limit: int) -> list[tuple[str, str, int, datetime]]:
    """Text, entry, how often, the last day: the most frequent first."""
    times = sa.func.sum(SearchRecord.times)
    wanted = SearchRecord.entry == NOTHING if nothing else SearchRecord.entry != NOTHING
    statement = (
        sa.select(SearchRecord.text, SearchRecord.entry, times, sa.func.max(SearchRecord.day))
        .where(wanted)
        .group_by(SearchRecord.text, SearchRecord.entry)
        .order_by(times.desc(), SearchRecord.text, SearchRecord.entry)
        .limit(limit)
    )
    return [(text, entry, int(count), day) for text, entry, count, day in session.execute(statement)]
