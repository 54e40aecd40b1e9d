"""Checks all content that ships: schemas, references, statuses, sources, standard numbers, amounts of money, dates.

Content is reviewed like code, so it is checked like code: `zhigai content check` and `make check` run this. Every
finding names the file, the place in it, the rule and what would be right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import marshmallow as ma
import yaml

from services.catalog.logic import solution_files
from services.catalog.logic.solution_files import ReadSolution
from services.knowledge.logic import article_files
from services.knowledge.logic.article_files import ReadArticle
from services.programme.logic import targets
from services.programme.rules import rule as rule_files
from services.programme.rules.engine import compute
from services.programme.rules.rule import Rule
from shared.fields import INDUSTRIES
from shared.http.service_app import flat_errors
from zhigai.content_words import Standards, forbidden_words, money_without_source, raw_html

SOLUTIONS_PER_INDUSTRY = 3
ARTICLES = 40
TERMS = 465
CATALOG = Path("services/catalog/content/solutions")
KNOWLEDGE = Path("services/knowledge/content")
RULES = Path("services/programme/rules")
PLAN = Path("services/programme/content/plan.yaml")
COMPONENTS = Path("services/models/content/components")
VOCABULARY = Path("shared/vocabulary/terms.yaml")

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True, order=True)
class Finding:
    file: str
    path: str
    rule: str
    message: str


@dataclass
class _Content:
    """Everything that was read, and what was found so far."""

    root: Path
    standards: Standards
    solutions: dict[str, ReadSolution] = field(default_factory=dict)
    articles: dict[str, ReadArticle] = field(default_factory=dict)
    terms: dict[str, str] = field(default_factory=dict)
    """Head word -> id."""
    rules: dict[str, Rule] = field(default_factory=dict)
    components: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def find(self, file: Path, path: str, rule: str, message: str) -> None:
        name = file.relative_to(self.root).as_posix() if file.is_absolute() else file.as_posix()
        self.findings.append(Finding(name, path, rule, message))


def check(root: Path) -> list[Finding]:
    """All findings of the content under `root`, the repository's folder; none when it is sound."""
    content = _read(root.resolve())
    for solution in content.solutions.values():
        _check_solution(content, solution)
    for article in content.articles.values():
        _check_article(content, article)
    for name, component in content.components.items():
        file = content.root / COMPONENTS / name / "component.yaml"
        _known(content, file, "articles", component.get("articles") or [], content.articles, "article")
        _known(content, file, "solutions", component.get("solutions") or [], content.solutions, "solution")
    for found in content.rules.values():
        _check_rule(content, found)
    _check_plan(content)
    _check_counts(content)
    return sorted(content.findings)


def _read(root: Path) -> _Content:
    content = _Content(root, Standards.read(root / KNOWLEDGE / "standards.yaml"))
    for path in solution_files.paths(root / CATALOG):
        solution = _attempt(content, path, solution_files.read_one)
        if solution is not None:
            _unique(content, path, solution.id, content.solutions)
            content.solutions[solution.id] = solution
    for path in article_files.paths(root / KNOWLEDGE / "articles"):
        article = _attempt(content, path, article_files.read_one)
        if article is not None:
            _unique(content, path, article.id, content.articles)
            content.articles[article.id] = article
    for path in sorted((root / RULES).glob("*.yaml")):
        rule = _attempt(content, path, lambda path: rule_files.parse(_yaml(path)))
        if rule is not None:
            _unique(content, path, rule.id, content.rules)
            content.rules[rule.id] = rule
    for path in sorted((root / COMPONENTS).glob("*/component.yaml")):
        content.components[path.parent.name] = _attempt(content, path, _yaml) or {}
    _read_terms(content)
    return content


