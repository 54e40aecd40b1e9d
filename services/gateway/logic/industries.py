"""An industry at a glance: its chain with what to do and to read at each step, where to begin, and how much there is.

The chain belongs to the knowledge service, solutions and starter packs to the catalog; here they are put side by side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from shared.errors import NotFound
from shared.fields import INDUSTRIES
from shared.search.query import AnalysedQuery

TITLES: dict[str, dict[str, str]] = {
    "auto_parts": {"zh": "汽车零部件", "en": "Automotive parts"},
    "electronics": {"zh": "电子信息", "en": "Electronics"},
    "smart_home": {"zh": "智能家居家电", "en": "Smart home and appliances"},
    "textile": {"zh": "纺织", "en": "Textiles"},
    "apparel": {"zh": "服装", "en": "Apparel"},
    "chem_fibre": {"zh": "化工化纤", "en": "Chemicals and chemical fibre"},
    "dyeing": {"zh": "印染", "en": "Dyeing and printing"},
    "paper": {"zh": "造纸", "en": "Papermaking"},
    "wood": {"zh": "木业", "en": "Wood"},
    "fastener": {"zh": "紧固件", "en": "Fasteners"},
}
PAGE = 100
MOST_PAGES = 5
_BRIEF = ("id", "url", "title", "summary", "directions", "scale", "overdue")

Read = Callable[[str, str, str], tuple[int, Mapping[str, Any]] | None]
"""`(service, path, query)` -> status and body of its answer, or None when it is away."""
Search = Callable[[str, Mapping[str, Any]], Mapping[str, Any] | None]
"""`(service, request)` -> the answer of its `/internal/search`, or None when it is away."""


def overview(language: str, search: Search) -> tuple[list[dict[str, Any]], list[str]]:
    """The ten industries with how many entries serve each, and the services that did not answer."""
    counts: dict[str, Mapping[str, int]] = {}
    away = []
    for name, service, kind in (("solutions", "catalog", "solution"), ("articles", "knowledge", "article")):
        found = search(service, _counting(kind))
        if found is None:
            away.append(service)
        counts[name] = found["facets"]["industry"] if found is not None else {}
    items = [
        {
            "id": industry,
            "title": TITLES[industry][language],
            "url": f"/industries/{industry}",
            **{name: (None if not held else held.get(industry, 0)) for name, held in counts.items()},
        }
        for industry in INDUSTRIES
    ]
    return items, away


def _counting(kind: str) -> dict[str, Any]:
    query = AnalysedQuery("").to_json()
    return {"query": query, "types": [kind], "industries": [], "directions": [], "offset": 0, "limit": 0}


def at_a_glance(industry: str, language: str, read: Read) -> tuple[dict[str, Any], list[str]]:
    """One industry, and the services that did not answer, whose parts are missing. Raises `NotFound`."""
    if industry not in INDUSTRIES:
        raise NotFound(kind="industry", id=industry[:120])
    away: list[str] = []
    chain = _one(read, away, "knowledge", f"/api/v1/chains/{industry}")
    pack = _one(read, away, "catalog", f"/api/v1/starter-packs/{industry}")
    solutions = _solutions(read, away, industry)
    own = [each for each in solutions if each["industries"][0] == industry]
    steps = [
        {**step, "solutions": [_brief(each) for each in own if step["id"] in each.get("steps", [])]}
        for step in (chain or {}).get("steps", [])
    ]
    found = {
        "id": industry,
        "title": TITLES[industry][language],
        "url": f"/industries/{industry}",
        "chain": None if chain is None else {**chain, "steps": steps},
        "starter_pack": pack,
        "solutions": [_brief(each) for each in solutions],
        "counts": {
            "solutions": len(solutions),
            "by_direction": _counted(name for each in solutions for name in each["directions"]),
            "by_scale": _counted(each["scale"] for each in solutions if each.get("scale")),
            "articles": sum((chain or {}).get("articles_by_kind", {}).values()),
            "by_kind": (chain or {}).get("articles_by_kind", {}),
        },
    }
    return found, sorted(set(away))


def _one(read: Read, away: list[str], service: str, path: str) -> dict[str, Any] | None:
    """What stands at a path, or None when there is no such thing, or the service is away."""
    answer = read(service, path, "")
    if answer is None or answer[0] >= 500:
        away.append(service)
        return None
    return dict(answer[1]) if answer[0] == 200 else None


def _solutions(read: Read, away: list[str], industry: str) -> list[Mapping[str, Any]]:
    held: list[Mapping[str, Any]] = []
    for page in range(1, MOST_PAGES + 1):
        answer = read("catalog", "/api/v1/solutions", urlencode({"industry": industry, "size": PAGE, "page": page}))
        if answer is None or answer[0] != 200:
            away.append("catalog")
            break
        held += answer[1]["items"]
        if len(held) >= answer[1]["total"]:
            break
    return held


def _brief(solution: Mapping[str, Any]) -> dict[str, Any]:
    return {name: solution[name] for name in _BRIEF if name in solution}


def _counted(values: Sequence[str] | Any) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
