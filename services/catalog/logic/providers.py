"""Providers: entered by administrators from facts with a source. None is shipped, so the list may be empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.catalog.store import providers as store
from services.catalog.store.providers import KIND, Provider
from services.catalog.store.schema import TABLES
from services.catalog.store.solutions import known_ids
from shared import outbox
from shared.database import Database, Scoped
from shared.errors import BadInput, Forbidden
from shared.fields import new_id
from shared.identity import Principal


def providers_for(
    database: Database, principal: Principal, *, filters: Mapping[str, str], page: int, size: int
) -> tuple[list[Provider], int]:
    """One page of the providers, by name, and how many there are."""
    with database.read() as session:
        return store.page(Scoped(session, principal), filters, page, size)


def provider(database: Database, principal: Principal, provider_id: str) -> Provider:
    """Raises `NotFound`."""
    with database.read() as session:
        return Scoped(session, principal).get(Provider, provider_id, KIND)


def add_provider(database: Database, principal: Principal, content: dict[str, Any]) -> Provider:
    """Enters a provider for everyone to see. Raises `Forbidden` and `BadInput`."""
    _only_admins(principal)
    with database.write() as session:
        scoped = Scoped(session, principal)
        _check_solutions(scoped, content["solutions"])
        row = Provider(id=new_id("catalog", "provider"), organisation=None)
        row.take(content)
        scoped.add(row)
        TABLES.record(session, principal, "add", KIND, row.id, version=row.version, content=content)
        outbox.put(session, TABLES, KIND, row.id, row.version)
        return row


def change_provider(database: Database, principal: Principal, row: Provider, content: dict[str, Any]) -> Provider:
    """Replaces what is said about a provider that was read as `row`; a change made meanwhile raises `Conflict`."""
    _only_admins(principal)
    with database.write() as session:
        _check_solutions(Scoped(session, principal), content["solutions"])
        merged = session.merge(row)
        merged.take(content)
        session.flush()
        TABLES.record(session, principal, "change", KIND, merged.id, version=merged.version, content=content)
        outbox.put(session, TABLES, KIND, merged.id, merged.version)
        return merged


def _only_admins(principal: Principal) -> None:
    if principal.role != "admin":
        raise Forbidden(needed="role admin")


def _check_solutions(scoped: Scoped, ids: list[str]) -> None:
    unknown = sorted(set(ids) - known_ids(scoped, ids))
    if unknown:
        raise BadInput(errors={"solutions": [f"没有这些方案 / no such solutions: {', '.join(unknown)[:200]}"]})
