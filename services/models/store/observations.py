"""What was observed of releases, by hour, and predictions with an id, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from services.models.store.schema import Base
from shared.database import UtcDateTime


class Observation(Base):  # type: ignore[misc,valid-type]
    """Counts of one release in one hour by one serving process, or of one job: each writes rows of its own, so none
    waits for another."""

    __tablename__ = "observation"
    __table_args__ = (
        sa.Index("ix_observation_component_hour", "component", "hour"),
        sa.Index("ix_observation_hour", "hour"),
    )

    id: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    component: Mapped[str] = mapped_column(sa.String(80))
    release: Mapped[str] = mapped_column(sa.String(40))
    hour: Mapped[datetime] = mapped_column(UtcDateTime())
    counts: Mapped[dict[str, Any]]


class Prediction(Base):  # type: ignore[misc,valid-type]
    """One prediction that was given an id, and what really came of it once somebody said so."""

    __tablename__ = "prediction"
    __table_args__ = (sa.Index("ix_prediction_component_at", "component", "at"),)

    id: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    component: Mapped[str] = mapped_column(sa.String(80))
    release: Mapped[str] = mapped_column(sa.String(40))
    owner: Mapped[str] = mapped_column(sa.String(80))
    """Who asked, and alone may say what came of it; empty for a caller without a name."""
    at: Mapped[datetime] = mapped_column(UtcDateTime())
    answer: Mapped[dict[str, Any]]
    actual: Mapped[Any | None] = mapped_column(sa.JSON(none_as_null=True))
    actual_at: Mapped[datetime | None] = mapped_column(UtcDateTime())


def put(session: Session, row: Observation, *, replace: bool) -> None:
    """Stores a row under its id; one that is there already is replaced or left."""
    values = {name: getattr(row, name) for name in ("id", "component", "release", "hour", "counts")}
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    insert = dialect.insert(Observation).values(**values)
    session.execute(
        insert.on_conflict_do_update(index_elements=["id"], set_=values)
        if replace
        else insert.on_conflict_do_nothing(index_elements=["id"])
    )


def observed(session: Session, component: str, since: datetime) -> list[Observation]:
    statement = sa.select(Observation).where(Observation.component == component, Observation.hour >= since)
    return list(session.execute(statement.order_by(Observation.hour, Observation.id)).scalars())


def called_since(session: Session, since: datetime) -> list[str]:
    """Components with anything observed since then."""
    statement = sa.select(Observation.component).where(Observation.hour >= since).distinct()
    return list(session.execute(statement.order_by(Observation.component)).scalars())


def predictions(session: Session, ids: Sequence[str]) -> dict[str, Prediction]:
    rows = session.execute(sa.select(Prediction).where(Prediction.id.in_(ids))).scalars()
    return {row.id: row for row in rows}


def settled(session: Session, component: str, since: datetime, most: int) -> list[Prediction]:
    """Predictions whose actual value is known, the latest first."""
    statement = (
        sa.select(Prediction)
        .where(Prediction.component == component, Prediction.at >= since, Prediction.actual_at.is_not(None))
        .order_by(Prediction.at.desc(), Prediction.id)
        .limit(most)
    )
    return list(session.execute(statement).scalars())


def add_all(session: Session, rows: Iterable[Prediction]) -> None:
    session.add_all(rows)


def forget(session: Session, observations: datetime, predictions_before: datetime) -> None:
    session.execute(sa.delete(Observation).where(Observation.hour < observations))
    session.execute(sa.delete(Prediction).where(Prediction.at < predictions_before))
