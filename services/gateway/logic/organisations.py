"""Organisations and the people in them."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from services.gateway.store.organisation import Organisation, User, visible
from services.gateway.store.tables import SERVICE, TABLES
from shared.database import Database, Scoped
from shared.errors import Conflict, Forbidden, NotFound
from shared.fields import new_id
from shared.identity import Principal

Check = Callable[[str, int], None]
"""Refuses a change whose `If-Match` does not name this version of this row."""


def make_organisation(database: Database, principal: Principal, *, name: str, role: str) -> Organisation:
    """A new organisation; for the operator only."""
    _operator_only(principal)
    with database.write() as session:
        row = Organisation(id=new_id(SERVICE, "org"), name=name, role=role, active=True)
        row.organisation = row.id
        Scoped(session, principal).add(row)
        _record(session, principal, "make", row)
    return row


def list_organisations(
    database: Database, principal: Principal, page: int, size: int
) -> tuple[list[Organisation], int]:
    with database.read() as session:
        statement = visible(session, principal, Organisation).order_by(Organisation.created_at, Organisation.id)
        return Scoped(session, principal).page(statement, page, size)


def read_organisation(database: Database, principal: Principal, organisation: str) -> Organisation:
    with database.read() as session:
        return _mine(session, principal, organisation)


def change_organisation(
    database: Database,
    principal: Principal,
    organisation: str,
    check: Check,
    *,
    name: str | None = None,
    active: bool | None = None,
) -> Organisation:
    """Renames it, or closes and reopens it: all keys of a closed organisation are refused. For the operator only."""
    _operator_only(principal)
    with database.write() as session:
        row = _mine(session, principal, organisation)
        check(row.id, row.version)
        if active is False and row.id == principal.organisation:
            raise Conflict(kind="organisation", id=row.id, reason="不能停用自己 / cannot close your own")
        if name is not None:
            row.name = name
        if active is not None:
            row.active = active
        session.flush()
        _record(session, principal, "change", row)
    return row


def make_user(
    database: Database,
    principal: Principal,
    *,
    name: str,
    email: str | None = None,
    organisation: str | None = None,
) -> User:
    """A person of the caller's organisation; the operator may name another."""
    wanted = organisation or principal.organisation or ""
    with database.write() as session:
        owner = _mine(session, principal, wanted)
        row = User(id=new_id(SERVICE, "user"), organisation=owner.id, name=name, email=email, role=owner.role)
        Scoped(session, principal).add(row)
        TABLES.record(session, principal, "make", "user", row.id, facts={"organisation": owner.id})
    return row


def list_users(database: Database, principal: Principal, page: int, size: int) -> tuple[list[User], int]:
    with database.read() as session:
        statement = visible(session, principal, User).order_by(User.created_at, User.id)
        return Scoped(session, principal).page(statement, page, size)


def _mine(session: Session, principal: Principal, organisation: str) -> Organisation:
    statement = visible(session, principal, Organisation).where(Organisation.id == organisation)
    row = session.execute(statement).scalar_one_or_none()
    if not isinstance(row, Organisation):
        raise NotFound(kind="organisation", id=organisation[:120])
    return row


def _operator_only(principal: Principal) -> None:
    if principal.role != "admin":
        raise Forbidden(needed="role admin")


def _record(session: Session, principal: Principal, action: str, row: Organisation) -> None:
    content = {"name": row.name, "role": row.role, "active": row.active}
    TABLES.record(session, principal, action, "organisation", row.id, version=row.version, content=content)
