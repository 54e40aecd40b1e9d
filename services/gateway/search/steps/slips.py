"""Slips of the pinyin keyboard, recovered over whole runs of characters by a lattice of words.

Every run of Han characters is read in the cheapest way, as words of the corpus, of the trade and of the language. Beside
what stands there the lattice has words that sound the same, at a price for each character that would change. A change
stands only when the corpus also writes the changed characters more readily than the typed ones; what is close to that is
offered as a question ("did you mean"). Nothing is ever searched by its sound alone, so rare words that are right stay.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.gateway.search.query import Note, Query
from services.gateway.search.steps.normalise import tokenised
from services.gateway.search.words import QUESTION_WORDS, Words, folded
from shared.search import analysis

UNKNOWN = 16.0
"""What a character that is no word costs, in nats."""
CHANGED, NEARLY = 3.0, 2.0
"""What each changed character costs, and each that sounds only nearly the same besides."""
STANDS, ORDINARY_STANDS, OFFERED = 3.0, 7.0, 1.0
"""By how many nats for each changed character the corpus must prefer a change into a name of the trade and into an
ordinary word to make it, and to ask about it."""
LONGEST, SHORTEST = 6, 2


@dataclass(frozen=True)
class Reading:
    """A stretch of a run read as a word."""

    start: int
    end: int
    word: str
    changed: int


def recover_slips(query: Query, words: Words) -> tuple[Query, Note | None]:
    plain, offered, changes = query.plain, query.plain, []
    # From the right, so that places to the left stay where they are.
    for run in reversed(list(analysis.HAN.finditer(query.plain))):
        for reading in reversed(_changes(run.group(), words)):
            start, end = run.start() + reading.start, run.start() + reading.end
            gain = _gain(query.plain, start, end, reading.word, words) / reading.changed
            if gain >= OFFERED:
                offered = offered[:start] + reading.word + offered[end:]
            if gain >= (STANDS if words.knows(reading.word) else ORDINARY_STANDS):
                plain = plain[:start] + reading.word + plain[end:]
                changes.append((query.plain[start:end], reading.word))
    if offered != plain:
        query = replace(query, suggestion=offered)
    if not changes:
        return query, None
    said = "；".join(f"{wrong} → {right}" for wrong, right in reversed(changes))
    return tokenised(replace(query, plain=plain, rewritten=plain)), Note("recover_slips", said, tuple(changes))


def _changes(run: str, words: Words) -> list[Reading]:
    """The stretches that the cheapest reading of a run changes."""
    best: list[tuple[float, Reading | None]] = [(0.0, None), *[(float("inf"), None) for _ in run]]
    protected = _protected(run)
    for start in range(len(run)):
        so_far = best[start][0]
        for length in range(1, min(LONGEST, len(run) - start) + 1):
            piece = run[start : start + length]
            end = start + length
            cost = words.cost(piece)
            if length == 1:
                cost = UNKNOWN if cost is None else min(cost, UNKNOWN)
            if cost is not None and so_far + cost < best[end][0]:
                best[end] = (so_far + cost, Reading(start, end, piece, 0))
            if length < SHORTEST or any(start < stop and begin < end for begin, stop in protected):
                continue
            for price, word, changed in _heard(piece, words):
                if so_far + price < best[end][0]:
                    best[end] = (so_far + price, Reading(start, end, word, changed))
    readings = []
    place = len(run)
    while place > 0:
        reading = best[place][1]
        assert reading is not None
        readings.append(reading)
        place = reading.start
    return [reading for reading in reversed(readings) if reading.changed]


def _heard(piece: str, words: Words) -> list[tuple[float, str, int]]:
    """Words of the corpus that sound like a stretch: price, word, how many characters differ."""
    sound = analysis.pinyin(piece)
    found = []
    for word in words.by_ear.get(folded(sound), ()):
        changed = sum(one != other for one, other in zip(piece, word, strict=True))
        cost = words.cost(word)
        if not 0 < changed <= max(len(piece) - 1, 1) or cost is None:
            continue
        near = sum(one != other for one, other in zip(sound, analysis.pinyin(word), strict=True))
        found.append((cost + CHANGED * changed + NEARLY * near, word, changed))
    return found


def _protected(run: str) -> list[tuple[int, int]]:
    """Where question words stand: the corpus has few of them, and a corpus without 哪个 would read another word there."""
    found = []
    for start in range(len(run)):
        for length in (4, 3, 2):
            if run[start : start + length] in QUESTION_WORDS and start + length <= len(run):
                found.append((start, start + length))
                break
    return found


def _gain(plain: str, start: int, end: int, word: str, words: Words) -> float:
    """By how much the corpus prefers the changed characters, with one neighbour on either side, to the typed ones."""
    before = plain[start - 1 : start] if start and analysis.HAN.fullmatch(plain[start - 1]) else ""
    after = plain[end : end + 1] if end < len(plain) and analysis.HAN.fullmatch(plain[end]) else ""
    typed = words.surprise(before + plain[start:end] + after)
    return typed - words.surprise(before + word + after)
