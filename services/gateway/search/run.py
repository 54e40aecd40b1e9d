"""The search call: understand once, ask each service, merge; relax when nothing is found, and say what was dropped."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from services.gateway.search import words
from services.gateway.search.merge import facets_of, merged
from services.gateway.search.query import Note, Query
from services.gateway.search.steps import LITERAL_STEPS, STEPS
from shared.errors import BadInput
from shared.fields import localised
from shared.search import analysis
from shared.search.highlight import highlighted
from shared.search.query import AnalysedQuery, Clause

SERVICES = ("catalog", "knowledge", "models")
LONGEST_QUERY = 300
INDUSTRY_BOOST = 2.0
UNIGRAM_WEIGHT, SOUND_WEIGHT = 1.0, 0.8

Ask = Callable[[str, Mapping[str, Any]], Mapping[str, Any] | None]
"""`(service, request)` -> the answer of its `/internal/search`, or None when it is away."""

_POOL = ThreadPoolExecutor(len(SERVICES) * 4, thread_name_prefix="search")


def run(
    text: str,
    filters: Mapping[str, str | None],
    page: int,
    size: int,
    language: str,
    ask: Ask,
    *,
    literal: bool = False,
    explain: bool = False,
) -> dict[str, Any]:
    """The answer of `/api/v1/search`. `filters` has type, industry, direction; None means any.

    Raises `BadInput` for a query longer than `LONGEST_QUERY` characters.
    """
    started = time.perf_counter()
    text = text.strip()
    if len(text) > LONGEST_QUERY:
        said = f"最多 {LONGEST_QUERY} 个字符，收到 {len(text)} / at most {LONGEST_QUERY} characters, got {len(text)}"
        raise BadInput(errors={"q": [said]})
    query, notes = understood(text, literal)
    warnings: list[str] = []
    clauses = clauses_of(query)
    if text and not clauses:
        warnings.append(
            "没有可以查找的文字，列出全部内容。" if language == "zh" else "Nothing to search for; listing all."
        )
    request = _request(query, clauses, filters, page, size)
    answers = _asked(ask, request, warnings, language)
    total = sum(answer["total"] for answer in answers)
    if not total and clauses:
        relaxed = _relaxed(query, filters, page, size, ask, language)
        if relaxed is not None:
            answers, said = relaxed
            warnings.append(said)
            total = sum(answer["total"] for answer in answers)
    hits = merged(answers, query.intent)[(page - 1) * size : page * size]
    found: dict[str, Any] = {
        "query": {
            "text": text,
            "rewritten": query.rewritten or text,
            "tokens": list(query.words),
            "industry": query.industry,
        },
        "total": total,
        "page": page,
        "size": size,
        "items": [_item(hit, query, language) for hit in hits],
        "facets": facets_of(answers),
        "suggestion": None,
        "warnings": warnings,
    }
    if explain:
        found["explain"] = {
            "steps": [{"step": note.step, "said": note.said} for note in notes],
            "intent": query.intent,
            "clauses": [[clause.kind, clause.token, clause.weight] for clause in clauses],
        }
    found["took_ms"] = round((time.perf_counter() - started) * 1000, 1)
    return found


def understood(text: str, literal: bool = False) -> tuple[Query, list[Note]]:
    """The query after all steps, and what they did."""
    query, notes, known = Query(text), [], words.load()
    for step in LITERAL_STEPS if literal else STEPS:
        query, note = step(query, known)
        if note is not None:
            notes.append(note)
    return query, notes


def clauses_of(query: Query) -> tuple[Clause, ...]:
    """What the engines are asked: words 1, bigrams and single characters by their fields' boosts, then the widening."""
    found = [Clause("words", word, 1.0) for word in query.words]
    found += [Clause("bigrams", each, 1.0) for each in query.bigrams]
    found += [Clause("unigrams", each, UNIGRAM_WEIGHT) for each in query.unigrams]
    found += [Clause("sound", word, SOUND_WEIGHT) for word in query.words if word.isascii() and word.isalpha()]
    found += list(query.widened)
    if query.industry is not None and found:
        found.append(Clause("industry", query.industry, INDUSTRY_BOOST))
    return tuple(found[:200])


