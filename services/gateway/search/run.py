"""The search call: understand once, ask each service, merge; relax when nothing is found, and say what was dropped."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from services.gateway.search import cursor as cursors
from services.gateway.search import words
from services.gateway.search.asking import Ask, Asked, Entries, asked, with_entries
from services.gateway.search.leads import leads, tools_first
from services.gateway.search.merge import COVERED, by_day, facets_of, merged
from services.gateway.search.query import Note, Query
from services.gateway.search.steps import LITERAL_STEPS, STEPS
from services.gateway.search.suggesting import related_searches
from services.gateway.search.words import Words
from shared.errors import BadInput
from shared.fields import localised
from shared.search import analysis
from shared.search.highlight import highlighted
from shared.search.port import MAX_WINDOW
from shared.search.query import MAX_CLAUSES, AnalysedQuery, Clause

LONGEST_QUERY = 300
INDUSTRY_BOOST = 2.0
UNIGRAM_WEIGHT, SOUND_WEIGHT = 1.0, 0.8
FEW_CHARACTERS = 3
"""Only of short queries single characters are looked up: of longer ones they match everything and decide nothing."""
SORTS = ("relevance", "newest")
SORTED_WINDOW = 200
"""Sorting by day looks at so many hits of each service."""


@dataclass(frozen=True)
class Wanted:
    """Which part of the list is asked for, and how it is to be made."""

    page: int = 1
    size: int = 20
    language: str = "zh"
    literal: bool = False
    explain: bool = False
    sort: str = "relevance"
    cursor: str | None = None
    today: date | None = None
    at_once: bool = True
    """Whether services are asked beside one another: they are other processes."""
    favoured: Mapping[str, float] | None = None
    """Ids with a factor of their own, such as what was clicked for this query."""
    missed: Callable[[str], None] | None = None
    """Told of a query that found nothing anywhere, before it is relaxed."""


def run(
    text: str,
    filters: Mapping[str, str | None],
    page: int,
    size: int,
    language: str,
    ask: Ask,
    *,
    entries: Entries | None = None,
    known: Words | None = None,
    wanted: Wanted | None = None,
    literal: bool = False,
    explain: bool = False,
    today: date | None = None,
) -> dict[str, Any]:
    """The answer of `/api/v1/search`. `filters` has type, industry, direction; None means any.

    Entries that should have been confirmed again before `today` stand lower. `known` is the vocabulary with what the
    services said about their texts; by default the shipped terms alone.

    Raises `BadInput` for a query longer than `LONGEST_QUERY` characters and for a cursor of another search.
    """
    started = time.perf_counter()
    known = known or words.load()
    wanted = wanted or Wanted(literal=literal, explain=explain, today=today)
    wanted = replace(wanted, page=page, size=size, language=language, today=wanted.today or datetime.now(UTC).date())
    text = _checked(text)
    query, notes = understood(text, wanted.literal, known)
    of = cursors.mark_of(text, filters, wanted.literal)
    place = cursors.read(wanted.cursor, of) if wanted.cursor else None
    found, warnings = _found(query, filters, _window(wanted, place), ask, wanted)
    hits = tools_first(query, merged(found.answers, query.intent, _day(wanted), wanted.favoured, dict(query.weights)))
    if wanted.sort == "newest":
        hits = by_day(hits)
    shown, away = with_entries(_part(hits, wanted, place), entries, query.marks)
    answer: dict[str, Any] = {
        "query": _query_shown(query),
        "total": found.total,
        "page": page,
        "size": size,
        "items": [shown_item(hit, query, language, explain=wanted.explain) for hit in shown],
        "leads": [] if wanted.literal else leads(query, hits, language),
        "facets": facets_of(found.answers),
        "suggestion": query.suggestion or None,
        "related": related_searches(query, shown, known),
        "warnings": [*warnings, *_away(away, language)],
        "degraded": bool(found.degraded),
        "next_cursor": _next(shown, found.total, wanted, place, of),
    }
    if wanted.explain:
        answer["explain"] = _explained(query, notes)
    answer["took_ms"] = round((time.perf_counter() - started) * 1000, 1)
    return answer


def _checked(text: str) -> str:
    # Half a surrogate pair is no character, and nothing behind here could write it down.
    text = text.encode("utf-8", "replace").decode("utf-8").strip()
    if len(text) > LONGEST_QUERY:
        said = f"最多 {LONGEST_QUERY} 个字符，收到 {len(text)} / at most {LONGEST_QUERY} characters, got {len(text)}"
        raise BadInput(errors={"q": [said]})
    return text


def _found(
    query: Query, filters: Mapping[str, str | None], window: int, ask: Ask, wanted: Wanted
) -> tuple[Asked, list[str]]:
    """What the services found, relaxed when that is nothing, and what is to be said about it."""
    clauses = clauses_of(query)
    warnings: list[str] = []
    if query.text and not clauses:
        warnings.append(
            _said(wanted.language, "没有可以查找的文字，列出全部内容。", "Nothing to search for; listing all.")
        )
    found = asked(ask, _request(query, clauses, filters, window), _day(wanted), at_once=wanted.at_once)
    if not found.total and clauses:
        if wanted.missed is not None and not found.away and not any(filters.values()):
            wanted.missed(query.text)
        relaxed = _relaxed(query, filters, window, ask, wanted)
        if relaxed is not None:
            found, said = relaxed
            warnings.append(said)
    return found, warnings + _missing(found, wanted.language)


def _query_shown(query: Query) -> dict[str, Any]:
    return {
        "text": query.text,
        "rewritten": query.rewritten or query.text,
        "tokens": list(query.words),
        "industry": query.industry,
        "direction": query.direction,
        "intent": query.intent,
    }


def _day(wanted: Wanted) -> date:
    return wanted.today or datetime.now(UTC).date()


def understood(text: str, literal: bool = False, known: Words | None = None) -> tuple[Query, list[Note]]:
    """The query after all steps, and what they did."""
    query, notes = Query(text), []
    known = known or words.load()
    for step in LITERAL_STEPS if literal else STEPS:
        query, note = step(query, known)
        if note is not None:
            notes.append(note)
    return query, notes


def clauses_of(query: Query) -> tuple[Clause, ...]:
    """What the engines are asked: words 1, bigrams and single characters by their fields' boosts, then the widening."""
    weights = dict(query.weights)
    found = [Clause("words", word, weights.get(word, 1.0)) for word in query.words]
    found += [Clause("bigrams", each, _bigram_weight(each, weights)) for each in query.bigrams]
    if len(query.unigrams) <= FEW_CHARACTERS:
        found += [Clause("unigrams", each, UNIGRAM_WEIGHT) for each in query.unigrams]
    found += [Clause("sound", word, SOUND_WEIGHT) for word in query.words if word.isascii() and word.isalpha()]
    found += list(query.widened)
    if query.industry is not None and found:
        found.append(Clause("industry", query.industry, INDUSTRY_BOOST))
    return tuple(found[:MAX_CLAUSES])


