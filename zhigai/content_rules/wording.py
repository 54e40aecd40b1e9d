"""Text that is read quickly: short sentences, short paragraphs, and no more than a page or two."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from zhigai.content_rules.files import Content, strings

LONGEST_SENTENCE = 100
LONG_SENTENCE = 60
MOST_LONG = 0.10
"""Share of the sentences that may be long."""
LONGEST_PARAGRAPH = 300
LONGEST_ARTICLE = 3000
LONGEST_PROBLEM = 300
LONGEST_SUMMARY = 150
_ENDS = re.compile(r"[。！？；!?;]+|\n+")
_MARKUP = re.compile(r"^\s*(?:#+|[-*>]|\d+[.、)])\s*|\*\*|`")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_LEFT_OUT = frozenset(
    {"id", "kind", "industries", "directions", "keywords", "components", "articles", "related", "terms", "standards",
     "owner", "last_confirmed", "confirm_by", "steps", "step", "scale", "status", "subsidy_rule", "source", "unit",
     "component", "solution", "measures", "protocol", "energy", "next", "industry", "en"}
)  # fmt: skip
"""Names and figures, and the English, which says the same."""


def check_wording(content: Content) -> None:
    for solution in content.solutions.values():
        body = solution.content
        _check_length(content, solution.path, "problem", body["problem"], LONGEST_PROBLEM)
        _check_length(content, solution.path, "summary.zh", body["summary"]["zh"], LONGEST_SUMMARY)
        _check_reading(content, solution.path, list(told(body)))
    for article in content.articles.values():
        _check_length(content, article.path, "text", article.text, LONGEST_ARTICLE)
        _check_length(content, article.path, "summary.zh", article.content["summary"]["zh"], LONGEST_SUMMARY)
        _check_reading(content, article.path, [*told(article.content), *blocks(article.text)])
    for others in (content.chains, content.starter_packs, content.diagnoses):
        for each in others.values():
            _check_reading(content, each.path, list(told(each.content)))


def _check_length(content: Content, file: Path, path: str, text: str, most: int) -> None:
    if len(text) > most:
        content.find(file, path, "length", f"{len(text)} characters, at most {most}")


def _check_reading(content: Content, file: Path, texts: list[tuple[str, str]]) -> None:
    counts = []
    for path, text in texts:
        if len(text) > LONGEST_PARAGRAPH:
            content.find(file, path, "reading", f"{len(text)} characters, at most {LONGEST_PARAGRAPH} in a paragraph")
        for sentence in sentences(text):
            counts.append(len(sentence))
            if len(sentence) > LONGEST_SENTENCE:
                said = f"{len(sentence)} characters, at most {LONGEST_SENTENCE} in a sentence: {sentence[:20]}…"
                content.find(file, path, "reading", said)
    share = sum(each > LONG_SENTENCE for each in counts) / max(len(counts), 1)
    if share > MOST_LONG:
        said = f"{share:.0%} of the sentences are longer than {LONG_SENTENCE} characters, at most {MOST_LONG:.0%}"
        content.find(file, "", "reading", said)


def told(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The Chinese texts of an entry that are read as sentences, with their paths."""
    for path, text in strings(value):
        names = [name for name in path.split(".") if not name.isdigit()]
        if names[-1] not in _LEFT_OUT and names[0] not in ("sources", "worked"):
            yield path, text


def blocks(markdown: str) -> Iterator[tuple[str, str]]:
    """Paragraphs, list items and table cells of a text, bare of markup, each with the line it starts in."""
    held: list[str] = []
    start = 0
    in_code = False
    for number, line in enumerate([*markdown.splitlines(), ""], 1):
        in_code = in_code != line.startswith("```")
        stripped = line.strip()
        new = not stripped or stripped.startswith(("|", "#", "-", "*", ">", "```")) or re.match(r"\d+[.)]\s", stripped)
        if held and new:
            yield f"text line {start}", "".join(held)
            held = []
        if not stripped or in_code or stripped.startswith(("```", "#")):
            continue
        if stripped.startswith("|"):
            yield from ((f"text line {number}", cell.strip()) for cell in stripped.strip("|").split("|"))
            continue
        if not held:
            start = number
        held.append(_LINK.sub(r"\1", _MARKUP.sub("", stripped)))


def sentences(text: str) -> Iterable[str]:
    return [each for each in (part.strip() for part in _ENDS.split(text)) if each]
