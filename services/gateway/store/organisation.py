"""Organisations and the people in them. An organisation's row belongs to itself, so that only it may read it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from services.gateway.store.tables import Base
from shared.database import Owned, Scoped
from shared.identity import Principal

PLATFORM = "platform"
"""The organisation of whoever runs the platform."""


class Organisation(Owned, Base):  # type: ignore[misc,valid-type]
    __tablename__ = "organisation"

    name: Mapped[str] = mapped_column(sa.String(200))
    role: Mapped[str] = mapped_column(sa.String(20))
    active: Mapped[bool] = mapped_column(default=True)


class User(Owned, Base):  # type: ignore[misc,valid-type]
    __tablename__ = "user_account"

    name: Mapped[str] = mapped_column(sa.String(100))
    email: Mapped[str | None] = mapped_column(sa.String(200))
    role: Mapped[str] = mapped_column(sa.String(20))


def visible(session: Session, principal: Principal, model: type) -> sa.Select[tuple[object]]:
    """What this caller may list: everything for the operator, its own for everybody else."""
    if principal.role == "admin":
        return sa.select(model)
    return Scoped(session, principal).mine(model)
