"""What the catalog's views work with, typed."""

from __future__ import annotations

from shared.database import Database
from shared.http.service_app import context
from shared.relay import Relay


def database() -> Database:
    found: Database = context().parts["database"]
    return found


def ring() -> None:
    """Tells the relay that something was written."""
    relay: Relay | None = context().parts.get("relay")
    if relay is not None:
        relay.ring()
