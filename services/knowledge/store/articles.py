"""Articles as rows: the front matter and the Markdown of one file each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, defer, mapped_column

from services.knowledge.store.schema import Base
from services.knowledge.store.tags import tagged, tags_of
from shared.database import Owned, Scoped
from shared.fields import INDUSTRIES

KIND = "article"
FILTERS = ("kind", "industry", "direction", "component", "step", "id")
ORDERS = ("id", "recent")
ALL = "all"


class Article(Owned, Base):  # type: ignore[misc,valid-type]
    __tablename__ = "article"

    content: Mapped[dict[str, Any]]
    text: Mapped[str] = mapped_column(sa.Text)
    fingerprint: Mapped[str] = mapped_column(sa.String(64))
    tags: Mapped[str] = mapped_column(sa.Text)
    last_confirmed: Mapped[str] = mapped_column(sa.String(10))

    def take(self, content: dict[str, Any], text: str, fingerprint: str) -> None:
        self.content = content
        self.text = text
        self.fingerprint = fingerprint
        self.last_confirmed = content["last_confirmed"]
        self.tags = tags_of(
            {
                "kind": [content["kind"]],
                "industry": industries_meant(content["industries"]),
                "written_for": content["industries"],
                "direction": content["directions"],
                "component": content["components"],
                "step": content.get("steps", []),
                "chain_step": [f"{content['industries'][0]}.{step}" for step in content.get("steps", [])],
            }
        )


def industries_meant(industries: list[str]) -> list[str]:
    """`all` stands for each of them, so that a filter by industry finds what is true everywhere."""
    return list(INDUSTRIES) if ALL in industries else industries


def page(scoped: Scoped, filters: Mapping[str, str], order: str, number: int, size: int) -> tuple[list[Article], int]:
    """Without their texts, which no list shows."""
    statement = scoped.select(Article).options(defer(Article.text, raiseload=True))
    for name, value in filters.items():
        if name == "id":
            statement = statement.where(Article.id.in_(value.split(",")))
            continue
        if name == "step" and "industry" in filters:
            # Two chains may call a step the same; an entry's steps are those of its main industry.
            name, value = "chain_step", f"{filters['industry']}.{value}"
        statement = statement.where(tagged(Article.tags, name, value))
    ordering = (Article.last_confirmed.desc(), Article.id) if order == "recent" else (Article.id,)
    return scoped.page(statement.order_by(*ordering), number, size)


def of_industry(scoped: Scoped, industry: str) -> list[Article]:
    """The articles written for an industry; without their texts, and without what holds for all."""
    statement = scoped.select(Article).where(tagged(Article.tags, "written_for", industry)).order_by(Article.id)
    return list(scoped.session.execute(statement.options(defer(Article.text, raiseload=True))).scalars())


def of_content(session: Session) -> dict[str, Article]:
    """All public articles by id."""
    rows = session.execute(sa.select(Article).where(Article.organisation.is_(None))).scalars()
    return {row.id: row for row in rows}


def titles(scoped: Scoped, ids: list[str]) -> dict[str, Mapping[str, str]]:
    """Titles of those of `ids` that this caller can see."""
    if not ids:
        return {}
    statement = scoped.select(Article).where(Article.id.in_(ids)).with_only_columns(Article.id, Article.content)
    return {article_id: content["title"] for article_id, content in scoped.session.execute(statement)}
