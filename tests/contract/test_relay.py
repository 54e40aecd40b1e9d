"""The outbox reaches the search index whatever is killed, repeated or away. Both databases, the real tantivy index."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from shared.database import Database
from shared.errors import Busy
from shared.relay import LOOK_EVERY_S, Relay
from shared.search.port import Document, IndexUnavailable, SearchIndex
from shared.search.tantivy import TantivyIndex
from tests.contract.passing_index import PassingIndex
from tests.contract.sample import TABLES, Note, delete_note, document_of, write_note
from tests.contract.waiting import wait_until


class Interrupted(PassingIndex):
    """The real index, which is away or whose caller is killed at a chosen moment."""

    def __init__(self, index: SearchIndex) -> None:
        super().__init__(index)
        self.away = False
        self.die_after_put = False
        self.refused = 0

    def put(self, documents: Sequence[Document]) -> None:
        if self.away:
            self.refused += 1
            raise IndexUnavailable(dependency="search index")
        super().put(documents)
        if self.die_after_put:
            raise KeyboardInterrupt

    def delete(self, gone: Sequence[tuple[str, int]]) -> None:
        if self.away:
            raise IndexUnavailable(dependency="search index")
        super().delete(gone)


@pytest.fixture
def index(make_home: Callable[[], Path]) -> Iterator[Interrupted]:
    made = Interrupted(TantivyIndex(make_home() / "index"))
    yield made
    made.close()


@pytest.fixture
def relay(database: Database, index: Interrupted) -> Relay:
    return Relay(database, TABLES, index, document_of)


def rows(database: Database) -> dict[str, int]:
    with database.read() as session:
        return {row.id: row.version for row in session.execute(sa.select(Note.id, Note.version))}


def everything(session: Session) -> Iterator[Document]:
    for note_id in session.execute(sa.select(Note.id)).scalars():
        document = document_of(session, "note", note_id)
        assert document is not None
        yield document


def test_writes_changes_and_deletions_reach_the_index(database: Database, relay: Relay, index: Interrupted) -> None:
    for note_id in ("a", "b", "c"):
        write_note(database, note_id, "空压机")
    write_note(database, "b", "定型机")
    delete_note(database, "c")
    assert relay.drain_all() == 5
    assert index.versions() == rows(database) == {"a": 1, "b": 2}
    assert relay.lag() == "nothing waits"


def test_a_row_made_again_after_its_deletion_is_found(database: Database, relay: Relay, index: Interrupted) -> None:
    write_note(database, "a", "one")
    relay.drain_all()
    delete_note(database, "a")
    relay.drain_all()
    assert index.versions() == {}
    write_note(database, "a", "again")
    relay.drain_all()
    assert index.versions() == rows(database) == {"a": 3}


def test_a_relay_killed_between_index_and_outbox_repeats_harmlessly(
    database: Database, relay: Relay, index: Interrupted
) -> None:
    write_note(database, "a", "one")
    index.die_after_put = True
    with pytest.raises(KeyboardInterrupt):
        relay.drain()
    index.die_after_put = False
    write_note(database, "a", "two")
    assert Relay(database, TABLES, index, document_of).drain_all() == 2
    assert index.versions() == rows(database) == {"a": 2}


def test_lines_stay_while_the_index_is_away_and_the_lag_is_shown(
    database: Database, relay: Relay, index: Interrupted
) -> None:
    index.away = True
    write_note(database, "a", "one")
    with pytest.raises(IndexUnavailable):
        relay.drain()
    assert relay.lag().startswith("1 lines wait")
    index.away = False
    assert relay.drain() == 1


def test_the_background_relay_goes_on_after_the_index_came_back(
    database: Database, relay: Relay, index: Interrupted
) -> None:
    index.away = True
    relay.start()
    try:
        write_note(database, "a", "one")
        relay.ring()
        wait_until(lambda: relay.lag() != "nothing waits", "the line waits")
        index.away = False
        relay.ring()
        wait_until(lambda: index.versions() == {"a": 1}, "the line was carried")
    finally:
        relay.stop()


def test_an_index_that_is_away_is_not_asked_or_logged_at_every_write(
    database: Database, relay: Relay, index: Interrupted, caplog: pytest.LogCaptureFixture
) -> None:
    index.away = True
    began = time.monotonic()
    relay.start()
    try:
        for number in range(300):
            write_note(database, f"n{number}", "one")
            relay.ring()
        wait_until(lambda: index.refused >= 2, "it was asked again")
        assert index.refused <= 2 + (time.monotonic() - began) / LOOK_EVERY_S
        assert sum("waits" in each.message for each in caplog.records) == 1
        index.away = False
        wait_until(lambda: len(index.versions()) == 300, "all lines were carried")
    finally:
        relay.stop()


def test_one_broken_row_holds_up_no_other(database: Database, index: Interrupted) -> None:
    def picky(session: Session, kind: str, row_id: str) -> Document | None:
        if row_id == "broken":
            raise KeyError("title")
        return document_of(session, kind, row_id)

    relay = Relay(database, TABLES, index, picky)
    for note_id in ("a", "broken", "b"):
        write_note(database, note_id, "x")
    assert relay.drain(limit=2) == 1
    assert relay.drain_all() == 1
    assert index.versions() == {"a": 1, "b": 1}
    assert relay.lag().startswith("1 lines wait")
    assert Relay(database, TABLES, index, document_of).drain_all() == 1
    assert index.versions() == rows(database)


def test_writers_and_relays_of_several_processes_end_in_agreement(
    database: Database, open_database: Callable[[], Database], index: Interrupted
) -> None:
    writing = threading.Event()
    writing.set()

    def write(number: int) -> None:
        for turn in range(12):
            note_id = f"n{turn % 4}-{number}"
            if turn % 3 == 2 and note_id in rows(database):
                delete_note(database, note_id)
            else:
                write_note(database, note_id, f"{number} {turn}")

    def carry(relay: Relay) -> None:
        while writing.is_set():
            relay.drain(limit=3)

    relays = [Relay(open_database(), TABLES, index, document_of) for _ in range(2)]
    with ThreadPoolExecutor(5) as pool:
        carrying = [pool.submit(carry, relay) for relay in relays]
        for done in [pool.submit(write, number) for number in range(3)]:
            done.result()
        writing.clear()
        for each in carrying:
            each.result()
    relays[0].drain_all()
    assert index.versions() == rows(database)


def test_what_is_written_during_a_rebuild_is_in_the_new_index(
    database: Database, relay: Relay, index: Interrupted
) -> None:
    write_note(database, "a", "one")
    relay.drain_all()

    def read_slowly(session: Session) -> Iterator[Document]:
        yield from list(everything(session))
        # Written after the rows were read and before the index is switched.
        write_note(database, "a", "two")
        write_note(database, "b", "new")
        assert relay.drain_all() == 0

    assert relay.rebuild(read_slowly) == 1
    relay.drain_all()
    assert index.versions() == rows(database) == {"a": 2, "b": 1}


def test_a_line_never_gets_the_number_of_one_that_was_carried(database: Database, relay: Relay) -> None:
    def numbers() -> list[int]:
        with database.read() as session:
            return list(session.execute(sa.select(TABLES.outbox.c.seq)).scalars())

    # A relay that is slow would otherwise remove the line of a write that came after it had looked.
    write_note(database, "a", "one")
    first = numbers()
    relay.drain_all()
    write_note(database, "a", "two")
    assert numbers() > first


def test_two_rebuilds_at_once_are_refused_not_mixed(database: Database, relay: Relay, index: Interrupted) -> None:
    with database.only_one("relay") as held:
        assert held
        with pytest.raises(Busy):
            relay.rebuild(everything, wait_s=0)


def test_an_index_that_was_wiped_is_rebuilt_from_the_rows(database: Database, relay: Relay, index: Interrupted) -> None:
    for number in range(120):
        write_note(database, f"n{number}", "空压机")
    relay.drain_all()
    before = index.versions()
    index.rebuild([])
    assert index.versions() == {}
    assert relay.rebuild(everything) == 120
    assert index.versions() == before == rows(database)
