"""The trade's words: terms with synonyms, slips and related words, and pairs that must never be merged."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shared import safe_yaml

FILE = Path(__file__).parent / "terms.yaml"


@dataclass(frozen=True)
class Term:
    id: str
    zh: str
    en: str
    category: str
    industries: tuple[str, ...]
    synonyms: tuple[str, ...]
    variants: tuple[str, ...]
    related: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return (self.zh, *self.synonyms)


@dataclass(frozen=True)
class Vocabulary:
    terms: tuple[Term, ...]
    never_merge: frozenset[frozenset[str]]
    never_merge_why: tuple[tuple[str, str, str], ...]
    version: str

    def may_merge(self, one: str, other: str) -> bool:
        return frozenset((one, other)) not in self.never_merge


@cache
def load() -> Vocabulary:
    """The vocabulary as shipped; its version is a hash of the file, so that a change asks for a reindex."""
    raw = FILE.read_bytes()
    data = safe_yaml.loads(raw)
    terms = tuple(
        Term(
            id=term["id"],
            zh=term["zh"],
            en=term["en"],
            category=term["category"],
            industries=tuple(term["industries"]),
            synonyms=tuple(term["synonyms"]),
            variants=tuple(term["variants"]),
            related=tuple(term["related"]),
        )
        for term in data["terms"]
    )
    pairs = tuple((pair["a"], pair["b"], pair["why"]) for pair in data["never_merge"])
    never = frozenset(frozenset((one, other)) for one, other, _ in pairs if one != other)
    return Vocabulary(terms, never, pairs, hashlib.sha256(raw).hexdigest()[:12])
