"""Metadata that all of the gateway's tables share."""

from __future__ import annotations

from shared.database import common_tables, make_base

SERVICE = "gateway"

Base = make_base(SERVICE)
TABLES = common_tables(Base)
