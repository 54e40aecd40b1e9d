"""Providers as rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.catalog.store.schema import Base
from services.catalog.store.tags import tagged, tags_of
from shared.database import Owned, Scoped

KIND = "provider"
FILTERS = ("industry", "direction", "solution")


class Provider(Owned, Base):  # type: ignore[misc,valid-type]
    __tablename__ = "provider"

    name: Mapped[str] = mapped_column(sa.String(120))
    content: Mapped[dict[str, Any]]
    tags: Mapped[str] = mapped_column(sa.Text)

    def take(self, content: dict[str, Any]) -> None:
        self.name = content["name"]
        self.content = content
        self.tags = tags_of(
            {"industry": content["industries"], "direction": content["directions"], "solution": content["solutions"]}
        )


def page(scoped: Scoped, filters: Mapping[str, str], number: int, size: int) -> tuple[list[Provider], int]:
    statement = scoped.select(Provider)
    for name, value in filters.items():
        statement = statement.where(tagged(Provider.tags, name, value))
    return scoped.page(statement.order_by(Provider.name, Provider.id), number, size)