def _request(
    query: Query, clauses: tuple[Clause, ...], filters: Mapping[str, str | None], page: int, size: int
) -> dict[str, Any]:
    analysed = AnalysedQuery(query.text, clauses, query.marks)
    return {
        "query": analysed.to_json(),
        "types": [filters["type"]] if filters.get("type") else [],
        "industries": [filters["industry"]] if filters.get("industry") else [],
        "directions": [filters["direction"]] if filters.get("direction") else [],
        "offset": 0,
        "limit": page * size,
    }


def _asked(ask: Ask, request: Mapping[str, Any], warnings: list[str], language: str) -> list[Mapping[str, Any]]:
    futures = {service: _POOL.submit(ask, service, request) for service in SERVICES}
    answers = []
    for service, future in futures.items():
        answer = future.result()
        if answer is None:
            said = (
                f"{service} 暂时没有回答，结果不全。" if language == "zh" else f"{service} did not answer; incomplete."
            )
            warnings.append(said)
        else:
            answers.append(answer)
    return answers


def _relaxed(
    query: Query, filters: Mapping[str, str | None], page: int, size: int, ask: Ask, language: str
) -> tuple[list[Mapping[str, Any]], str] | None:
    """Nothing found: the filters go first, then the words are looked up by their single characters."""
    chosen = {name: value for name, value in filters.items() if value}
    attempts: list[tuple[dict[str, str | None], tuple[Clause, ...], str]] = []
    if chosen:
        said = (
            "筛选条件下没有结果，已去掉筛选。"
            if language == "zh"
            else "Nothing under these filters; they were dropped."
        )
        attempts.append(({}, clauses_of(query), said))
    singles = tuple(Clause("unigrams", char, 1.0) for char in dict.fromkeys(analysis.analyse(query.plain).unigrams))
    if singles:
        said = (
            "没有完全相符的内容，以下是最接近的。" if language == "zh" else "Nothing fits exactly; these are nearest."
        )
        attempts.append(({}, singles, said))
    for without, clauses, said in attempts:
        answers = _asked(ask, _request(query, clauses, without, page, size), [], language)
        if sum(answer["total"] for answer in answers):
            return answers, said
    return None


def _item(hit: Mapping[str, Any], query: Query, language: str) -> dict[str, Any]:
    payload = dict(hit["payload"])
    titles, summaries = payload.pop("titles", None), payload.pop("summaries", None)
    body = payload.pop("body", "")
    title = localised(titles or payload.get("title"), language)
    summary = localised(summaries or payload.get("summary"), language)
    return {
        **payload,
        "id": hit["id"],
        "type": hit["type"],
        "title": title,
        "summary": summary,
        "highlights": highlighted({"title": title, "summary": summary, "body": body}, query.marks),
        "score": hit["score"],
    }


def suggest(prefix: str, language: str = "zh", limit: int = 8) -> list[dict[str, str]]:
    """Words of the trade that begin with `prefix`: by Chinese, by full pinyin, or by initials (kyj -> 空压机)."""
    plain = analysis.normalise(prefix).strip()[:40]
    if not plain:
        return []
    known = words.load()
    by_text = [name for name in known.by_name if name.startswith(plain)]
    by_ear: list[str] = []
    if plain.isascii() and plain.isalpha():
        for sound, names in known.by_sound.items():
            whole, initials = "".join(sound), "".join(each[0] for each in sound)
            if initials == plain or (len(plain) > 2 and (whole.startswith(plain) or initials.startswith(plain))):
                by_ear += names
    ranked = sorted(dict.fromkeys((*by_text, *by_ear)), key=lambda name: (len(name), name))
    return [{"text": name, "type": "term"} for name in ranked[:limit]]
