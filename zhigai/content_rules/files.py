"""All content files, read once for every rule; what cannot be read is a finding itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import marshmallow as ma
import yaml

from services.catalog.logic import solution_files, starter_files
from services.catalog.logic.solution_files import ReadSolution
from services.catalog.logic.starter_files import ReadStarterPack
from services.knowledge.logic import article_files, chain_files
from services.knowledge.logic.article_files import ReadArticle
from services.knowledge.logic.chain_files import ReadChain
from services.programme.logic import diagnosis_files
from services.programme.logic.diagnosis_files import ReadDiagnosis
from services.programme.rules import rule as rule_files
from services.programme.rules.rule import Rule
from shared import safe_yaml
from shared.fields import INDUSTRIES
from shared.http.service_app import flat_errors
from zhigai.content_words import Standards

CATALOG = Path("services/catalog/content/solutions")
STARTER_PACKS = Path("services/catalog/content/starter_packs")
KNOWLEDGE = Path("services/knowledge/content")
ARTICLES = KNOWLEDGE / "articles"
CHAINS = KNOWLEDGE / "chains"
DIAGNOSIS = Path("services/programme/content/diagnosis")
RULES = Path("services/programme/rules")
PLAN = Path("services/programme/content/plan.yaml")
COMPONENTS = Path("services/models/content/components")
VOCABULARY = Path("shared/vocabulary/terms.yaml")

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, order=True)
class Finding:
    file: str
    path: str
    rule: str
    message: str

    def concerns(self, industry: str) -> bool:
        """Whether the file belongs to an industry; `all` means what belongs to none of them."""
        if industry == "all":
            return not any(self.concerns(each) for each in INDUSTRIES)
        file = Path(self.file)
        stem = file.name.partition(".")[0]
        return industry in (*file.parts, stem) or stem.startswith(f"{industry.replace('_', '-')}-")


@dataclass
class Content:
    """Everything that was read, and what was found so far."""

    root: Path
    standards: Standards
    solutions: dict[str, ReadSolution] = field(default_factory=dict)
    articles: dict[str, ReadArticle] = field(default_factory=dict)
    chains: dict[str, ReadChain] = field(default_factory=dict)
    """By industry, as are the next two."""
    starter_packs: dict[str, ReadStarterPack] = field(default_factory=dict)
    diagnoses: dict[str, ReadDiagnosis] = field(default_factory=dict)
    terms: dict[str, str] = field(default_factory=dict)
    """Head word -> id."""
    trade_words: frozenset[str] = frozenset()
    """Names of machines, products and processes of single industries, synonyms included."""
    rules: dict[str, Rule] = field(default_factory=dict)
    components: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    alike: frozenset[str] = frozenset()
    """Ids of entries that say the same as an earlier one and so count as none."""
    findings: list[Finding] = field(default_factory=list)

    def find(self, file: Path, path: str, rule: str, message: str) -> None:
        name = file.relative_to(self.root).as_posix() if file.is_absolute() else file.as_posix()
        self.findings.append(Finding(name, path, rule, message))

    def known(self, file: Path, path: str, given: Iterable[str], known: Mapping[str, Any], what: str) -> None:
        """Finds each of `given` that is not among `known`."""
        for name in given:
            if name not in known:
                self.find(file, path, "reference", f"there is no {what} {name}")


def read(root: Path) -> Content:
    """All content under `root`, the repository's folder, as an absolute path."""
    content = Content(root, Standards.read(root / KNOWLEDGE / "standards.yaml"))
    _take(content, solution_files.paths(root / CATALOG), solution_files.read_one, "id", content.solutions)
    _take(content, article_files.paths(root / ARTICLES), article_files.read_one, "id", content.articles)
    _take(content, chain_files.paths(root / CHAINS), chain_files.read_one, "industry", content.chains)
    packs = starter_files.paths(root / STARTER_PACKS)
    _take(content, packs, starter_files.read_one, "industry", content.starter_packs)
    diagnoses = diagnosis_files.paths(root / DIAGNOSIS)
    _take(content, diagnoses, diagnosis_files.read_one, "industry", content.diagnoses)
    _take(
        content, sorted((root / RULES).glob("*.yaml")), lambda path: rule_files.parse(_yaml(path)), "id", content.rules
    )
    for path in sorted((root / COMPONENTS).glob("*/component.yaml")):
        content.components[path.parent.name] = _attempt(content, path, _yaml) or {}
    _read_terms(content)
    return content


def _take(content: Content, paths: Iterable[Path], read_one: Any, name: str, held: dict[str, Any]) -> None:
    """Reads files that are called like what they hold."""
    for path in paths:
        entry = _attempt(content, path, read_one)
        if entry is None:
            continue
        key = getattr(entry, name)
        if key != path.stem:
            content.find(path, name, "id", f"the {name} is {key}, the file is called {path.stem}")
        if key in held:
            content.find(path, name, "id", f"{key} is used twice")
        held[key] = entry


def _yaml(path: Path) -> Any:
    return safe_yaml.loads(path.read_text(encoding="utf-8"))


def _attempt(content: Content, path: Path, read_one: Any) -> Any:
    try:
        return read_one(path)
    except ma.ValidationError as wrong:
        for place, said in flat_errors(wrong.messages).items():
            content.find(path, place, "schema", " ".join(said))
    except yaml.YAMLError as wrong:
        content.find(path, "", "yaml", " ".join(str(wrong).split())[:300])
    except UnicodeDecodeError as wrong:
        content.find(path, "", "yaml", f"not UTF-8 at byte {wrong.start}")
    return None


def _read_terms(content: Content) -> None:
    file = content.root / VOCABULARY
    ids: set[str] = set()
    words: set[str] = set()
    for term in _yaml(file)["terms"]:
        if term["id"] in ids or not SLUG.fullmatch(term["id"]):
            content.find(file, term["id"], "id", "a term's id is a slug and used once")
        if term["zh"] in content.terms:
            content.find(file, term["id"], "id", f"the head word {term['zh']} is used twice")
        if set(term["industries"]) - {*INDUSTRIES, "all"}:
            content.find(file, term["id"], "industry", f"unknown industry in {term['industries']}")
        if term["category"] in INDUSTRIES:
            words.update((term["zh"], *term["synonyms"]))
        ids.add(term["id"])
        content.terms[term["zh"]] = term["id"]
    content.trade_words = frozenset(words)
    # Articles and terms share an index, in which an id is one document.
    for article in content.articles.values():
        if article.id in ids:
            content.find(article.path, "id", "id", f"{article.id} is the id of a term")


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
