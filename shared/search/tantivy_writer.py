"""The one writer that a tantivy index has over all processes: kept between batches, let go soon after the last.

Letting go waits for the merges that a commit began, and on a small index every eighth commit merges all of it. So a
writer is kept while batches come, the engine merges beside them, and segments stay few. Who waits for the writer asks
for it by a file, and the holder lets go after its batch.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tantivy

from shared.search.port import IndexUnavailable

WAIT_S = 20.0
KEEP_S = 10.0
"""A writer that was not used for so long is let go; what one batch began to merge is merged by then."""
LOOK_EVERY_S = 0.25
GIVE_WAY_S = 0.1
HEAP_BYTES = 50_000_000
"""A batch of 200 full texts fits. With 15 MB every sixty began a segment of their own, to be merged at once."""


class Batch:
    """What one commit writes."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer
        self.is_empty = True

    def replace(self, document_id: str, document: tantivy.Document) -> None:
        self.remove(document_id)
        self._writer.add_document(document)

    def remove(self, document_id: str) -> None:
        self._writer.delete_documents_by_term("id", document_id)
        self.is_empty = False


class KeptWriter:
    """One index folder's writer as this process has it. Threads take turns."""

    def __init__(self, folder: Path) -> None:
        self._asked = folder / "asked"
        self._turn = threading.Lock()
        self._closing = threading.Event()
        self._keeper: threading.Thread | None = None
        self._index: tantivy.Index | None = None
        self._writer: Any = None
        self._used = 0.0

    @contextmanager
    def batch(self, index: tantivy.Index) -> Iterator[Batch]:
        """A batch of `index`, committed and seen by its searchers at the end, dropped when anything is raised.

        Raises `IndexUnavailable` when another holder does not let go within `WAIT_S`.
        """
        with self._turn:
            writer = self._taken(index)
            batch = Batch(writer)
            try:
                yield batch
                if not batch.is_empty:
                    writer.commit()
            except BaseException:
                self._drop()
                with contextlib.suppress(ValueError):
                    writer.rollback()
                    # What was raised may hold this frame for long; the writer is let go here.
                    writer.wait_merging_threads()
                raise
            if not batch.is_empty:
                index.reload()
            self._used = time.monotonic()
            if self._keeper is None:
                self._keeper = threading.Thread(target=self._keep, name="search-writer", daemon=True)
                self._keeper.start()

    def close(self) -> None:
        """Lets go, once the merges that are going on are done."""
        self._closing.set()
        keeper = self._keeper
        if keeper is not None:
            keeper.join(timeout=5)

    def _taken(self, index: tantivy.Index) -> Any:
        if self._index is not index:
            # Another index is the current one now; what the old one still merges is nobody's.
            self._drop()
        if self._writer is None:
            self._closing.clear()
            self._writer, self._index = self._opened(index), index
        return self._writer

    def _opened(self, index: tantivy.Index) -> Any:
        deadline = time.monotonic() + WAIT_S
        while True:
            try:
                writer = index.writer(heap_size=HEAP_BYTES, num_threads=1)
                break
            except ValueError as busy:
                if time.monotonic() > deadline:
                    raise IndexUnavailable(dependency="search index writer") from busy
                with contextlib.suppress(FileNotFoundError):
                    self._asked.touch()
                time.sleep(0.02)
        self._asked.unlink(missing_ok=True)
        # What the holder before committed is seen from here on: versions are compared with it.
        index.reload()
        return writer

    def _keep(self) -> None:
        while True:
            closing = self._closing.wait(LOOK_EVERY_S)
            with self._turn:
                asked = self._asked.exists()
                if not (closing or asked or time.monotonic() - self._used > KEEP_S):
                    continue
                self._keeper = None
                writer = self._writer
                self._index = self._writer = None
                if writer is None:
                    return
                with contextlib.suppress(ValueError):
                    writer.wait_merging_threads()
                del writer
                if asked:
                    # Or our next batch would have it again before the other has looked.
                    time.sleep(GIVE_WAY_S)
                return

    def _drop(self) -> None:
        self._index = self._writer = None