def _bigram_weight(pair: str, weights: Mapping[str, float]) -> float:
    """A pair inside a word says as much as the word; one across two words as much as the lighter of what it touches."""
    inside = [weight for word, weight in weights.items() if pair in word]
    if inside:
        return max(inside)
    touched = [weight for word, weight in weights.items() if word.endswith(pair[0]) or word.startswith(pair[1])]
    return min(touched, default=1.0)


def _window(wanted: Wanted, place: cursors.Cursor | None) -> int:
    """How many of its hits each service gives."""
    end = wanted.page * wanted.size if place is None else place.seen + wanted.size
    return min(max(end, SORTED_WINDOW if wanted.sort == "newest" else COVERED), MAX_WINDOW)


def _part(hits: list[dict[str, Any]], wanted: Wanted, place: cursors.Cursor | None) -> list[dict[str, Any]]:
    if place is not None and wanted.sort == "relevance":
        return cursors.after(hits, place)[: wanted.size]
    start = place.seen if place is not None else (wanted.page - 1) * wanted.size
    return hits[start : start + wanted.size]


def _next(shown: list[dict[str, Any]], total: int, wanted: Wanted, place: cursors.Cursor | None, of: str) -> str | None:
    before = place.seen if place is not None else (wanted.page - 1) * wanted.size
    seen = before + len(shown)
    if not shown or seen >= min(total, MAX_WINDOW):
        return None
    return cursors.Cursor(shown[-1]["score"], shown[-1]["id"], seen, of).written()


