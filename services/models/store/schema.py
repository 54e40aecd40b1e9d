"""The library's tables share this metadata."""

from __future__ import annotations

from pathlib import Path

from shared.database import common_tables, make_base

SERVICE = "models"
MIGRATIONS = Path(__file__).parents[1] / "migrations"

Base = make_base(SERVICE)
TABLES = common_tables(Base)
