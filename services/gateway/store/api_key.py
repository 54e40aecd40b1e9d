"""API keys: the public id is the row's id, the secret is only there as its SHA-256."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from services.gateway.store.organisation import Organisation
from services.gateway.store.tables import Base
from shared.database import Owned, UtcDateTime


class ApiKey(Owned, Base):  # type: ignore[misc,valid-type]
    __tablename__ = "api_key"

    name: Mapped[str] = mapped_column(sa.String(100))
    digest: Mapped[str] = mapped_column(sa.String(64))
    role: Mapped[str] = mapped_column(sa.String(20))
    scopes: Mapped[list[str]] = mapped_column()
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    per_minute: Mapped[int | None] = mapped_column()
    monthly_quota: Mapped[int | None] = mapped_column()


def usable_keys(session: Session) -> list[ApiKey]:
    """Keys that are not revoked, of organisations that are not closed."""
    statement = (
        sa.select(ApiKey)
        .join(Organisation, Organisation.id == ApiKey.organisation)
        .where(ApiKey.revoked_at.is_(None), Organisation.active)
    )
    return list(session.execute(statement).scalars())


def fingerprint(session: Session) -> tuple[int, ...]:
    """Changes with every change of a key or an organisation: rows are never removed and versions only grow."""
    found: list[int] = []
    for model in (ApiKey, Organisation):
        row = session.execute(sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(model.version), 0))).one()
        found += [int(row[0]), int(row[1])]
    return tuple(found)


def admin_keys(session: Session) -> int:
    statement = sa.select(sa.func.count()).where(ApiKey.role == "admin", ApiKey.revoked_at.is_(None))
    return int(session.execute(statement).scalar_one())