def _request(
    query: Query, clauses: tuple[Clause, ...], filters: Mapping[str, str | None], window: int
) -> dict[str, Any]:
    analysed = AnalysedQuery(query.text, clauses, query.marks)
    return {
        "query": analysed.to_json(),
        "types": [filters["type"]] if filters.get("type") else [],
        "industries": [filters["industry"]] if filters.get("industry") else [],
        "directions": [filters["direction"]] if filters.get("direction") else [],
        "offset": 0,
        "limit": window,
    }


def _relaxed(
    query: Query, filters: Mapping[str, str | None], window: int, ask: Ask, wanted: Wanted
) -> tuple[Asked, str] | None:
    """Nothing found: the filters go first, then the words are looked up by their single characters."""
    attempts: list[tuple[dict[str, str | None], tuple[Clause, ...], str]] = []
    if any(filters.values()):
        said = _said(
            wanted.language, "筛选条件下没有结果，已去掉筛选。", "Nothing under these filters; they were dropped."
        )
        attempts.append(({}, clauses_of(query), said))
    singles = tuple(Clause("unigrams", char, 1.0) for char in dict.fromkeys(analysis.analyse(query.plain).unigrams))
    if singles:
        said = _said(
            wanted.language, "没有完全相符的内容，以下是最接近的。", "Nothing fits exactly; these are nearest."
        )
        attempts.append(({}, singles[:MAX_CLAUSES], said))
    for without, clauses, said in attempts:
        found = asked(ask, _request(query, clauses, without, window), _day(wanted), at_once=wanted.at_once)
        if found.total:
            return found, said
    return None


def _missing(found: Asked, language: str) -> list[str]:
    said = _away(found.away, language)
    if found.degraded:
        said.append(
            _said(
                language,
                "检索引擎暂时不可用，结果直接取自数据库，排序较粗。",
                "The search engine is away: results come from the database and are ranked coarsely.",
            )
        )
    return said


def _away(services: tuple[str, ...], language: str) -> list[str]:
    return [
        _said(language, f"{service} 暂时没有回答，结果不全。", f"{service} did not answer; incomplete.")
        for service in services
    ]


def _said(language: str, zh: str, en: str) -> str:
    return zh if language == "zh" else en


def _explained(query: Query, notes: list[Note]) -> dict[str, Any]:
    return {
        "steps": [{"step": note.step, "said": note.said} for note in notes],
        "intent": query.intent,
        "clauses": [[clause.kind, clause.token, clause.weight] for clause in clauses_of(query)],
    }


_KEPT_BACK = ("titles", "summaries", "inputs", "keywords")
"""What of the payload serves the search itself and is not shown."""


def shown_item(hit: Mapping[str, Any], query: Query, language: str, *, explain: bool = False) -> dict[str, Any]:
    payload = {name: value for name, value in hit["payload"].items() if name not in _KEPT_BACK}
    title = localised(hit["payload"].get("titles") or payload.get("title"), language)
    summary = localised(hit["payload"].get("summaries") or payload.get("summary"), language)
    highlights = highlighted({"title": title, "summary": summary}, query.marks)
    if hit.get("body"):
        highlights["body"] = hit["body"]
    item = {
        **payload,
        "id": hit["id"],
        "type": hit["type"],
        "title": title,
        "summary": summary,
        "highlights": highlights,
        "matched": list(hit.get("matched") or ()),
        "score": hit["score"],
        "overdue": hit["overdue"],
    }
    if explain:
        item["score_parts"] = hit.get("parts", {})
    return item
