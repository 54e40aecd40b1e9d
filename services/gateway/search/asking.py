"""Asking the services: all for their part of a search, and those whose hits a page shows for what it shows of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from services.gateway.search.merge import is_overdue
from shared.search.port import MAX_WINDOW

SERVICES = ("catalog", "knowledge", "models")
OVERDUE_SURPLUS = 200

_POOL = ThreadPoolExecutor(len(SERVICES) * 4, thread_name_prefix="search")

Answer = Mapping[str, Any]


class Ask(Protocol):
    """`(service, request)` -> the answer of its `/internal/search`, or None when it is away."""

    def __call__(self, service: str, request: Mapping[str, Any], /) -> Answer | None: ...


Entries = Callable[[str, Sequence[str], Sequence[str]], Answer | None]
"""`(service, ids, marks)` -> the answer of its `/internal/entries`, or None when it is away."""


@dataclass(frozen=True)
class Asked:
    answers: Mapping[str, Answer] = field(default_factory=dict)
    """By service; one that is away is missing."""
    away: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        return sum(answer["total"] for answer in self.answers.values())

    @property
    def degraded(self) -> tuple[str, ...]:
        """Services that looked in their database because their index is away."""
        return tuple(service for service, answer in self.answers.items() if answer.get("degraded"))


def asked(ask: Ask, request: Mapping[str, Any], today: date, *, at_once: bool = True) -> Asked:
    """Every service's answer. `at_once` asks them beside one another, which pays where they are other processes."""
    if at_once:
        futures = [_POOL.submit(_asked_for_enough, ask, service, request, today) for service in SERVICES]
        found = [future.result() for future in futures]
    else:
        found = [_asked_for_enough(ask, service, request, today) for service in SERVICES]
    pairs = list(zip(SERVICES, found, strict=True))
    answers = {service: answer for service, answer in pairs if answer is not None}
    return Asked(answers, tuple(service for service, answer in pairs if answer is None))


def _asked_for_enough(ask: Ask, service: str, request: Mapping[str, Any], today: date) -> Answer | None:
    """Asks once more where overdue hits may have kept out what belongs before them.

    With as many hits in time as were asked for, none beyond them can come before. That holds for up to
    `OVERDUE_SURPLUS` overdue hits; of more, some stand higher than they should.
    """
    answer = ask(service, request)
    if answer is None or not request["query"]["clauses"] or answer["total"] <= len(answer["hits"]):
        return answer
    if not any(is_overdue(hit, today) for hit in answer["hits"]):
        return answer
    more = ask(service, {**request, "limit": min(request["limit"] + OVERDUE_SURPLUS, MAX_WINDOW)})
    return answer if more is None else more


def with_entries(
    hits: Sequence[dict[str, Any]], entries: Entries | None, marks: Sequence[str]
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The hits with what a result shows, asked for where only facts are known, and services that did not answer."""
    missing: dict[str, list[str]] = {}
    for hit in hits:
        if "title" not in hit["payload"]:
            missing.setdefault(hit["service"], []).append(hit["id"])
    if not missing or entries is None:
        return list(hits), ()
    known: dict[tuple[str, str], Mapping[str, Any]] = {}
    away = []
    for service, ids in missing.items():
        answer = entries(service, ids, marks)
        if answer is None:
            away.append(service)
        else:
            known.update({(service, hit["id"]): hit for hit in answer["hits"]})
    filled = []
    for hit in hits:
        if "title" in hit["payload"]:
            filled.append(hit)
        # What was deleted between the two questions is left out.
        elif (whole := known.get((hit["service"], hit["id"]))) is not None:
            filled.append({**hit, **whole, "score": hit["score"]})
    return filled, tuple(away)
