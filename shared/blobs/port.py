"""The blobs port: a page of promises."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from shared.errors import NotFound, Refused

_DIGEST = re.compile(r"^[0-9a-f]{64}$")


@dataclass(eq=False, kw_only=True)
class BlobDamaged(Refused):
    """What is stored under the digest has another one: a broken disk, or somebody's hand."""

    digest: str


class Blobs(Protocol):
    """Immutable bytes under the hex SHA-256 of their content. Raises `DependencyDown` when the store is away."""

    def put(self, content: bytes | BinaryIO) -> str:
        """Keeps the bytes, or what the stream gives, and returns their digest.

        A partial write is never seen, also after a kill at any moment; putting the same twice is harmless.
        """
        ...

    def get(self, digest: str) -> bytes:
        """The bytes, checked against the digest. Raises `NotFound`, or `BlobDamaged` when they differ."""
        ...

    def path(self, digest: str) -> Path:
        """A local file with the bytes, checked when it was made. Not to be changed. Raises as `get` does."""
        ...

    def delete(self, digest: str) -> None:
        """Forgets the bytes. Harmless when they are not there."""
        ...

    def close(self) -> None:
        """Lets go of the store."""
        ...


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def checked(content: bytes, digest: str) -> bytes:
    if digest_of(content) != digest:
        raise BlobDamaged(digest=digest)
    return content


def known_form(digest: str) -> str:
    """The digest, or `NotFound` for what is none: nothing else ever becomes part of a path."""
    if not _DIGEST.match(digest):
        raise NotFound(kind="blob", id=digest[:80])
    return digest
