"""The index keeps up with the rows: a burst costs few commits, oldest first, on both engines.

How long that takes is for `python -m bench.lag`; what is counted here does not depend on the machine.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest
import sqlalchemy as sa

from shared import outbox
from shared.database import Database, Scoped
from shared.identity import SYSTEM
from shared.relay import BATCH, BEHIND_BATCH, GATHER_S, Relay
from shared.search import open_index
from shared.search.port import Document, SearchIndex
from shared.settings import Settings
from tests.contract.passing_index import PassingIndex
from tests.contract.sample import MIGRATIONS, SERVICE, TABLES, Note, delete_note, document_of, write_note
from tests.contract.waiting import wait_until

Make = Callable[..., Settings]


class Counted(PassingIndex):
    """The real index, with what was asked of it: each call is a commit."""

    def __init__(self, index: SearchIndex) -> None:
        super().__init__(index)
        self.put_ids: list[list[str]] = []
        self.deleted: list[int] = []

    def put(self, documents: Sequence[Document]) -> None:
        super().put(documents)
        self.put_ids.append([document.id for document in documents])

    def delete(self, gone: Sequence[tuple[str, int]]) -> None:
        super().delete(gone)
        self.deleted.append(len(gone))


@pytest.fixture(params=["tantivy", "elasticsearch"])
def settings(request: pytest.FixtureRequest) -> Settings:
    if request.param == "tantivy":
        made: Settings = request.getfixturevalue("embedded_settings")()
        return made
    found: Settings = request.getfixturevalue("distributed_settings")(without=("postgres", "redis"))
    return found


@pytest.fixture
def rows(settings: Settings) -> Iterator[Database]:
    database = Database.open(settings, SERVICE, MIGRATIONS)
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def index(settings: Settings) -> Iterator[Counted]:
    counted = Counted(open_index(settings, SERVICE))
    yield counted
    counted.close()


def write_burst(database: Database, count: int) -> list[str]:
    """Rows written in one go; their ids in the order of their lines."""
    ids = [f"n{number:04}" for number in range(count)]
    with database.write() as session:
        for note_id in ids:
            note = Note(id=note_id, title="空压机")
            Scoped(session, SYSTEM).add(note)
            outbox.put(session, TABLES, "note", note_id, note.version)
    return ids


def test_a_burst_is_searchable_after_few_commits_oldest_first(rows: Database, index: Counted) -> None:
    ids = write_burst(rows, 500)
    assert Relay(rows, TABLES, index, document_of).drain_all() == 500
    assert [len(batch) for batch in index.put_ids] == [
        BATCH,
        BEHIND_BATCH,
        BEHIND_BATCH,
        500 - BATCH - 2 * BEHIND_BATCH,
    ]
    assert [each for batch in index.put_ids for each in batch] == ids
    assert set(index.versions()) == set(ids)


def test_rows_that_go_together_cost_a_commit_a_batch_and_not_a_row(rows: Database, index: Counted) -> None:
    ids = write_burst(rows, BATCH)
    relay = Relay(rows, TABLES, index, document_of)
    relay.drain_all()
    for note_id in ids:
        delete_note(rows, note_id)
    relay.drain_all()
    assert index.deleted == [BATCH] and index.versions() == {}


def test_a_row_written_many_times_is_indexed_once_a_batch(rows: Database, index: Counted) -> None:
    for turn in range(BATCH):
        write_note(rows, "busy", f"空压机 {turn}")
    assert Relay(rows, TABLES, index, document_of).drain_all() == BATCH
    assert index.put_ids == [["busy"]] and index.versions() == {"busy": BATCH}


def test_writes_that_come_one_by_one_are_carried_together(rows: Database, index: Counted) -> None:
    relay = Relay(rows, TABLES, index, document_of)
    relay.start()
    try:
        began = time.monotonic()
        for number in range(3 * BATCH):
            write_note(rows, f"n{number}", "空压机")
            relay.ring()
        wait_until(lambda: relay.lag() == "nothing waits", "everything was carried")
        waited = time.monotonic() - began
    finally:
        relay.stop()
    assert len(index.versions()) == 3 * BATCH
    # A batch is full, or the next one comes no sooner than `GATHER_S` after it.
    assert len(index.put_ids) <= 3 + math.ceil(waited / GATHER_S) + 1


def test_a_relay_far_behind_stops_when_it_is_told(rows: Database, index: Counted) -> None:
    write_burst(rows, BATCH + 3 * BEHIND_BATCH)
    told = threading.Event()

    def told_after_one(session: sa.orm.Session, kind: str, row_id: str) -> Document | None:
        if len(index.put_ids) == 1 and not told.is_set():
            told.set()
            threading.Thread(target=relay.stop).start()
        return document_of(session, kind, row_id)

    relay = Relay(rows, TABLES, index, told_after_one)
    relay.start()
    assert told.wait(60)
    wait_until(lambda: not any(each.name == f"relay-{SERVICE}" for each in threading.enumerate()), "the relay ended")
    # The batch that was begun is carried to its end; the others stay for the next start.
    assert [len(batch) for batch in index.put_ids] == [BATCH, BEHIND_BATCH]
    assert relay.lag().startswith(f"{2 * BEHIND_BATCH} lines wait")
