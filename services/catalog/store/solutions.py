"""Solutions as rows: the reviewed content of one file each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from services.catalog.store.schema import Base
from services.catalog.store.tags import tagged, tags_of
from shared.database import Owned, Scoped

KIND = "solution"
FILTERS = ("industry", "direction", "component")
ORDERS = ("id", "recent")


class Solution(Owned, Base):  # type: ignore[misc,valid-type]
    __tablename__ = "solution"

    content: Mapped[dict[str, Any]]
    fingerprint: Mapped[str] = mapped_column(sa.String(64))
    tags: Mapped[str] = mapped_column(sa.Text)
    last_confirmed: Mapped[str] = mapped_column(sa.String(10))

    def take(self, content: dict[str, Any], fingerprint: str) -> None:
        self.content = content
        self.fingerprint = fingerprint
        self.last_confirmed = content["last_confirmed"]
        self.tags = tags_of(
            {
                "industry": content["industries"],
                "direction": content["directions"],
                "component": content["components"],
            }
        )


def page(scoped: Scoped, filters: Mapping[str, str], order: str, number: int, size: int) -> tuple[list[Solution], int]:
    statement = scoped.select(Solution)
    for name, value in filters.items():
        statement = statement.where(tagged(Solution.tags, name, value))
    ordering = (Solution.last_confirmed.desc(), Solution.id) if order == "recent" else (Solution.id,)
    return scoped.page(statement.order_by(*ordering), number, size)


def of_content(session: Session) -> dict[str, Solution]:
    """All public solutions by id."""
    rows = session.execute(sa.select(Solution).where(Solution.organisation.is_(None))).scalars()
    return {row.id: row for row in rows}


def known_ids(scoped: Scoped, ids: list[str]) -> set[str]:
    """Those of `ids` that this caller can see."""
    statement = scoped.select(Solution).where(Solution.id.in_(ids)).with_only_columns(Solution.id)
    return set(scoped.session.execute(statement).scalars())
