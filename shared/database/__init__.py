"""SQLAlchemy as all services use it: SQLite in WAL on one machine, a PostgreSQL schema per service on several.

A use case writes its rows, their revision, the audit line and the outbox line in one `Database.write()`.
"""

from shared.database.engine import Database, after_commit
from shared.database.first_tables import common_tables_0001
from shared.database.idempotency import Idempotency
from shared.database.roles import role_findings
from shared.database.rows import Owned, UtcDateTime, make_base, owned_columns, utc_now
from shared.database.scoped import Scoped
from shared.database.tables import CommonTables, common_tables

__all__ = [
    "CommonTables",
    "Database",
    "Idempotency",
    "Owned",
    "Scoped",
    "UtcDateTime",
    "after_commit",
    "common_tables",
    "common_tables_0001",
    "make_base",
    "owned_columns",
    "role_findings",
    "utc_now",
]
