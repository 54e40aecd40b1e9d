"""Carries the outbox into the search index, in order, with row versions, so that replays and races are harmless.

Kill anything at any moment: a line is removed only after the index holds its version, and the index refuses older ones.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.database import CommonTables, Database
from shared.database.rows import utc_now
from shared.errors import Busy, Refused
from shared.search.port import Document, SearchIndex

log = logging.getLogger(__name__)

Documents = Callable[[Session], Iterable[Document]]
"""`(session)` -> the documents of all rows, for building the index anew."""
DocumentOf = Callable[[Session, str, str], Document | None]
"""`(session, kind, row_id)` -> the document as the row stands now, or None when the row is gone."""

BATCH = 50
"""What is carried at once while the relay keeps up."""
BEHIND_BATCH = 200
"""What is carried at once after a full batch: each costs a commit, and eight commits a merge."""
GATHER_S = 0.5
"""After a batch that was not full the relay lets writes gather for so long, so that each does not cost a commit."""
LOOK_EVERY_S = 1.0
LONGEST_PAUSE_S = 5.0
SAY_EVERY_S = 60.0
"""An outage is logged when it begins and then so often."""
_LOCK = "relay"


@dataclass
class _Batch:
    lines: list[int] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    gone: list[tuple[str, int]] = field(default_factory=list)


class Relay:
    """One service's outbox. Over all processes one relay works at a time; the others find nothing to do.

    With `documents` a running relay also mends: an index that was lost, that single writes began, or that was built by
    another analysis is built anew from the rows, while searches go on.
    """

    def __init__(
        self,
        database: Database,
        tables: CommonTables,
        index: SearchIndex,
        document_of: DocumentOf,
        documents: Documents | None = None,
    ) -> None:
        self._database, self._outbox, self._index, self._document_of = database, tables.outbox, index, document_of
        self._documents = documents
        self._stop = threading.Event()
        self._bell = threading.Event()
        self._thread: threading.Thread | None = None
        self._stuck: set[int] = set()

    def drain(self, limit: int = BATCH) -> int:
        """Carries up to `limit` lines; how many. Raises what the index raises and keeps the lines then.

        A row whose document cannot be made holds up no other row: its lines stay, are logged, and are tried again
        when the relay starts anew.
        """
        with self._database.only_one(_LOCK) as alone:
            if not alone:
                return 0
            batch = self._read(limit)
            if batch.documents:
                self._index.put(batch.documents)
            if batch.gone:
                self._index.delete(batch.gone)
            if batch.lines:
                with self._database.write() as session:
                    session.execute(sa.delete(self._outbox).where(self._outbox.c.seq.in_(batch.lines)))
        return len(batch.lines)

    def drain_all(self) -> int:
        """Carries everything that waits; how many lines."""
        return sum(carried for carried, _ in self._batches())

    def all_documents(self, session: Session) -> Iterable[Document]:
        """The documents of all rows; none when the relay was not told how to make them."""
        return () if self._documents is None else self._documents(session)

    def mend(self) -> bool:
        """Builds the index anew if it is not whole and nobody else is at it; whether it did. Raises as the index does."""
        if self._documents is None or self._index.is_current():
            return False
        with self._database.only_one(_LOCK) as alone:
            if not alone or self._index.is_current():
                return False
            with self._database.read(patient=True) as session:
                count = self._index.rebuild(self._documents(session))
        log.warning("the search index of %s was not whole and was built anew: %s", self._database.service, count)
        return True

    def rebuild(self, documents: Documents, wait_s: float = 60.0) -> int:
        """Builds the index anew from the rows; how many documents it holds. Searches answer throughout.

        The relay pauses meanwhile, so that what is written during the rebuild goes into the new index. Raises `Busy`
        when another process relays or rebuilds for longer than `wait_s`.
        """
        with self._alone(wait_s), self._database.read(patient=True) as session:
            return self._index.rebuild(documents(session))

    def lag(self) -> str:
        """How much waits and for how long, for `/readyz`."""
        count, seconds = self.waiting()
        return f"{count} lines wait, the oldest for {seconds:.0f} s" if count else "nothing waits"

    def waiting(self) -> tuple[int, float]:
        """How many lines wait, and the oldest of them for how many seconds."""
        with self._database.read() as session:
            count, oldest = session.execute(sa.select(sa.func.count(), sa.func.min(self._outbox.c.at))).one()
        return count, (utc_now() - oldest).total_seconds() if oldest else 0.0

    def ring(self) -> None:
        """Something was written: look now instead of at the next turn."""
        self._bell.set()

    def start(self) -> None:
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name=f"relay-{self._database.service}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._bell.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
            self._thread = None

    def _read(self, limit: int) -> _Batch:
        batch = _Batch()
        with self._database.read() as session:
            chosen = sa.select(self._outbox).order_by(self._outbox.c.seq).limit(limit)
            if self._stuck:
                chosen = chosen.where(self._outbox.c.seq.not_in(self._stuck))
            by_row: dict[tuple[str, str], list[Any]] = {}
            for line in session.execute(chosen).mappings():
                by_row.setdefault((line["kind"], line["row_id"]), []).append(line)
            for (kind, row_id), lines in by_row.items():
                self._add(batch, session, kind, row_id, lines)
        return batch

    def _add(self, batch: _Batch, session: Session, kind: str, row_id: str, lines: Sequence[Any]) -> None:
        newest = lines[-1]
        try:
            document = None if newest["deleted"] else self._document_of(session, kind, row_id)
        except (Refused, sa.exc.DBAPIError):
            raise
        except Exception:
            log.exception("no document could be made of %s %s; it is not searchable", kind, row_id)
            self._stuck.update(line["seq"] for line in lines)
            return
        if document is None:
            batch.gone.append((row_id, newest["version"]))
        else:
            batch.documents.append(document)
        batch.lines += [line["seq"] for line in lines]

    @contextmanager
    def _alone(self, wait_s: float) -> Iterator[None]:
        deadline = time.monotonic() + wait_s
        while True:
            with self._database.only_one(_LOCK) as alone:
                if alone:
                    yield
                    return
            if time.monotonic() > deadline:
                raise Busy(what=f"{self._database.service} index")
            self._stop.wait(0.05)

    def _batches(self) -> Iterator[tuple[int, bool]]:
        """Carries batch after batch until nothing waits: how many lines, and whether it was full. After a full one the
        next is larger."""
        limit = BATCH
        while carried := self.drain(limit):
            full = carried == limit
            yield carried, full
            limit = BEHIND_BATCH if full else BATCH

    def _carry(self) -> None:
        """`drain_all` at a pace: while the relay keeps up, what is written meanwhile goes together."""
        for _, full in self._batches():
            if self._stop.is_set() or (not full and self._stop.wait(GATHER_S)):
                return

    def _run(self) -> None:
        pause, say_at = 0.0, 0.0
        while not self._stop.is_set():
            # While the index is away a write is no reason to ask for it again: there may be many a second.
            self._stop.wait(pause) if pause else self._bell.wait(LOOK_EVERY_S)
            self._bell.clear()
            try:
                self.mend()
                self._carry()
                pause, say_at = 0.0, 0.0
            except Refused as refused:
                # The index or the database is away: the lines stay, and we look again, less often.
                pause = min(max(pause * 2, LOOK_EVERY_S), LONGEST_PAUSE_S)
                if time.monotonic() >= say_at:
                    say_at = time.monotonic() + SAY_EVERY_S
                    log.warning("the relay of %s waits: %s", self._database.service, refused)
            except Exception:
                pause = min(max(pause * 2, LOOK_EVERY_S), LONGEST_PAUSE_S)
                log.exception("the relay of %s failed; its lines stay", self._database.service)
