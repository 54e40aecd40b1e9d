"""Carries the outbox into the search index, in order, with row versions, so that replays and races are harmless.

Kill anything at any moment: a line is removed only after the index holds its version, and the index refuses older ones.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.database import CommonTables, Database
from shared.database.rows import utc_now
from shared.errors import Refused
from shared.search.port import Document, SearchIndex

log = logging.getLogger(__name__)

DocumentOf = Callable[[Session, str, str], Document | None]
"""`(session, kind, row_id)` -> the document as the row stands now, or None when the row is gone."""

BATCH = 50
"""The serving process writes small batches; more at once would hold the interpreter for too long."""


class Relay:
    def __init__(self, database: Database, tables: CommonTables, index: SearchIndex, document_of: DocumentOf) -> None:
        self._database, self._tables, self._index, self._document_of = database, tables, index, document_of
        self._stop = threading.Event()
        self._bell = threading.Event()
        self._thread: threading.Thread | None = None

    def drain(self, limit: int = BATCH) -> int:
        """Carries up to `limit` lines; how many. Raises what the index raises and keeps the lines then."""
        outbox = self._tables.outbox
        with self._database.read() as session:
            lines = session.execute(sa.select(outbox).order_by(outbox.c.seq).limit(limit)).mappings().all()
            latest = {(line["kind"], line["row_id"]): line for line in lines}
            documents: list[Document] = []
            gone: list[tuple[str, int]] = []
            for (kind, row_id), line in latest.items():
                document = None if line["deleted"] else self._document_of(session, kind, row_id)
                if document is None:
                    gone.append((row_id, line["version"]))
                else:
                    documents.append(document)
        if not lines:
            return 0
        if documents:
            self._index.put(documents)
        for row_id, version in gone:
            self._index.delete(row_id, version)
        with self._database.write() as session:
            session.execute(sa.delete(outbox).where(outbox.c.seq.in_([line["seq"] for line in lines])))
        return len(lines)

    def drain_all(self) -> int:
        carried = 0
        while True:
            now = self.drain()
            if now == 0:
                return carried
            carried += now

    def lag(self) -> str:
        """How much waits and for how long, for `/readyz`."""
        outbox = self._tables.outbox
        with self._database.read() as session:
            count, oldest = session.execute(sa.select(sa.func.count(), sa.func.min(outbox.c.at))).one()
        if not count:
            return "nothing waits"
        age = utc_now() - oldest if oldest else timedelta()
        return f"{count} lines wait, the oldest for {age.total_seconds():.0f} s"

    def ring(self) -> None:
        """Something was written: look now instead of at the next turn."""
        self._bell.set()

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=f"relay-{self._database.service}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._bell.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        pause = 1.0
        while not self._stop.is_set():
            self._bell.wait(pause)
            self._bell.clear()
            try:
                self.drain_all()
                pause = 1.0
            except Refused as refused:
                # The index or the database is away: the lines stay, and we look again, less often.
                pause = min(pause * 2, 15.0)
                log.warning("the relay of %s waits: %s", self._database.service, refused)
            except Exception:
                pause = min(pause * 2, 15.0)
                log.exception("the relay of %s failed; its lines stay", self._database.service)
