"""Blobs as files of one folder."""

from __future__ import annotations

import os
import re
import uuid
from pathlib import Path

from shared.blobs.port import checked, digest_of
from shared.errors import NotFound

_DIGEST = re.compile(r"^[0-9a-f]{64}$")


class FolderBlobs:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: bytes) -> str:
        digest = digest_of(content)
        target = self._place(digest)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = target.with_name(f".{digest}-{uuid.uuid4().hex[:8]}")
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, target)
        return digest

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

    def _place(self, digest: str) -> Path:
        if not _DIGEST.match(digest):
            raise NotFound(kind="blob", id=digest[:80])
        return self._folder / digest[:2] / digest
