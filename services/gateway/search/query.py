"""A query on its way through the steps. Frozen: a step returns a new one and a note of what it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from services.gateway.search.quantities import Quantity
from services.gateway.search.words import Words
from shared.search.query import Clause


@dataclass(frozen=True)
class Query:
    text: str
    """What the user typed."""
    plain: str = ""
    """Normalised; what the steps rewrite."""
    rewritten: str = ""
    """What is searched for instead, when it differs from what was typed."""
    words: tuple[str, ...] = ()
    bigrams: tuple[str, ...] = ()
    unigrams: tuple[str, ...] = ()
    widened: tuple[Clause, ...] = ()
    """Clauses for synonyms and related words, below the literal ones."""
    weights: tuple[tuple[str, float], ...] = ()
    """Word -> how much it says, up to 1."""
    industry: str | None = None
    direction: str | None = None
    intent: str | None = None
    suggestion: str = ""
    """What may have been meant; close to a rewrite, and not sure enough for one."""
    quantities: tuple[Quantity, ...] = ()
    """Amounts in `plain`."""
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Note:
    step: str
    said: str
    facts: tuple[tuple[str, str], ...] = field(default_factory=tuple)


Step = Callable[[Query, Words], tuple[Query, Note | None]]
