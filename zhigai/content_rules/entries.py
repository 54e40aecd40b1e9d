"""What one solution or article must keep by itself: id and place, completeness, sources, standards, money, words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from services.catalog.logic.solution_files import ReadSolution
from services.knowledge.logic.article_files import ReadArticle
from zhigai.content_rules.files import SLUG, Content, strings
from zhigai.content_words import forbidden_words, money_without_source, raw_html

_YEAR = re.compile(r"(?:19|20)\d\d")
_SOLUTION_PARTS = ("scale", "steps", "equipment", "integration")


def check_entries(content: Content) -> None:
    for solution in content.solutions.values():
        _check_solution(content, solution)
    for article in content.articles.values():
        _check_article(content, article)
    for others in (content.chains, content.starter_packs, content.diagnoses):
        for each in others.values():
            _check_told(content, each.path, list(strings(each.content)), has_dated_source=False)


def _check_solution(content: Content, solution: ReadSolution) -> None:
    file, body = solution.path, solution.content
    main = body["industries"][0]
    if file.parent.name != main:
        content.find(file, "industries.0", "place", f"the main industry is {main}, the folder {file.parent.name}")
    if not SLUG.fullmatch(solution.id) or not solution.id.startswith(main.replace("_", "-") + "-"):
        content.find(file, "id", "id", f"an id is a slug that starts with {main.replace('_', '-')}-")
    for name in _SOLUTION_PARTS:
        if not body.get(name):
            content.find(file, name, "incomplete", f"a solution says its {name}")
    for number, effect in enumerate(body["effects"]):
        if effect["status"] == "sourced" and effect["year"] is None:
            content.find(file, f"effects.{number}.year", "source", "a figure with a source names its year")
    investment = body["investment"]
    if investment is not None and investment["status"] != "sourced":
        content.find(file, "investment.status", "source", "an investment is given with a source or not at all")
    _check_common(content, file, body, "", has_dated_source=False)


def _check_article(content: Content, article: ReadArticle) -> None:
    file, body = article.path, article.content
    if not SLUG.fullmatch(article.id):
        content.find(file, "id", "id", "an id is a slug")
    if "steps" not in body:
        content.find(file, "steps", "incomplete", "an article names its process steps; a general one has an empty list")
    if body["kind"] == "fault" and "causes" not in body:
        content.find(file, "causes", "incomplete", "a fault lists 3 to 8 causes, each with check and remedy")
    sourced = [each for each in body["sources"] if each["status"] == "sourced"]
    if body["status"] == "sourced" and not sourced:
        content.find(file, "status", "source", "`sourced` needs a source with that status")
    if re.search(r"^# ", article.text, re.MULTILINE):
        content.find(file, "text", "markdown", "headings start at ##: the title is in the front matter")
    if len(article.text) < 200:
        content.find(file, "text", "markdown", "an article has at least 200 characters")
    for found in raw_html(article.text):
        content.find(file, "text", "markdown", f"raw HTML: {found}")
    dated = any(_YEAR.search(each["text"]) for each in sourced)
    _check_common(content, file, body, article.text, has_dated_source=dated)


def _check_common(content: Content, file: Path, body: Mapping[str, Any], text: str, *, has_dated_source: bool) -> None:
    if date.fromisoformat(body["last_confirmed"]) > datetime.now(UTC).date():
        content.find(file, "last_confirmed", "date", "lies in the future")
    for number in body["standards"]:
        if not content.standards.allows(number):
            content.find(file, "standards", "standard", f"{number} is not in standards.yaml")
    told = {name: value for name, value in body.items() if name != "standards"}
    lines = [*strings(told), *((f"text line {n}", line) for n, line in enumerate(text.splitlines(), 1))]
    _check_told(content, file, lines, has_dated_source=has_dated_source)


def _check_told(content: Content, file: Path, lines: list[tuple[str, str]], *, has_dated_source: bool) -> None:
    """What holds for every text: standards that are known, money with a source, words that belong in content."""
    for path, line in lines:
        for number in content.standards.named_in(line):
            if not content.standards.allows(number):
                content.find(file, path, "standard", f"{number} is not in standards.yaml")
        if not has_dated_source:
            for amount in money_without_source(line):
                content.find(file, path, "money", f"{amount}: name source and year, or say 估算")
        for word in forbidden_words(line):
            content.find(file, path, "word", f"{word} does not belong in content")
