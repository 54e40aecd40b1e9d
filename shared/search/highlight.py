"""Highlights from places in the original text, never from the token stream."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Mapping, Sequence

SNIPPET = 80


def highlighted(texts: Mapping[str, str], marks: Sequence[str]) -> dict[str, str]:
    """For each field that holds one of `marks` its text, HTML-escaped, with `<mark>` round them; long texts as a snippet."""
    found = {}
    for name, text in texts.items():
        places = _places(text, marks)
        if places:
            found[name] = _snippet(text, places) if len(text) > 2 * SNIPPET else _marked(text, places, 0, len(text))
    return found


def _places(text: str, marks: Sequence[str]) -> list[tuple[int, int]]:
    """Stretches of the original that equal a mark once case and width are folded; overlapping ones joined."""
    folded, origin = [], []
    for place, char in enumerate(text):
        for each in unicodedata.normalize("NFKC", char).lower():
            folded.append(each)
            origin.append(place)
    plain = "".join(folded)
    spans: list[tuple[int, int]] = []
    for mark in marks:
        start = plain.find(mark) if mark else -1
        while start >= 0:
            spans.append((origin[start], origin[start + len(mark) - 1] + 1))
            start = plain.find(mark, start + len(mark))
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _snippet(text: str, places: Sequence[tuple[int, int]]) -> str:
    """The stretch of the text that holds most marks."""
    best = max(places, key=lambda span: sum(1 for start, _ in places if span[0] <= start < span[0] + SNIPPET))
    start = max(0, best[0] - SNIPPET // 4)
    end = min(len(text), start + SNIPPET)
    before, after = "…" if start else "", "…" if end < len(text) else ""
    return before + _marked(text, places, start, end).replace("\n", " ") + after


def _marked(text: str, places: Sequence[tuple[int, int]], start: int, end: int) -> str:
    parts, at = [], start
    for begin, stop in places:
        begin, stop = max(begin, start), min(stop, end)
        if begin < stop:
            parts += [html.escape(text[at:begin]), "<mark>", html.escape(text[begin:stop]), "</mark>"]
            at = stop
    return "".join([*parts, html.escape(text[at:end])])
