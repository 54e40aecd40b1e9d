"""Blobs as files of one folder."""

from __future__ import annotations

import hashlib
import io
import os
import uuid
from pathlib import Path
from typing import BinaryIO

from shared.blobs.port import checked, known_form
from shared.errors import NotFound

_PIECE = 1 << 20


class FolderBlobs:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: bytes | BinaryIO) -> str:
        stream = io.BytesIO(content) if isinstance(content, bytes) else content
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self._folder / f".draft-{uuid.uuid4().hex}"
        digest = hashlib.sha256()
        try:
            with draft.open("xb") as file:
                while piece := stream.read(_PIECE):
                    digest.update(piece)
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            place = self._place(digest.hexdigest())
            place.parent.mkdir(exist_ok=True)
            draft.replace(place)
        finally:
            draft.unlink(missing_ok=True)
        _sync(place.parent)
        return digest.hexdigest()

    def get(self, digest: str) -> bytes:
        try:
            return checked(self._place(digest).read_bytes(), digest)
        except FileNotFoundError:
            raise NotFound(kind="blob", id=digest) from None

    def path(self, digest: str) -> Path:
        self.get(digest)
        return self._place(digest)

    def delete(self, digest: str) -> None:
        self._place(digest).unlink(missing_ok=True)

    def close(self) -> None:
        return

    def _place(self, digest: str) -> Path:
        return self._folder / known_form(digest)[:2] / digest


def _sync(folder: Path) -> None:
    """A rename is on disk only once its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
