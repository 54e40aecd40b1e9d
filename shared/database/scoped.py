"""The one repository through which business rows are read: public rows and the caller's own, never another's."""

from __future__ import annotations

from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.errors import NotFound
from shared.identity import Principal

Row = TypeVar("Row")


class Scoped:
    """Queries of one caller in one transaction."""

    def __init__(self, session: Session, principal: Principal) -> None:
        self.session = session
        self.principal = principal

    def select(self, model: type[Row]) -> sa.Select[tuple[Row]]:
        """`SELECT` of what this caller may see."""
        return sa.select(model).where(self._mine_or_public(model))

    def mine(self, model: type[Row]) -> sa.Select[tuple[Row]]:
        """`SELECT` of what this caller owns; nothing for a caller without an identity."""
        owner = self.principal.owner
        column: Any = model.organisation  # type: ignore[attr-defined]
        return sa.select(model).where(column == owner if owner is not None else sa.false())

    def get(self, model: type[Row], row_id: str, kind: str) -> Row:
        """The row, or `NotFound`: another's row and no row are told apart by nothing."""
        found = self.session.execute(self.select(model).where(model.id == row_id)).scalar_one_or_none()  # type: ignore[attr-defined]
        if found is None:
            raise NotFound(kind=kind, id=row_id[:120])
        return found

    def page(self, statement: sa.Select[tuple[Row]], page: int, size: int) -> tuple[list[Row], int]:
        """Rows of one page, and how many there are in all."""
        total = self.session.execute(sa.select(sa.func.count()).select_from(statement.order_by(None).subquery()))
        rows = self.session.execute(statement.offset((page - 1) * size).limit(size)).scalars().all()
        return list(rows), int(total.scalar_one())

    def _mine_or_public(self, model: type[Row]) -> sa.ColumnElement[bool]:
        column: Any = model.organisation  # type: ignore[attr-defined]
        owner = self.principal.owner
        public: sa.ColumnElement[bool] = column.is_(None)
        return public if owner is None else sa.or_(public, column == owner)
