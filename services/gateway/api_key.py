"""The text of an API key: `zg_live_`, an 8-character id that is no secret, 32 secret characters and a checksum of 6.

The checksum lets anybody refuse a mistyped key without asking a database, and lets scanners recognise a leaked one.
"""

from __future__ import annotations

import hashlib
import secrets
import string
import zlib
from dataclasses import dataclass
from functools import lru_cache

PREFIX = "zg_live_"
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID, _SECRET, _CHECK = 8, 32, 6
_LENGTH = len(PREFIX) + _ID + _SECRET + _CHECK
_ALLOWED = frozenset(_DIGITS)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as it is shown once: only `key_id` and `digest` are stored."""

    text: str
    key_id: str
    digest: str


def new_key() -> NewKey:
    key_id = _random(_ID)
    head = PREFIX + key_id + _random(_SECRET)
    text = head + _checksum(head)
    return NewKey(text, key_id, digest_of(text).hex())


def id_of(text: str) -> str | None:
    """The public id in a well-formed key, None for any other text."""
    if len(text) != _LENGTH or not text.startswith(PREFIX) or not _ALLOWED.issuperset(text[len(PREFIX) :]):
        return None
    if _checksum(text[:-_CHECK]) != text[-_CHECK:]:
        return None
    return text[len(PREFIX) : len(PREFIX) + _ID]


@lru_cache(maxsize=4096)
def read(text: str) -> tuple[str, bytes] | None:
    """The public id and the digest of a well-formed key, None for any other text.

    A client sends the same key with every call, so it is worked out once.
    """
    key_id = id_of(text)
    return None if key_id is None else (key_id, digest_of(text))


def digest_of(text: str) -> bytes:
    """SHA-256 is enough: the secret is random (190 bits), so there is nothing that a slow hash would protect."""
    return hashlib.sha256(text.encode("ascii")).digest()


def _random(count: int) -> str:
    return "".join(secrets.choice(_DIGITS) for _ in range(count))


def _checksum(head: str) -> str:
    number = zlib.crc32(head.encode("ascii"))
    digits = []
    for _ in range(_CHECK):
        number, rest = divmod(number, 62)
        digits.append(_DIGITS[rest])
    return "".join(reversed(digits))
