"""The one repository through which business rows are read: public rows and the caller's own, never another's."""

from __future__ import annotations

from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from shared.errors import NotFound
from shared.identity import Principal

Row = TypeVar("Row")


class Scoped:
    """Queries of one caller in one transaction."""

    def __init__(self, session: Session, principal: Principal) -> None:
        self.session = session
        self.principal = principal

    def select(self, model: type[Row]) -> sa.Select[Any]:
        """`SELECT` of what this caller may see."""
        return sa.select(model).where(self._mine_or_public(model))

    def mine(self, model: type[Row]) -> sa.Select[Any]:
        """`SELECT` of what this caller owns; nothing for a caller without an identity."""
        owner = self.principal.owner
        column: Any = model.organisation  # type: ignore[attr-defined]
        return sa.select(model).where(column == owner if owner is not None else sa.false())

    def get(self, model: type[Row], row_id: str, kind: str) -> Row:
        """The row, or `NotFound`: another's row and no row are told apart by nothing."""
        return self._one(self.select(model), model, row_id, kind)

    def own(self, model: type[Row], row_id: str, kind: str) -> Row:
        """The caller's own row, to change it, or `NotFound`: a public row is nobody's to change by this door."""
        return self._one(self.mine(model), model, row_id, kind)

    def add(self, row: Any, *, after: int = 0) -> None:
        """Stores a new row. `after` is the last version this id had if it was deleted before, so that the index,
        which refuses older versions, takes the new one (`CommonTables.last_version`)."""
        self.session.add(row)
        self.session.flush()
        if after:
            model = type(row)
            self.session.execute(sa.update(model).where(model.id == row.id).values(version=after + 1))
            set_committed_value(row, "version", after + 1)

    def page(self, statement: sa.Select[Any], page: int, size: int) -> tuple[list[Any], int]:
        """Rows of one page, and how many there are in all."""
        rows = list(self.session.execute(statement.offset((page - 1) * size).limit(size)).scalars().all())
        if len(rows) < size and (rows or page == 1):
            # The last page says itself how many there are.
            return rows, (page - 1) * size + len(rows)
        total = self.session.execute(sa.select(sa.func.count()).select_from(statement.order_by(None).subquery()))
        return rows, int(total.scalar_one())

    def _one(self, statement: sa.Select[Any], model: type[Row], row_id: str, kind: str) -> Row:
        if "\x00" in row_id:
            # PostgreSQL takes no NUL in a text, and no row has one.
            raise NotFound(kind=kind, id=row_id.replace("\x00", "")[:120])
        key: Any = model.id  # type: ignore[attr-defined]
        found: Row | None = self.session.execute(statement.where(key == row_id)).scalar_one_or_none()
        if found is None:
            raise NotFound(kind=kind, id=row_id[:120])
        return found

    def _mine_or_public(self, model: type[Row]) -> sa.ColumnElement[bool]:
        column: Any = model.organisation  # type: ignore[attr-defined]
        owner = self.principal.owner
        public: sa.ColumnElement[bool] = column.is_(None)
        return public if owner is None else sa.or_(public, column == owner)
