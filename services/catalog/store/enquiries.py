"""Enquiries as rows: always owned, never public."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.catalog.store.schema import Base
from shared.database import Owned, Scoped

KIND = "enquiry"


class Enquiry(Owned, Base):  # type: ignore[misc,valid-type]
    __tablename__ = "enquiry"

    state: Mapped[str] = mapped_column(sa.String(20))
    content: Mapped[dict[str, Any]]


def own_page(scoped: Scoped, number: int, size: int) -> tuple[list[Enquiry], int]:
    statement = scoped.mine(Enquiry).order_by(Enquiry.created_at.desc(), Enquiry.id)
    return scoped.page(statement, number, size)
