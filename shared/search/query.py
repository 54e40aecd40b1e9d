"""A query after it has been understood: weighted clauses that an engine can run without thinking. Travels as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CLAUSE_KINDS = ("words", "bigrams", "unigrams", "sound", "industry")
MAX_CLAUSES = 200


@dataclass(frozen=True)
class Clause:
    kind: str
    """Which tokens it is looked up among, one of `CLAUSE_KINDS`."""
    token: str
    weight: float


@dataclass(frozen=True)
class AnalysedQuery:
    text: str
    clauses: tuple[Clause, ...] = ()
    marks: tuple[str, ...] = ()
    """What highlighting looks for in the original text, longest first."""

    def to_json(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "clauses": [[clause.kind, clause.token, clause.weight] for clause in self.clauses],
            "marks": list(self.marks),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> AnalysedQuery:
        clauses = tuple(Clause(str(kind), str(token), float(weight)) for kind, token, weight in value["clauses"])
        return cls(str(value["text"]), clauses[:MAX_CLAUSES], tuple(str(mark) for mark in value["marks"]))
