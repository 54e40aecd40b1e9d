"""Highlights from places in the original text, never from the token stream."""

from __future__ import annotations

import html
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

SNIPPET = 80
_STOPS, _COMMAS = "。！？；\n", "，、： "


def highlighted(texts: Mapping[str, str], marks: Sequence[str]) -> dict[str, str]:
    """For each field that holds one of `marks` its text, HTML-escaped, with `<mark>` round them; long texts as a snippet."""
    found = {}
    for name, text in texts.items():
        places = _places(text, marks)
        if places:
            found[name] = _snippet(text, places) if len(text) > 2 * SNIPPET else _marked(text, places, 0, len(text))
    return found


def matched(texts: Iterable[str], marks: Sequence[str]) -> tuple[str, ...]:
    """Those of `marks` that stand in one of the texts once case and width are folded."""
    plain = [folded for text in texts for _, _, folded in _lines(text)]
    return tuple(mark for mark in marks if mark and any(mark in text for text in plain))


def _places(text: str, marks: Sequence[str]) -> list[tuple[int, int]]:
    """Stretches of the original that equal a mark once case and width are folded; overlapping ones joined."""
    spans = [
        (start + begin, start + end)
        for start, line, folded in _lines(text)
        for begin, end in _places_in_line(line, folded, marks)
    ]
    joined: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


@lru_cache(maxsize=1024)
def _lines(text: str) -> tuple[tuple[int, str, str], ...]:
    """Where each line begins, the line, and the line folded. Kept, since the same texts are found again and again."""
    found, start = [], 0
    for line in text.splitlines(keepends=True):
        found.append((start, line, _folded(line)))
        start += len(line)
    return tuple(found)


def _places_in_line(line: str, plain: str, marks: Sequence[str]) -> list[tuple[int, int]]:
    found = _occurrences(plain, marks)
    if not found:
        return []
    # Almost always folding keeps every character in its place. Where it does not, each is folded by itself.
    if len(plain) != len(line) or any(_folded(line[begin:end]) != plain[begin:end] for begin, end in found):
        parts = [_folded_character(char) for char in line]
        origin = [place for place, part in enumerate(parts) for _ in part]
        found = [(origin[begin], origin[end - 1] + 1) for begin, end in _occurrences("".join(parts), marks)]
    return found


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


@lru_cache(maxsize=20_000)
def _folded_character(char: str) -> str:
    return _folded(char)


def _occurrences(plain: str, marks: Sequence[str]) -> list[tuple[int, int]]:
    found = []
    for mark in marks:
        start = plain.find(mark) if mark else -1
        while start >= 0:
            found.append((start, start + len(mark)))
            start = plain.find(mark, start + len(mark))
    return found


def _snippet(text: str, places: Sequence[tuple[int, int]]) -> str:
    """The stretch of the text that holds most of the different marks, from the beginning of its sentence or clause, and to
    the end of its line at most."""
    begin, _ = max(places, key=lambda span: (_weight(text, places, span[0]), -span[0]))
    start = _start_of_clause(text, begin)
    end = min(len(text), start + SNIPPET)
    line_end = text.find("\n", begin, end)
    if line_end - start >= SNIPPET // 2:
        end = line_end
    before, after = "…" if start else "", "…" if end < len(text) else ""
    return before + _marked(text, places, start, end).replace("\n", " ").strip() + after


def _weight(text: str, places: Sequence[tuple[int, int]], begin: int) -> int:
    """How many characters of different marks a stretch holds that begins with the mark at `begin`."""
    first = bisect_left(places, (begin,))
    behind = bisect_left(places, (begin + SNIPPET - SNIPPET // 4,), first)
    return sum(map(len, {text[start:end].lower() for start, end in places[first:behind]}))


def _start_of_clause(text: str, begin: int) -> int:
    """Behind the last full stop before a mark, if it is near, else behind the first comma that is near enough."""
    furthest = max(0, begin - SNIPPET // 2)
    stop = max((text.rfind(mark, furthest, begin) for mark in _STOPS), default=-1)
    if stop >= 0 or not furthest:
        return stop + 1
    near = begin - SNIPPET // 4
    commas = [place for mark in _COMMAS if (place := text.find(mark, near, begin)) >= 0]
    return min(commas) + 1 if commas else near


def _marked(text: str, places: Sequence[tuple[int, int]], start: int, end: int) -> str:
    parts, at = [], start
    for begin, stop in places:
        begin, stop = max(begin, start), min(stop, end)
        if begin < stop:
            parts += [html.escape(text[at:begin]), "<mark>", html.escape(text[begin:stop]), "</mark>"]
            at = stop
    return "".join([*parts, html.escape(text[at:end])])
