"""Frames between the serving process and a runner, over a socket pair: a length, an id, a few short strings, the body.

Neither side parses the other's body here, so the serving process needs no numpy.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field

INFER, PREDICT, METADATA, READY, RELOAD, INDEX, LOAD, UNLOAD, OBSERVED = 1, 2, 3, 4, 5, 6, 7, 8, 9
_ASK = struct.Struct("!IIBBBBBBId")
_ANSWER = struct.Struct("!IIHBIH")
LENGTH = struct.Struct("!I")
MOST = 80 * 1024 * 1024
_LANGUAGES = ("zh", "en")
_TYPES = ("application/json", "application/problem+json", "application/octet-stream")


@dataclass(slots=True)
class Ask:
    id: int
    kind: int
    name: str
    release: str = ""
    request_id: str = ""
    language: str = "zh"
    json_length: int = 0
    """`Inference-Header-Content-Length`; 0 when the body is all JSON."""
    body: bytes = b""
    deadline: float = 0.0
    """On the machine's monotonic clock, which both processes read; after it nobody waits any more. 0 means never."""
    organisation: str = ""
    """Whose private components the caller may call beside the public ones: its organisation, or the guest's id."""

    def packed(self) -> bytes:
        name, release, request_id = self.name.encode(), self.release.encode(), self.request_id.encode()
        organisation = self.organisation.encode()
        size = _ASK.size - 4 + len(name) + len(release) + len(request_id) + len(organisation) + len(self.body)
        head = _ASK.pack(
            size, self.id, self.kind, _LANGUAGES.index(self.language), len(name), len(release), len(request_id),
            len(organisation), self.json_length, self.deadline,
        )  # fmt: skip
        return b"".join((head, name, release, request_id, organisation, self.body))


@dataclass(slots=True)
class Reply:
    id: int
    status: int
    media_type: str
    body: bytes
    json_length: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    def packed(self) -> bytes:
        extra = json.dumps(self.headers).encode() if self.headers else b""
        size = _ANSWER.size - 4 + len(extra) + len(self.body)
        kind = _TYPES.index(self.media_type)
        return b"".join(
            (_ANSWER.pack(size, self.id, self.status, kind, self.json_length, len(extra)), extra, self.body)
        )


def ask_of(frame: bytes) -> Ask:
    """`frame` with its length."""
    _, number, kind, language, names, releases, ids, owners, json_length, deadline = _ASK.unpack_from(frame)
    place = _ASK.size
    name = frame[place : place + names].decode()
    place += names
    release = frame[place : place + releases].decode()
    place += releases
    request_id = frame[place : place + ids].decode()
    place += ids
    owner = frame[place : place + owners].decode()
    body = frame[place + owners :]
    return Ask(number, kind, name, release, request_id, _LANGUAGES[language], json_length, body, deadline, owner)


def reply_of(frame: bytes) -> Reply:
    _, number, status, kind, json_length, extra = _ANSWER.unpack_from(frame)
    place = _ANSWER.size
    headers = json.loads(frame[place : place + extra]) if extra else {}
    return Reply(number, status, _TYPES[kind], frame[place + extra :], json_length, headers)


def whole_frames(buffer: bytearray) -> list[bytes]:
    """Takes the complete frames off the front of `buffer`. Raises ValueError for a length that cannot be."""
    found: list[bytes] = []
    start, end = 0, len(buffer)
    while end - start >= 4:
        (size,) = LENGTH.unpack_from(buffer, start)
        if size > MOST:
            raise ValueError("frame too large")
        if end - start < 4 + size:
            break
        found.append(bytes(buffer[start : start + 4 + size]))
        start += 4 + size
    if start:
        del buffer[:start]
    return found
