"""Slips of the pinyin keyboard: a run that is no word but sounds exactly like one word of the trade is that word.

Careful on purpose: only stretches that the segmenter leaves in pieces, never a known word, never a question word, and
only when every other reading of the stretch is worse. The lattice over the whole query is a later, wider step.
"""

from __future__ import annotations

from dataclasses import replace

from services.gateway.search.query import Note, Query
from services.gateway.search.steps.normalise import tokenised
from services.gateway.search.words import QUESTION_WORDS, Words
from shared.search import analysis

LONGEST, SHORTEST = 6, 2


def recover_slips(query: Query, words: Words) -> tuple[Query, Note | None]:
    plain, changes, place = query.plain, [], 0
    while place < len(plain):
        found = _slip_at(plain, place, words)
        if found is None:
            place += 1
            continue
        wrong, right = found
        plain = plain[:place] + right + plain[place + len(wrong) :]
        changes.append((wrong, right))
        place += len(right)
    if not changes:
        return query, None
    said = "；".join(f"{wrong} → {right}" for wrong, right in changes)
    return tokenised(replace(query, plain=plain, rewritten=plain)), Note("recover_slips", said, tuple(changes))


def _slip_at(plain: str, place: int, words: Words) -> tuple[str, str] | None:
    for length in range(min(LONGEST, len(plain) - place), SHORTEST - 1, -1):
        piece = plain[place : place + length]
        if not analysis.HAN.fullmatch(piece) or words.knows(piece) or piece in QUESTION_WORDS:
            continue
        heard = words.by_sound.get(analysis.pinyin(piece))
        if not heard or piece in heard or not _falls_apart(plain, place, length, words):
            continue
        # Of several words that sound alike the one that shares most characters, if it is alone in that.
        shared = sorted(
            ((sum(a == b for a, b in zip(piece, word, strict=False)), word) for word in heard), reverse=True
        )
        if length == SHORTEST and shared[0][0] == 0:
            continue
        if len(shared) == 1 or shared[0][0] > shared[1][0]:
            return piece, shared[0][1]
    return None


def _falls_apart(plain: str, place: int, length: int, words: Words) -> bool:
    """Whether no word of two or more characters lies inside the stretch or reaches into it."""
    segmenter = analysis.segmenter()
    end = place + length
    if segmenter.has_word(plain[place:end]):
        return False
    for token in analysis.words_of(plain):
        if token.end - token.start < 2 or token.end <= place or token.start >= end:
            continue
        if not segmenter.has_word(token.text):
            # The segmenter guesses new words out of slips: 空鸭机 is one to it.
            continue
        # A general word of two characters inside a longer stretch is what a slip often makes by chance.
        inside = place <= token.start and token.end <= end
        if not inside or words.knows(token.text) or length <= 2 or token.end - token.start > 2:
            return False
    return True
