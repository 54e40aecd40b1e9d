"""How good search is on judged queries: nDCG@10, MRR@10, success@1/3/5, by intent, industry and kind, and what failed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from shared import safe_yaml

DEPTH = 10
GOOD = 2
"""From this grade on a result is an answer; below it only touches the question."""


class BadJudgements(ValueError):
    """A file of judged queries that cannot be used; says in which entry and why."""


@dataclass(frozen=True)
class Judged:
    text: str
    intent: str
    industry: str | None
    kind: str
    kept: bool
    """Not looked at while search is tuned."""
    relevant: Mapping[str, int]
    """Id -> grade: 3 the answer, 2 good, 1 touches it."""


@dataclass(frozen=True)
class Outcome:
    judged: Judged
    found: tuple[str, ...]
    rewritten: str | None
    total: int

    @property
    def first(self) -> int | None:
        """The place of the first answer among the first `DEPTH`, from 1."""
        for place, each in enumerate(self.found[:DEPTH], 1):
            if self.judged.relevant.get(each, 0) >= GOOD:
                return place
        return None

    @property
    def ndcg(self) -> float:
        gains = [2 ** self.judged.relevant.get(each, 0) - 1 for each in self.found[:DEPTH]]
        ideal = sorted((2**grade - 1 for grade in self.judged.relevant.values()), reverse=True)[:DEPTH]
        best = _discounted(ideal)
        return _discounted(gains) / best if best else 0.0


def name_of(item: Mapping[str, Any]) -> str:
    """A result as judgements name it: its id, and `term:` before it for a term, since some share it with a tool."""
    return f"term:{item['id']}" if item["type"] == "term" else str(item["id"])


Find = Callable[[str], tuple[Sequence[str], str | None, int]]
"""A query's text -> ids best first, what was searched for instead or None, how many were found in all."""


def read(path: Path) -> list[Judged]:
    """The judged queries of a file. Raises `BadJudgements` naming the entry that cannot be read."""
    try:
        data = safe_yaml.loads(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as wrong:
        raise BadJudgements(f"{path.name}: not YAML: {wrong}") from None
    if not isinstance(data, dict) or not isinstance(data.get("queries"), list):
        raise BadJudgements(f"{path.name}: a list `queries` is needed")
    return [_judged(path.name, number, each) for number, each in enumerate(data["queries"], 1)]


def _judged(name: str, number: int, each: Any) -> Judged:
    try:
        return Judged(
            text=str(each["q"]),
            intent=str(each.get("intent") or "-"),
            industry=each.get("industry"),
            kind=str(each.get("kind") or "plain"),
            kept=bool(each.get("kept", False)),
            relevant={str(row_id): int(grade) for row_id, grade in each["relevant"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        said = f"{name}: entry {number} needs `q` and `relevant` (id: grade 1 to 3), got {str(each)[:80]}"
        raise BadJudgements(said) from None


def outcomes(queries: Iterable[Judged], find: Find) -> list[Outcome]:
    found = []
    for judged in queries:
        ids, rewritten, total = find(judged.text)
        found.append(Outcome(judged, tuple(ids), rewritten, total))
    return found


def figures(of: Sequence[Outcome]) -> dict[str, float]:
    """The figures of a set of outcomes; an empty set has none."""
    if not of:
        return {"queries": 0}
    count = len(of)
    firsts = [each.first for each in of]
    return {
        "queries": count,
        "ndcg@10": round(sum(each.ndcg for each in of) / count, 4),
        "mrr@10": round(sum(1 / first for first in firsts if first) / count, 4),
        **{f"success@{k}": round(sum(1 for first in firsts if first and first <= k) / count, 4) for k in (1, 3, 5)},
        "zero_results": round(sum(1 for each in of if not each.total) / count, 4),
    }


def report(of: Sequence[Outcome]) -> dict[str, Any]:
    """Figures over all, of either half, by intent, industry and kind, and the queries without an answer in the first 3."""
    groups: dict[str, dict[str, dict[str, float]]] = {}
    for name in ("intent", "industry", "kind"):
        values = sorted({str(getattr(each.judged, name) or "-") for each in of})
        groups[name] = {
            value: figures([each for each in of if str(getattr(each.judged, name) or "-") == value]) for value in values
        }
    failures = [
        {
            "q": each.judged.text,
            "first": each.first,
            "found": list(each.found[:3]),
            "wanted": [row_id for row_id, grade in each.judged.relevant.items() if grade >= GOOD],
            "rewritten": each.rewritten,
        }
        for each in of
        if each.first is None or each.first > 3
    ]
    return {
        "all": figures(of),
        "kept": figures([each for each in of if each.judged.kept]),
        "tuned": figures([each for each in of if not each.judged.kept]),
        **{f"by_{name}": group for name, group in groups.items()},
        "failures": failures,
    }


def _discounted(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, 1))
