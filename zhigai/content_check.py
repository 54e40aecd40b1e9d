"""Checks all content that ships: schemas, references, statuses, sources, numbers, wording, sameness and coverage.

Content is reviewed like code, so it is checked like code: `zhigai content check` and `make check` run this. Every
finding names the file, the place in it, the rule and what would be right. The rules stand in `zhigai.content_rules`.
"""

from __future__ import annotations

from pathlib import Path

from zhigai.content_rules.counts import check_counts
from zhigai.content_rules.entries import check_entries
from zhigai.content_rules.figures import check_figures
from zhigai.content_rules.files import KNOWLEDGE, PLAN, RULES, VOCABULARY, Finding, read
from zhigai.content_rules.plan import check_plan
from zhigai.content_rules.references import check_references
from zhigai.content_rules.sameness import check_sameness
from zhigai.content_rules.wording import check_wording
from zhigai.content_rules.worked import check_worked

CHECKS = (
    check_entries, check_references, check_worked, check_figures, check_wording, check_sameness, check_plan,
    check_counts,
)  # fmt: skip

GAPS = frozenset({"incomplete", "count", "coverage", "orphan"})
"""Rules that say what is still to be written; every other finding is a fault in what stands there."""

__all__ = ["GAPS", "KNOWLEDGE", "PLAN", "RULES", "VOCABULARY", "Finding", "check"]


def check(root: Path, industry: str | None = None) -> list[Finding]:
    """All findings of the content under `root`, the repository's folder; none when it is sound.

    With `industry` only those in files of that industry; `all` stands for the files that belong to none.
    """
    content = read(root.resolve())
    for each in CHECKS:
        each(content)
    return sorted({found for found in content.findings if industry is None or found.concerns(industry)})
