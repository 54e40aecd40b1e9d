"""What happened, written in the same transaction as the rows, for the relay to carry to the search index."""

from __future__ import annotations

from sqlalchemy.orm import Session

from shared.database.rows import utc_now
from shared.database.tables import CommonTables


def put(session: Session, tables: CommonTables, kind: str, row_id: str, version: int, *, deleted: bool = False) -> None:
    """Announces that row `row_id` of `kind` now stands at `version`, or is gone."""
    session.execute(
        tables.outbox.insert().values(kind=kind, row_id=row_id, version=version, deleted=deleted, at=utc_now())
    )
