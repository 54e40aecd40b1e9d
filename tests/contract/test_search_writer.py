"""tantivy's one writer: kept while batches come, let go for whoever asks, and never in the way of an order of versions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.search import Document, tantivy_writer
from shared.search.tantivy import TantivyIndex
from tests.contract.waiting import wait_until

Open = Callable[[], TantivyIndex]


@pytest.fixture
def folder(make_home: Callable[[], Path]) -> Path:
    return make_home() / "index"


@pytest.fixture
def open_index(folder: Path) -> Iterator[Open]:
    """Opens the index as another process would; closed afterwards."""
    opened: list[TantivyIndex] = []

    def open_one() -> TantivyIndex:
        opened.append(TantivyIndex(folder))
        return opened[-1]

    yield open_one
    for index in opened:
        index.close()


def document(name: str, version: int = 1) -> Document:
    return Document(id=name, type="solution", version=version, title="空压机")


def committed(folder: Path) -> dict[str, object]:
    """What the engine says of its last commit or merge."""
    name = (folder / "current").read_text(encoding="ascii")
    found: dict[str, object] = json.loads((folder / name / "meta.json").read_bytes())
    return found


def segments(folder: Path) -> int:
    found = committed(folder)["segments"]
    assert isinstance(found, list)
    return len(found)


def test_what_the_index_holds_already_costs_no_commit(open_index: Open, folder: Path) -> None:
    index = open_index()
    index.put([document("a", 3), document("b", 3)])
    before = committed(folder)["opstamp"]
    index.put([document("a", 3), document("b", 2)])
    index.delete([("a", 2), ("never", 9)])
    assert committed(folder)["opstamp"] == before
    index.put([document("a", 4)])
    assert committed(folder)["opstamp"] != before


def test_segments_stay_few_while_the_writer_is_kept(open_index: Open, folder: Path) -> None:
    index = open_index()
    for number in range(60):
        index.put([document(f"d{number}")])
    wait_until(lambda: segments(folder) < 16, "the merges beside the batches were done")
    assert len(index.versions()) == 60


def test_who_asks_for_the_writer_gets_it(open_index: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody lets go by himself: without the asking, the second would wait until it is refused.
    monkeypatch.setattr(tantivy_writer, "KEEP_S", 3600.0)
    first, second = open_index(), open_index()
    for turn in range(3):
        first.put([document(f"first-{turn}")])
        second.put([document(f"second-{turn}")])
    assert len(first.versions()) == len(second.versions()) == 6


def test_a_writer_that_nobody_uses_is_let_go(open_index: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tantivy_writer, "KEEP_S", 0.0)
    index = open_index()
    index.put([document("a")])
    engine = index._open()

    def free() -> bool:
        try:
            engine.writer(heap_size=tantivy_writer.HEAP_BYTES, num_threads=1).wait_merging_threads()
        except ValueError:
            return False
        return True

    wait_until(free, "the writer can be had")
    index.put([document("b")])
    assert set(index.versions()) == {"a", "b"}


def test_versions_are_compared_with_what_the_holder_before_wrote(open_index: Open) -> None:
    first, second = open_index(), open_index()
    second.put([document("a", 1)])
    first.put([document("a", 5)])
    second.put([document("a", 4)])
    second.delete([("a", 4)])
    assert first.versions() == second.versions() == {"a": 5}


def test_a_batch_that_fails_leaves_nothing_and_holds_up_no_later_one(open_index: Open) -> None:
    index = open_index()
    index.put([document("a")])
    with pytest.raises(TypeError):
        index.put([document("b"), document("c", version=None)])  # type: ignore[arg-type]
    open_index().put([document("d")])
    assert set(index.versions()) == {"a", "d"}


def test_after_a_rebuild_writes_go_into_the_new_index(open_index: Open) -> None:
    index = open_index()
    index.put([document("a")])
    index.rebuild([document("a", 2), document("b", 2)])
    index.put([document("c")])
    assert index.versions() == {"a": 2, "b": 2, "c": 1}
