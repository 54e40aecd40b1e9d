"""What the content covers: industry by direction and process step, scales, kinds, statuses, and what is overdue."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from services.catalog.logic.solution_files import SCALES, ReadSolution
from services.knowledge.logic.article_files import KINDS, ReadArticle
from services.knowledge.store.articles import ALL
from shared.fields import DIRECTIONS, INDUSTRIES, STATUSES
from zhigai.content_rules.counts import articles_of, in_step, solutions_of
from zhigai.content_rules.files import Content, read
from zhigai.content_rules.sameness import check_sameness


def report(root: Path, today: date) -> dict[str, Any]:
    """The coverage of the content under `root` as of a day, ready for JSON. Entries that cannot be read count as none."""
    content = read(root.resolve())
    check_sameness(content)
    general = [each for each in content.articles.values() if ALL in each.content["industries"]]
    return {
        "as_of": today.isoformat(),
        "industries": [_industry(content, industry) for industry in INDUSTRIES],
        "general_articles": {"total": len(general), "by_kind": _counts((a.content["kind"] for a in general), KINDS)},
        "totals": {
            "solutions": len(content.solutions),
            "articles": len(content.articles),
            "chains": len(content.chains),
            "starter_packs": len(content.starter_packs),
            "diagnoses": len(content.diagnoses),
            "components": len(content.components),
            "terms": len(content.terms),
        },
        "status": {
            "articles": _counts((each.content["status"] for each in content.articles.values()), STATUSES),
            "effects": _counts(
                (effect["status"] for each in content.solutions.values() for effect in each.content["effects"]),
                STATUSES,
            ),
        },
        "overdue": _overdue(content, today),
        "unreadable": sorted({found.file for found in content.findings if found.rule in ("schema", "yaml")}),
    }


def _industry(content: Content, industry: str) -> dict[str, Any]:
    solutions, articles = solutions_of(content, industry), articles_of(content, industry)
    chain = content.chains.get(industry)
    steps = []
    for step, said in chain.steps.items() if chain is not None else ():
        touching = [each for each in solutions if in_step(industry, step, each)]
        about = [each for each in articles if in_step(industry, step, each)]
        by_direction = _counts((name for each in touching for name in each.content["directions"]), DIRECTIONS)
        steps.append(
            {
                "id": step,
                "zh": said["zh"],
                "en": said["en"],
                "solutions": len(touching),
                "articles": len(about),
                "by_direction": by_direction,
            }
        )
    return {
        "id": industry,
        "solutions": len(solutions),
        "articles": len(articles),
        "by_direction": _counts((name for each in solutions for name in each.content["directions"]), DIRECTIONS),
        "by_scale": _counts((each.content["scale"] for each in solutions if each.content.get("scale")), SCALES),
        "by_kind": _counts((each.content["kind"] for each in articles), KINDS),
        "steps": steps,
        "empty_steps": [each["id"] for each in steps if not each["solutions"] or not each["articles"]],
    }


def _counts(values: Any, wanted: tuple[str, ...]) -> dict[str, int]:
    """How often each of `wanted` occurs, those that do not occur included."""
    counted = Counter(values)
    return {name: counted[name] for name in wanted}


def _overdue(content: Content, today: date) -> list[dict[str, str]]:
    entries: list[tuple[str, ReadSolution | ReadArticle]] = [
        *(("solution", solution) for solution in content.solutions.values()),
        *(("article", article) for article in content.articles.values()),
    ]
    late = [
        {"type": kind, "id": each.id, "confirm_by": each.content["confirm_by"], "owner": each.content["owner"]}
        for kind, each in entries
        if each.content["confirm_by"] < today.isoformat()
    ]
    return sorted(late, key=lambda each: (each["confirm_by"], each["id"]))


def as_text(found: dict[str, Any]) -> str:
    """The report as tables for a terminal."""
    lines = [f"content as of {found['as_of']}", ""]
    lines += _table(
        ["industry", "solutions", "articles", *DIRECTIONS, *SCALES],
        [
            [
                each["id"],
                each["solutions"],
                each["articles"],
                *each["by_direction"].values(),
                *each["by_scale"].values(),
            ]
            for each in found["industries"]
        ],
    )
    lines += ["", *_table(
        ["industry", *KINDS], [[each["id"], *each["by_kind"].values()] for each in found["industries"]]
        + [["general", *found["general_articles"]["by_kind"].values()]],
    )]  # fmt: skip
    for each in found["industries"]:
        if not each["steps"]:
            lines += ["", f"{each['id']}: no chain"]
            continue
        rows = [
            [step["id"], step["solutions"], step["articles"], *step["by_direction"].values()] for step in each["steps"]
        ]
        lines += ["", *_table([f"{each['id']}: step", "solutions", "articles", *DIRECTIONS], rows)]
        if each["empty_steps"]:
            lines.append(f"  without a solution or an article: {', '.join(each['empty_steps'])}")
    lines.append("")
    for what, counts in found["status"].items():
        lines.append(f"{what}: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    lines += [
        f"overdue: {len(found['overdue'])}",
        *(f"  {e['confirm_by']} {e['id']} ({e['owner']})" for e in found["overdue"]),
    ]
    lines += [f"cannot be read: {name}" for name in found["unreadable"]]
    return "\n".join(lines)


def _table(head: list[str], rows: list[list[Any]]) -> list[str]:
    """Columns as wide as their widest cell, figures to the right."""
    cells = [head, *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    ]
