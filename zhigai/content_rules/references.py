"""Every reference leads somewhere, and somewhere leads to every entry."""

from __future__ import annotations

from pathlib import Path

from services.catalog.logic.solution_files import ReadSolution
from services.knowledge.logic.article_files import ReadArticle
from shared.fields import INDUSTRIES
from zhigai.content_rules.files import COMPONENTS, Content


def check_references(content: Content) -> None:
    for solution in content.solutions.values():
        _check_solution(content, solution)
    for article in content.articles.values():
        _check_article(content, article)
    for name, component in content.components.items():
        file = content.root / COMPONENTS / name / "component.yaml"
        content.known(file, "articles", component.get("articles") or [], content.articles, "article")
        content.known(file, "solutions", component.get("solutions") or [], content.solutions, "solution")
    _check_starter_packs(content)
    _check_diagnoses(content)
    _check_orphans(content)


def _check_solution(content: Content, solution: ReadSolution) -> None:
    file, body = solution.path, solution.content
    content.known(file, "components", body["components"], content.components, "component")
    content.known(file, "articles", body["articles"], content.articles, "article")
    content.known(file, "terms", body["terms"], content.terms, "head word of a term")
    _check_steps(content, solution)
    if body["subsidy_rule"] is not None:
        content.known(file, "subsidy_rule", [body["subsidy_rule"]], content.rules, "rule")
    for number, effect in enumerate(body["effects"]):
        component = effect["verify"].get("component")
        if component is not None and component not in body["components"]:
            path = f"effects.{number}.verify.component"
            content.find(file, path, "reference", f"{component} is not among `components`")


def _check_article(content: Content, article: ReadArticle) -> None:
    file, body = article.path, article.content
    content.known(file, "components", body["components"], content.components, "component")
    content.known(file, "related", body["related"], content.articles, "article")
    content.known(file, "terms", body["terms"], content.terms, "head word of a term")
    _check_steps(content, article)
    if article.id in body["related"]:
        content.find(file, "related", "reference", "an article is not related to itself")


def _check_steps(content: Content, entry: ReadSolution | ReadArticle) -> None:
    steps, main = entry.content.get("steps") or [], entry.content["industries"][0]
    chain = content.chains.get(main)
    if chain is not None:
        content.known(entry.path, "steps", steps, chain.steps, f"step of the chain of {main}")
    elif steps and main in INDUSTRIES:
        content.find(entry.path, "steps", "reference", f"there is no chain of {main} yet")


def _check_starter_packs(content: Content) -> None:
    for industry, pack in content.starter_packs.items():
        for number, measure in enumerate(pack.content["measures"]):
            path = f"measures.{number}"
            _check_own_solution(content, pack.path, f"{path}.solution", measure["solution"], industry)
            if measure["component"] is not None:
                content.known(pack.path, f"{path}.component", [measure["component"]], content.components, "component")
        named = [measure["solution"] for measure in pack.content["measures"]]
        if len(set(named)) < len(named):
            content.find(pack.path, "measures", "reference", "a pack names three different solutions")


def _check_diagnoses(content: Content) -> None:
    for industry, diagnosis in content.diagnoses.items():
        chain = content.chains.get(industry)
        for number, question in enumerate(diagnosis.content["questions"]):
            path = f"questions.{number}"
            if chain is not None:
                what = f"step of the chain of {industry}"
                content.known(diagnosis.path, f"{path}.step", [question["step"]], chain.steps, what)
            for solution in question["measures"]:
                _check_own_solution(content, diagnosis.path, f"{path}.measures", solution, industry)


def _check_own_solution(content: Content, file: Path, path: str, solution_id: str, industry: str) -> None:
    content.known(file, path, [solution_id], content.solutions, "solution")
    solution = content.solutions.get(solution_id)
    if solution is not None and industry not in solution.content["industries"]:
        content.find(file, path, "reference", f"{solution_id} is no solution of {industry}")


def _check_orphans(content: Content) -> None:
    """An entry with process steps is reached from its chain; any other needs a link to it."""
    solutions, articles = _linked(content)
    for entries, linked in ((content.solutions, solutions), (content.articles, articles)):
        for entry in entries.values():
            in_chain = bool(entry.content.get("steps")) and entry.content["industries"][0] in content.chains
            if entry.id not in linked and not in_chain:
                said = "no entry, component, chain, diagnosis or starter pack leads here"
                content.find(entry.path, "id", "orphan", said)


def _linked(content: Content) -> tuple[set[str], set[str]]:
    """Ids of the solutions and of the articles that something leads to."""
    solutions: set[str] = set()
    articles: set[str] = set()
    for component in content.components.values():
        solutions.update(component.get("solutions") or [])
        articles.update(component.get("articles") or [])
    for pack in content.starter_packs.values():
        solutions.update(measure["solution"] for measure in pack.content["measures"])
    for diagnosis in content.diagnoses.values():
        solutions.update(each for question in diagnosis.content["questions"] for each in question["measures"])
    for solution in content.solutions.values():
        articles.update(solution.content["articles"])
    for article in content.articles.values():
        articles.update(each for each in article.content["related"] if each != article.id)
    return solutions, articles
