"""Latin words with one letter wrong: only asked about ("did you mean"), since part codes look like slips and are none."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import replace

from services.gateway.search.query import Note, Query
from services.gateway.search.words import Words

SEEN = 3
"""How often the corpus must have a word before it is offered."""
_WORD = re.compile(r"[a-z]{4,20}")


def offer_latin_spelling(query: Query, words: Words) -> tuple[Query, Note | None]:
    text = query.suggestion or query.plain
    offered = _WORD.sub(lambda match: _nearest(match.group(), words) or match.group(), text)
    if offered == text:
        return query, None
    return replace(query, suggestion=offered), Note("offer_latin_spelling", offered)


def _nearest(word: str, words: Words) -> str | None:
    """The commonest word of the corpus one letter away: left out, put in, another, or two that changed places."""
    if word in words.counts or word in words.by_name or word in words.written_sounds:
        return None
    found = {each for each in _one_away(word) if words.counts.get(each, 0) >= SEEN}
    return max(found, key=lambda each: (words.counts[each], each)) if found else None


def _one_away(word: str) -> Iterator[str]:
    for place in range(len(word) + 1):
        before, after = word[:place], word[place:]
        yield from (before + letter + after for letter in string.ascii_lowercase)
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in string.ascii_lowercase)
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
