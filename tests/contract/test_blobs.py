"""What the blobs port promises, in a folder and in PostgreSQL."""

from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared.blobs import BlobDamaged, Blobs, FolderBlobs, open_blobs
from shared.blobs.postgres import PostgresBlobs
from shared.database import Database
from shared.errors import DependencyDown, NotFound
from shared.settings import Secret, Settings

NOWHERE = "0" * 64


@pytest.fixture
def blobs(store_settings: Settings) -> Iterator[Blobs]:
    made = open_blobs(store_settings)
    yield made
    made.close()


@pytest.mark.parametrize("content", [b"", b"x", bytes(range(256)) * 40_000], ids=["empty", "one", "ten megabytes"])
def test_what_was_put_is_what_is_got(blobs: Blobs, content: bytes) -> None:
    digest = blobs.put(content)
    assert digest == hashlib.sha256(content).hexdigest()
    assert blobs.get(digest) == content
    assert blobs.path(digest).read_bytes() == content
    assert blobs.put(io.BytesIO(content)) == digest


def test_unknown_and_malformed_digests_are_not_found(blobs: Blobs) -> None:
    for digest in (NOWHERE, "../../etc/passwd", "", "G" * 64):
        with pytest.raises(NotFound):
            blobs.get(digest)
        with pytest.raises(NotFound):
            blobs.path(digest)


def test_deleting_forgets_and_is_harmless_twice(blobs: Blobs) -> None:
    digest = blobs.put(b"x")
    blobs.delete(digest)
    blobs.delete(digest)
    with pytest.raises(NotFound):
        blobs.get(digest)


def test_the_same_bytes_put_at_once_are_one_blob(blobs: Blobs) -> None:
    content = b"y" * 9_000_000
    with ThreadPoolExecutor(4) as pool:
        digests = set(pool.map(lambda _: blobs.put(content), range(8)))
    assert len(digests) == 1
    assert blobs.get(digests.pop()) == content


class Broken(io.BytesIO):
    """A stream whose sender goes away half way."""

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(1000)
        if not piece:
            raise ConnectionResetError
        return piece


def test_a_stream_that_breaks_leaves_nothing(blobs: Blobs, store_settings: Settings) -> None:
    content = b"z" * 5000
    with pytest.raises(ConnectionResetError):
        blobs.put(Broken(content))
    with pytest.raises(NotFound):
        blobs.get(hashlib.sha256(content).hexdigest())
    assert [path for path in store_settings.home.rglob("*") if path.is_file() and "blobs" in path.parts[-2]] == []


def test_damage_is_found_on_reading(store_settings: Settings, blobs: Blobs) -> None:
    digest = blobs.put(b"model")
    if store_settings.embedded:
        place = store_settings.home / "blobs" / digest[:2] / digest
        place.write_bytes(b"modex")
        with pytest.raises(BlobDamaged):
            blobs.path(digest)
    else:
        database = Database.open(store_settings, "blobs")
        with database.write() as session:
            session.execute(sa.text("UPDATE part SET content = 'modex'"))
        database.close()
    with pytest.raises(BlobDamaged):
        blobs.get(digest)


def test_another_machine_sees_a_blob_and_mends_its_local_copy(
    distributed_settings: Callable[..., Settings], make_home: Callable[[], Path]
) -> None:
    settings = distributed_settings(without=("redis", "elasticsearch"))
    here, there = PostgresBlobs(settings), PostgresBlobs(settings.with_(home=make_home()))
    try:
        digest = here.put(b"model")
        copy = there.path(digest)
        assert copy.read_bytes() == b"model"
        copy.write_bytes(b"modex")
        assert there.path(digest).read_bytes() == b"model"
        shutil.rmtree(copy.parent)
        assert there.path(digest).read_bytes() == b"model"
    finally:
        here.close()
        there.close()


def test_a_store_that_is_away_is_said_so(distributed_settings: Callable[..., Settings]) -> None:
    settings = distributed_settings(without=("postgres", "redis", "elasticsearch"))
    blobs = PostgresBlobs(settings.with_(database_url=Secret("postgresql://zhigai@127.0.0.1:1/nowhere")))
    with pytest.raises(DependencyDown):
        blobs.get(NOWHERE)


def test_settings_pick_the_adapter(embedded_settings: Callable[..., Settings]) -> None:
    assert isinstance(open_blobs(embedded_settings()), FolderBlobs)
