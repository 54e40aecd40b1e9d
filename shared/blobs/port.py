"""The blobs port: a page of promises."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shared.errors import Refused


@dataclass(eq=False, kw_only=True)
class BlobDamaged(Refused):
    digest: str


class Blobs(Protocol):
    """Immutable bytes under the hex SHA-256 of their content. Raises `DependencyDown` when the store is away."""

    def put(self, content: bytes) -> str:
        """Keeps the bytes and returns their digest. A partial write is never seen; twice is harmless."""
        ...

    def get(self, digest: str) -> bytes:
        """The bytes, checked against the digest. Raises `NotFound`, or `BlobDamaged` when they differ."""
        ...

    def path(self, digest: str) -> Path:
        """A local file with the bytes, checked when it was made. Not to be changed."""
        ...

    def delete(self, digest: str) -> None:
        """Forgets the bytes. Harmless when they are not there."""
        ...


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def checked(content: bytes, digest: str) -> bytes:
    if digest_of(content) != digest:
        raise BlobDamaged(digest=digest)
    return content
