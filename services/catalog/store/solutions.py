"""Solutions as rows: the reviewed content of one file each."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, defer, mapped_column, undefer

from services.catalog.store.schema import Base
from services.catalog.store.tags import tagged, tags_of
from shared.database import Owned, Scoped

KIND = "solution"
FILTERS = ("industry", "direction", "component", "scale", "step")
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
                "scale": [content["scale"]] if "scale" in content else [],
                "step": content.get("steps", []),
                "chain_step": [f"{content['industries'][0]}.{step}" for step in content.get("steps", [])],
            }
        )


def page(
    scoped: Scoped, filters: Mapping[str, str], order: str, number: int, size: int, known: Container[str]
) -> tuple[list[Solution], int]:
    """Without the content of those whose fingerprint is `known`."""
    statement = scoped.select(Solution).options(defer(Solution.content, raiseload=True))
    for name, value in filters.items():
        if name == "step" and "industry" in filters:
            # Two chains may call a step the same; an entry's steps are those of its main industry.
            name, value = "chain_step", f"{filters['industry']}.{value}"
        statement = statement.where(tagged(Solution.tags, name, value))
    ordering = (Solution.last_confirmed.desc(), Solution.id) if order == "recent" else (Solution.id,)
    rows, total = scoped.page(statement.order_by(*ordering), number, size)
    unknown = [row.id for row in rows if row.fingerprint not in known]
    if unknown:
        whole = scoped.select(Solution).where(Solution.id.in_(unknown)).options(undefer(Solution.content))
        scoped.session.execute(whole.execution_options(populate_existing=True)).all()
    return rows, total


def of_content(session: Session) -> dict[str, Solution]:
    """All public solutions by id."""
    rows = session.execute(sa.select(Solution).where(Solution.organisation.is_(None))).scalars()
    return {row.id: row for row in rows}


def titles(scoped: Scoped, ids: list[str]) -> dict[str, Mapping[str, str]]:
    """Titles of those of `ids` that this caller can see."""
    statement = scoped.select(Solution).where(Solution.id.in_(ids)).with_only_columns(Solution.id, Solution.content)
    return {solution_id: content["title"] for solution_id, content in scoped.session.execute(statement)}


def known_ids(scoped: Scoped, ids: list[str]) -> set[str]:
    """Those of `ids` that this caller can see."""
    statement = scoped.select(Solution).where(Solution.id.in_(ids)).with_only_columns(Solution.id)
    return set(scoped.session.execute(statement).scalars())
