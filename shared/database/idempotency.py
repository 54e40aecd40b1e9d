"""Requests that may be sent again: one effect, and the same answer, under one key of one owner.

The key, the effect and the answer are committed in one transaction (`Database.together`). So there is no moment at
which a crash leaves an effect without its answer, and a client that saw an error at the commit learns by asking again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from shared.database.engine import Database
from shared.database.rows import utc_now
from shared.database.tables import CommonTables
from shared.errors import Busy, IdempotencyInProgress, IdempotencyMismatch

KEPT = timedelta(hours=24)


@dataclass(frozen=True)
class KeptAnswer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    replayed: bool = False


class Idempotency:
    def __init__(self, database: Database, tables: CommonTables) -> None:
        self._database, self._table = database, tables.idempotency

    def once(
        self, owner: str, key: str, request_hash: str, act: Callable[[], KeptAnswer], now: datetime | None = None
    ) -> KeptAnswer:
        """What `act` answers, or what it answered before. What it raises undoes everything and is not kept.

        Raises `IdempotencyMismatch` when the key was used for another request, `IdempotencyInProgress` when the same
        request is at work and does not end in time.
        """
        taken = False
        try:
            with self._database.together() as session:
                kept = self._take(session, owner, key, request_hash, now or utc_now())
                if kept is not None:
                    return kept
                taken = True
                answer = act()
                session.execute(
                    sa.update(self._table)
                    .where(self._table.c.owner == owner, self._table.c.key == key)
                    .values(status=answer.status, headers=dict(answer.headers), body=answer.body)
                )
                return answer
        except Busy as busy:
            if taken:
                raise
            # The second of two equal requests waits for the first, and the first takes too long.
            raise IdempotencyInProgress(key=key) from busy

    def _take(self, session: Session, owner: str, key: str, request_hash: str, now: datetime) -> KeptAnswer | None:
        """None when the key is ours now; else the answer that was kept under it."""
        table = self._table
        mine = sa.and_(table.c.owner == owner, table.c.key == key)
        session.execute(sa.delete(table).where(mine, table.c.at < now - KEPT))
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        entry = insert(table).values(owner=owner, key=key, request_hash=request_hash, at=now)
        if session.execute(entry.on_conflict_do_nothing().returning(table.c.key)).first() is not None:
            return None
        row = session.execute(sa.select(table).where(mine)).mappings().one()
        if row["request_hash"] != request_hash:
            raise IdempotencyMismatch(key=key)
        return KeptAnswer(row["status"], row["headers"], bytes(row["body"]), replayed=True)

    def prune(self, now: datetime | None = None) -> int:
        """Forgets answers older than a day; how many."""
        old = self._table.c.at < (now or utc_now()) - KEPT
        with self._database.write() as session:
            return int(session.execute(sa.delete(self._table).where(old)).rowcount)  # type: ignore[attr-defined]
