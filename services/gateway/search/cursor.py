"""A cursor: the place after the last hit of a page. What is added or taken away meanwhile shifts nothing."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.errors import BadInput


@dataclass(frozen=True)
class Cursor:
    score: float
    id: str
    seen: int
    """How many hits stood before."""
    of: str
    """Which search it belongs to."""

    def written(self) -> str:
        text = json.dumps([self.score, self.id, self.seen, self.of], separators=(",", ":"), ensure_ascii=False)
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def mark_of(text: str, filters: Mapping[str, str | None], literal: bool) -> str:
    """Names a search, so that a cursor of another one is refused instead of answering nonsense."""
    asked = json.dumps([text, sorted(filters.items()), literal], ensure_ascii=False)
    return hashlib.sha256(asked.encode()).hexdigest()[:10]


def read(written: str, of: str) -> Cursor:
    """The cursor as it was given out. Raises `BadInput` for anything else, and for one of another search."""
    try:
        padded = written + "=" * (-len(written) % 4)
        score, row_id, seen, mark = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
        found = Cursor(float(score), str(row_id), int(seen), str(mark))
    except (ValueError, TypeError, binascii.Error, UnicodeEncodeError):
        raise BadInput(
            errors={"cursor": ["请原样使用上一页给出的 next_cursor / use the next_cursor that was given"]}
        ) from None
    if found.of != of or found.seen < 0:
        said = "此游标属于另一次检索：查询或筛选变了就从头开始 / this cursor belongs to another search"
        raise BadInput(errors={"cursor": [said]})
    return found


def after(hits: Sequence[dict[str, Any]], cursor: Cursor) -> list[dict[str, Any]]:
    """The hits that come after the cursor's place."""
    return [hit for hit in hits if (-hit["score"], hit["id"]) > (-cursor.score, cursor.id)]
