"""How much there must be, and that no direction, scale or process step of an industry stays empty."""

from __future__ import annotations

from pathlib import Path

from services.catalog.logic.solution_files import SCALES, ReadSolution
from services.knowledge.logic.article_files import ReadArticle
from services.knowledge.store.articles import ALL
from shared.fields import DIRECTIONS, INDUSTRIES
from zhigai.content_rules.files import ARTICLES, CATALOG, CHAINS, DIAGNOSIS, STARTER_PACKS, VOCABULARY, Content

SOLUTIONS_PER_INDUSTRY = 16
ARTICLES_PER_INDUSTRY = 25
FAULTS_PER_INDUSTRY = 10
COMPONENTS_PER_INDUSTRY = 4
GENERAL_ARTICLES = 60
TERMS = 465


def check_counts(content: Content) -> None:
    """Needs `content.alike`, which the rule of sameness finds."""
    for industry in INDUSTRIES:
        _check_industry(content, industry)
    general = sum(ALL in each.content["industries"] for each in content.articles.values())
    _at_least(content, ARTICLES / "all", "general articles", general, GENERAL_ARTICLES)
    if len(content.terms) != TERMS:
        content.find(VOCABULARY, "", "count", f"{len(content.terms)} terms, {TERMS} wanted")


def solutions_of(content: Content, industry: str) -> list[ReadSolution]:
    """The solutions that count for an industry: those that say the same as another do not."""
    return [
        each
        for each in content.solutions.values()
        if industry in each.content["industries"] and each.id not in content.alike
    ]


def articles_of(content: Content, industry: str) -> list[ReadArticle]:
    """The articles written for an industry; what holds for all industries is counted by itself."""
    return [
        each
        for each in content.articles.values()
        if industry in each.content["industries"] and each.id not in content.alike
    ]


def in_step(industry: str, step: str, entry: ReadSolution | ReadArticle) -> bool:
    """Steps are those of the main industry's chain, whatever else an entry serves."""
    return entry.content["industries"][0] == industry and step in (entry.content.get("steps") or [])


def _check_industry(content: Content, industry: str) -> None:
    solutions, articles = solutions_of(content, industry), articles_of(content, industry)
    faults = [each for each in articles if each.content["kind"] == "fault"]
    linked = {name for each in solutions for name in each.content["components"]}
    linked |= {name for each in articles for name in each.content["components"]}
    _at_least(content, CATALOG / industry, "solutions", len(solutions), SOLUTIONS_PER_INDUSTRY)
    _at_least(content, ARTICLES / industry, "articles", len(articles), ARTICLES_PER_INDUSTRY)
    _at_least(content, ARTICLES / industry, "articles on faults", len(faults), FAULTS_PER_INDUSTRY)
    computing = len(linked & set(content.components))
    _at_least(content, CATALOG / industry, "components linked", computing, COMPONENTS_PER_INDUSTRY)
    for folder, held in (
        (CHAINS, content.chains),
        (STARTER_PACKS, content.starter_packs),
        (DIAGNOSIS, content.diagnoses),
    ):
        if industry not in held:
            content.find(folder / f"{industry}.yaml", "", "count", "there is no such file")
    for direction in DIRECTIONS:
        if not any(direction in each.content["directions"] for each in solutions):
            content.find(CATALOG / industry, "directions", "coverage", f"no solution for {direction}")
    for scale in SCALES:
        if not any(each.content.get("scale") == scale for each in solutions):
            content.find(CATALOG / industry, "scale", "coverage", f"no solution of scale {scale}")
    chain = content.chains.get(industry)
    for step in chain.steps if chain is not None else ():
        file = CHAINS / f"{industry}.yaml"
        if not any(in_step(industry, step, solution) for solution in solutions):
            content.find(file, f"steps.{step}", "coverage", "no solution touches this step")
        if not any(in_step(industry, step, article) for article in articles):
            content.find(file, f"steps.{step}", "coverage", "no article is about this step")


def _at_least(content: Content, place: Path, what: str, held: int, wanted: int) -> None:
    if held < wanted:
        content.find(place, "", "count", f"{held} {what}, at least {wanted} wanted")
