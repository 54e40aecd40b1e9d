"""What a starter pack names, as its reader may see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.catalog.store import solutions as store
from shared.database import Database, Scoped
from shared.identity import Principal


def titles(database: Database, principal: Principal, pack: Mapping[str, Any]) -> dict[str, Mapping[str, str]]:
    """Titles of the pack's solutions that the caller may see, by id."""
    with database.read() as session:
        return store.titles(Scoped(session, principal), [measure["solution"] for measure in pack["measures"]])
