"""SQLAlchemy as all services use it: SQLite in WAL on one machine, a PostgreSQL schema per service on several.

A use case writes its rows, their revision, the audit line and the outbox line in one `Database.write()`.
"""

from shared.database.engine import Database
from shared.database.rows import Owned, UtcDateTime, make_base
from shared.database.scoped import Scoped
from shared.database.tables import CommonTables, common_tables

__all__ = ["CommonTables", "Database", "Owned", "Scoped", "UtcDateTime", "common_tables", "make_base"]
