"""A request body on its way: counted, so that one that was cut short is never taken for a whole one."""

from __future__ import annotations

import io
from collections.abc import Iterator

from shared.errors import BodyCut
from shared.http.upstream.port import Readable, Request


class Counted(io.RawIOBase):
    """Reads exactly `length` bytes of `source` and remembers when there were fewer."""

    def __init__(self, source: Readable, length: int) -> None:
        super().__init__()
        self._source, self._length, self._left = source, length, length
        self.was_cut = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        part = self._source.read(min(len(buffer), self._left)) if self._left else b""
        if not part and self._left:
            self.was_cut = True
            raise self.cut()
        self._left -= len(part)
        buffer[: len(part)] = part
        return len(part)

    def cut(self) -> BodyCut:
        return BodyCut(expected_bytes=self._length, received_bytes=self._length - self._left)


def body_of(request: Request) -> bytes | Counted | Readable:
    """What an adapter sends: bytes, a stream whose length holds, or one that ends when it ends."""
    if isinstance(request.body, bytes) or request.body_length is None:
        return request.body
    return Counted(request.body, request.body_length)


def parts_of(stream: Readable, size: int) -> Iterator[bytes]:
    while part := stream.read(size):
        yield part
