"""Components and their releases as rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from services.models.store.schema import Base
from shared.database import Owned, Scoped

KIND = "component"
RELEASE_KIND = "release"
FILTERS = ("industry", "direction", "kind")
LISTED = ("published", "deprecated")
SHOWN = (*LISTED, "quarantined", "retired")
"""Stages in which a component has a page; a draft has one for its owner."""


class Component(Owned, Base):  # type: ignore[misc,valid-type]
    """One component; `id` is its name."""

    __tablename__ = "component"

    kind: Mapped[str] = mapped_column(sa.String(10))
    stage: Mapped[str] = mapped_column(sa.String(20))
    stable: Mapped[str] = mapped_column(sa.String(40))
    content: Mapped[dict[str, Any]]
    fingerprint: Mapped[str] = mapped_column(sa.String(64))
    lifecycle: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    """What goes with the stage (reason, since, sunset, replaced_by) and the candidate's share of calls."""


class Release(Owned, Base):  # type: ignore[misc,valid-type]
    """One release, never changed after it was published; `id` is `name@version`."""

    __tablename__ = "release"

    component: Mapped[str] = mapped_column(sa.String(80), index=True)
    release: Mapped[str] = mapped_column(sa.String(40))
    content: Mapped[dict[str, Any]]
    fingerprint: Mapped[str] = mapped_column(sa.String(64))


def page(scoped: Scoped, filters: Mapping[str, str], number: int, size: int) -> tuple[list[Component], int]:
    """Few components and two JSON lists: they are filtered here rather than by each engine's own JSON operators."""
    statement = scoped.select(Component).order_by(Component.id)
    if "kind" in filters:
        statement = statement.where(Component.kind == filters["kind"])
    rows = [
        row
        for row in scoped.session.execute(statement).scalars()
        if row.stage in LISTED
        and filters.get("industry") in (None, *row.content["industries"])
        and filters.get("direction") in (None, *row.content["directions"])
    ]
    return rows[(number - 1) * size : number * size], len(rows)


def with_stable(scoped: Scoped, name: str) -> tuple[Component, Release | None] | None:
    """The component and its stable release in one query, as far as this caller may see them."""
    if "\x00" in name:
        # PostgreSQL takes no NUL in a text, and no row has one.
        return None
    may_see: Any = scoped.select(Release).whereclause
    its_release = sa.and_(Release.id == Component.id + "@" + Component.stable, may_see)
    statement = scoped.select(Component).add_columns(Release).outerjoin(Release, its_release)
    found = scoped.session.execute(statement.where(Component.id == name)).one_or_none()
    return None if found is None else (found[0], found[1])


def shipped(session: Session) -> dict[str, Component]:
    rows = session.execute(sa.select(Component).where(Component.organisation.is_(None))).scalars()
    return {row.id: row for row in rows}


def releases_of(scoped: Scoped, name: str) -> list[Release]:
    statement = scoped.select(Release).where(Release.component == name).order_by(Release.created_at, Release.id)
    return list(scoped.session.execute(statement).scalars())


def every_release_of(session: Session, name: str) -> list[Release]:
    """Whoever owns it, for writing the folders that the runner reads."""
    statement = sa.select(Release).where(Release.component == name).order_by(Release.created_at, Release.id)
    return list(session.execute(statement).scalars())


def release_id(name: str, version: str) -> str:
    return f"{name}@{version}"
