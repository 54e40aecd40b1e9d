"""What the knowledge service's views work with, typed."""

from __future__ import annotations

from shared.database import Database
from shared.http.service_app import context


def database() -> Database:
    found: Database = context().parts["database"]
    return found