def _yaml(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - the safe loader, compiled


def _attempt(content: _Content, path: Path, read: Any) -> Any:
    try:
        return read(path)
    except ma.ValidationError as wrong:
        for place, said in flat_errors(wrong.messages).items():
            content.find(path, place, "schema", " ".join(said))
    except yaml.YAMLError as wrong:
        content.find(path, "", "yaml", " ".join(str(wrong).split())[:300])
    return None


def _unique(content: _Content, path: Path, entry_id: str, held: Mapping[str, Any]) -> None:
    if entry_id != path.stem:
        content.find(path, "id", "id", f"the id is {entry_id}, the file is called {path.stem}")
    if entry_id in held:
        content.find(path, "id", "id", f"{entry_id} is used twice")


def _read_terms(content: _Content) -> None:
    file = content.root / VOCABULARY
    raw = _yaml(file)
    ids: set[str] = set()
    for term in raw["terms"]:
        if term["id"] in ids or not _SLUG.fullmatch(term["id"]):
            content.find(file, term["id"], "id", "a term's id is a slug and used once")
        if term["zh"] in content.terms:
            content.find(file, term["id"], "id", f"the head word {term['zh']} is used twice")
        if set(term["industries"]) - {*INDUSTRIES, "all"}:
            content.find(file, term["id"], "industry", f"unknown industry in {term['industries']}")
        ids.add(term["id"])
        content.terms[term["zh"]] = term["id"]
    # Articles and terms share an index, in which an id is one document.
    for article in content.articles.values():
        if article.id in ids:
            content.find(article.path, "id", "id", f"{article.id} is the id of a term")


def _check_solution(content: _Content, solution: ReadSolution) -> None:
    file, body = solution.path, solution.content
    main = body["industries"][0]
    if file.parent.name != main:
        content.find(file, "industries.0", "place", f"the main industry is {main}, the folder {file.parent.name}")
    if not _SLUG.fullmatch(solution.id) or not solution.id.startswith(main.replace("_", "-") + "-"):
        content.find(file, "id", "id", f"an id is a slug that starts with {main.replace('_', '-')}-")
    _known(content, file, "components", body["components"], content.components, "component")
    _known(content, file, "articles", body["articles"], content.articles, "article")
    _known(content, file, "terms", body["terms"], content.terms, "head word of a term")
    if body["subsidy_rule"] is not None:
        _known(content, file, "subsidy_rule", [body["subsidy_rule"]], content.rules, "rule")
    for number, effect in enumerate(body["effects"]):
        path = f"effects.{number}"
        if effect["status"] == "sourced" and effect["year"] is None:
            content.find(file, f"{path}.year", "source", "a figure with a source names its year")
        component = effect["verify"].get("component")
        if component is not None and component not in body["components"]:
            content.find(file, f"{path}.verify.component", "reference", f"{component} is not among `components`")
    investment = body["investment"]
    if investment is not None and investment["status"] != "sourced":
        content.find(file, "investment.status", "source", "an investment is given with a source or not at all")
    _check_entry(content, file, body, "", has_dated_source=False)


def _check_article(content: _Content, article: ReadArticle) -> None:
    file, body = article.path, article.content
    if not _SLUG.fullmatch(article.id):
        content.find(file, "id", "id", "an id is a slug")
    _known(content, file, "components", body["components"], content.components, "component")
    _known(content, file, "related", body["related"], content.articles, "article")
    _known(content, file, "terms", body["terms"], content.terms, "head word of a term")
    if article.id in body["related"]:
        content.find(file, "related", "reference", "an article is not related to itself")
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
    _check_entry(content, file, body, article.text, has_dated_source=dated)


def _check_entry(content: _Content, file: Path, body: Mapping[str, Any], text: str, *, has_dated_source: bool) -> None:
    """What holds for every entry: dates, standards, money, and words that never belong in content."""
    if date.fromisoformat(body["last_confirmed"]) > datetime.now(UTC).date():
        content.find(file, "last_confirmed", "date", "lies in the future")
    for number in body["standards"]:
        if not content.standards.allows(number):
            content.find(file, "standards", "standard", f"{number} is not in standards.yaml")
    told = {name: value for name, value in body.items() if name != "standards"}
    lines = [*strings(told), *((f"text line {n}", line) for n, line in enumerate(text.splitlines(), 1))]
    for path, line in lines:
        for number in content.standards.named_in(line):
            if not content.standards.allows(number):
                content.find(file, path, "standard", f"{number} is not in standards.yaml")
        if not has_dated_source:
            for amount in money_without_source(line):
                content.find(file, path, "money", f"{amount}: name source and year, or say 估算")
        for word in forbidden_words(line):
            content.find(file, path, "word", f"{word} does not belong in content")


def _known(content: _Content, file: Path, path: str, given: Iterable[str], known: Mapping[str, Any], what: str) -> None:
    for name in given:
        if name not in known:
            content.find(file, path, "reference", f"there is no {what} {name}")


def _check_rule(content: _Content, rule: Rule) -> None:
    file = content.root / RULES / f"{rule.id}.yaml"
    older = [rule.supersedes] if rule.supersedes else []
    _known(content, file, "supersedes", older, content.rules, "rule")
    _known(content, file, "amount.excludes", rule.excludes, content.rules, "rule")
    money = {each.name for each in rule.inputs if each.kind == "money"}
    for number, case in enumerate(rule.cases):
        given = dict(case["given"])
        as_of = given.pop("as_of", rule.valid_from)
        values = {name: Decimal(value) if name in money else value for name, value in given.items()}
        computed = compute(rule, values, as_of)
        if (computed.verdict.value, computed.amount) != (case["verdict"], case["amount"]):
            said = f"gives {computed.verdict.value} and {computed.amount}"
            content.find(
                file, f"cases.{number}", "case", f"{said}, the case says {case['verdict']} and {case['amount']}"
            )


def _check_plan(content: _Content) -> None:
    """The annex adds up as printed: districts to the city, years of additions to the three-year goal."""
    file = content.root / PLAN
    plan = targets.read(file)
    values = {(each.indicator, each.year, each.district): each for each in plan.targets}
    districts = [each["id"] for each in plan.districts if each["id"] != "city"]
    for (indicator, year, district), target in values.items():
        if district == "city" and sum(values[indicator, year, each].value for each in districts) != target.value:
            content.find(file, f"{indicator}.{year}", "sum", "the districts do not add up to the city")
        if year == "2019-2021":
            years = ("2019", "2020", "2021")
            if sum(values[indicator, single, district].value for single in years) != target.value:
                content.find(file, f"{indicator}.{district}", "sum", "the years do not add up to the goal")


def _check_counts(content: _Content) -> None:
    for industry in INDUSTRIES:
        held = sum(industry in each.content["industries"] for each in content.solutions.values())
        if held < SOLUTIONS_PER_INDUSTRY:
            content.find(CATALOG / industry, "", "count", f"{held} solutions, at least {SOLUTIONS_PER_INDUSTRY} wanted")
    if len(content.articles) < ARTICLES:
        content.find(
            KNOWLEDGE / "articles", "", "count", f"{len(content.articles)} articles, at least {ARTICLES} wanted"
        )
    if len(content.terms) != TERMS:
        content.find(VOCABULARY, "", "count", f"{len(content.terms)} terms, {TERMS} wanted")


def strings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in nested content with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from strings(inner, f"{path}.{name}".strip("."))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from strings(inner, f"{path}.{place}".strip("."))
