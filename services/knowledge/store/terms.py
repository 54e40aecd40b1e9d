"""Terms as rows, so that the index is fed from them like from any other row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from services.knowledge.store.articles import industries_meant
from services.knowledge.store.schema import Base
from services.knowledge.store.tags import tagged, tags_of
from shared.database import Owned, Scoped

KIND = "term"
FILTERS = ("category", "industry")


class Term(Owned, Base):  # type: ignore[misc,valid-type]
    __tablename__ = "term"

    zh: Mapped[str] = mapped_column(sa.String(80), index=True)
    content: Mapped[dict[str, Any]]
    fingerprint: Mapped[str] = mapped_column(sa.String(64))
    tags: Mapped[str] = mapped_column(sa.Text)

    def take(self, content: dict[str, Any], fingerprint: str) -> None:
        self.zh = content["zh"]
        self.content = content
        self.fingerprint = fingerprint
        self.tags = tags_of({"category": [content["category"]], "industry": industries_meant(content["industries"])})


def page(scoped: Scoped, filters: Mapping[str, str], number: int, size: int) -> tuple[list[Term], int]:
    statement = scoped.select(Term)
    for name, value in filters.items():
        statement = statement.where(tagged(Term.tags, name, value))
    return scoped.page(statement.order_by(Term.id), number, size)


def by_name(scoped: Scoped, zh: str) -> Term | None:
    found: Term | None = scoped.session.execute(scoped.select(Term).where(Term.zh == zh).limit(1)).scalar_one_or_none()
    return found


def of_content(session: Session) -> dict[str, Term]:
    rows = session.execute(sa.select(Term).where(Term.organisation.is_(None))).scalars()
    return {row.id: row for row in rows}
