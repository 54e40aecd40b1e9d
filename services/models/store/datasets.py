"""Datasets as rows; their bytes are blobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from services.models.store.schema import Base
from shared.database import Owned, Scoped

KIND = "dataset"
READING, READY, FAILED = "reading", "ready", "failed"
STATES = (READING, READY, FAILED)
GUEST_PREFIX = "gst-"


class Dataset(Owned, Base):  # type: ignore[misc,valid-type]
    """One uploaded file. `organisation` is never null: a dataset belongs to an organisation or a guest."""

    __tablename__ = "dataset"

    name: Mapped[str] = mapped_column(sa.String(200))
    size: Mapped[int] = mapped_column(sa.BigInteger)
    sha256: Mapped[str] = mapped_column(sa.String(64), index=True)
    """Of the file; its blob."""
    sheet: Mapped[str] = mapped_column(sa.String(80), default="")
    state: Mapped[str] = mapped_column(sa.String(20))
    job: Mapped[str] = mapped_column(sa.String(60), default="")
    """That reads it."""
    format: Mapped[str] = mapped_column(sa.String(10), default="")
    table: Mapped[str] = mapped_column(sa.String(64), default="", index=True)
    """Blob of the table that was read."""
    results: Mapped[list[str]] = mapped_column(default=list)
    """Blobs of predictions made for its rows; they go with it."""
    profile: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    problem: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    """Why it could not be read, in each language."""

    @property
    def of_guest(self) -> bool:
        return (self.organisation or "").startswith(GUEST_PREFIX)


def page(scoped: Scoped, number: int, size: int) -> tuple[list[Dataset], int]:
    """The caller's own, newest first."""
    return scoped.page(scoped.mine(Dataset).order_by(Dataset.created_at.desc(), Dataset.id), number, size)


def count(scoped: Scoped) -> int:
    statement = sa.select(sa.func.count()).select_from(scoped.mine(Dataset).subquery())
    return int(scoped.session.execute(statement).scalar_one())


def expired(session: Session, before: datetime) -> list[Dataset]:
    """Guests' datasets from before a moment."""
    old = sa.and_(Dataset.organisation.startswith(GUEST_PREFIX, autoescape=True), Dataset.created_at < before)
    return list(session.execute(sa.select(Dataset).where(old).limit(500)).scalars())


def uses(session: Session, digest: str) -> bool:
    """Whether any dataset still needs the blob: equal files of two owners are one."""
    needs = sa.or_(Dataset.sha256 == digest, Dataset.table == digest)
    return session.execute(sa.select(Dataset.id).where(needs).limit(1)).first() is not None
