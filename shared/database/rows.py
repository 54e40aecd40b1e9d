"""What every row carries from the first migration on, because adding it later is costly."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware moment in UTC on both engines; SQLite stores it without its zone, so it is put back."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def utc_now() -> datetime:
    return datetime.now(UTC)


def make_base(service: str) -> type[DeclarativeBase]:
    """A declarative base with metadata of its own. Tables name no schema: the connection's search path does."""

    class Base(DeclarativeBase):
        metadata = sa.MetaData(naming_convention=NAMING)
        type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it so
            dict[str, Any]: sa.JSON(none_as_null=True),
            list[Any]: sa.JSON(none_as_null=True),
            list[str]: sa.JSON(none_as_null=True),
            datetime: UtcDateTime(),
        }

    Base.__name__ = f"{service.title()}Base"
    return Base


class Owned:
    """Mixed into every table of business rows.

    `version` counts by itself with every change that is flushed; a change of a row that somebody else changed
    meanwhile is refused as a `Conflict` instead of overwriting it.
    """

    id: Mapped[str] = mapped_column(sa.String(120), primary_key=True)
    organisation: Mapped[str | None] = mapped_column(sa.String(80), index=True)
    """Who owns the row; null means public."""
    version: Mapped[int] = mapped_column(sa.BigInteger, nullable=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime(), default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime(), default=utc_now, onupdate=utc_now)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - SQLAlchemy calls it with the class
        return {"version_id_col": cls.version}


def owned_columns() -> list[sa.Column[Any]]:
    """The columns of `Owned` for a migration."""
    return [
        sa.Column("id", sa.String(120), primary_key=True),
        sa.Column("organisation", sa.String(80), nullable=True, index=True),
        sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
    ]
