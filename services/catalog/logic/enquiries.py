"""Enquiries: what a firm needs, kept for the one who wrote it."""

from __future__ import annotations

from typing import Any

from services.catalog.errors import NobodyToAnswer
from services.catalog.store import enquiries as store
from services.catalog.store.enquiries import KIND, Enquiry
from services.catalog.store.providers import Provider
from services.catalog.store.schema import TABLES
from services.catalog.store.solutions import Solution
from shared.database import Database, Scoped
from shared.errors import BadInput, NotFound
from shared.fields import new_id
from shared.identity import Principal

OPEN = "open"


def open_enquiry(database: Database, principal: Principal, content: dict[str, Any]) -> Enquiry:
    """Keeps an enquiry for the caller's organisation or guest. Raises `NobodyToAnswer` and `BadInput`.

    The index holds no enquiry, so nothing goes to the outbox; the audit line holds no contact.
    """
    if principal.owner is None:
        raise NobodyToAnswer()
    with database.write() as session:
        scoped = Scoped(session, principal)
        for field, model in (("solution", Solution), ("provider", Provider)):
            _check(scoped, field, model, content.get(field))
        row = Enquiry(id=new_id("catalog", KIND), organisation=principal.owner, state=OPEN, content=content)
        scoped.add(row)
        facts = {"solution": content.get("solution"), "provider": content.get("provider")}
        TABLES.record(session, principal, "open", KIND, row.id, version=row.version, content=content, facts=facts)
        return row


def own_enquiries(database: Database, principal: Principal, *, page: int, size: int) -> tuple[list[Enquiry], int]:
    """The caller's own enquiries, newest first."""
    with database.read() as session:
        return store.own_page(Scoped(session, principal), page, size)


def own_enquiry(database: Database, principal: Principal, enquiry_id: str) -> Enquiry:
    """Raises `NotFound` for another's as for none."""
    with database.read() as session:
        return Scoped(session, principal).own(Enquiry, enquiry_id, KIND)


def _check(scoped: Scoped, field: str, model: type[Any], row_id: str | None) -> None:
    if row_id is None:
        return
    try:
        scoped.get(model, row_id, field)
    except NotFound:
        raise BadInput(errors={field: [f"没有这一条 / no such {field}: {row_id[:120]}"]}) from None
