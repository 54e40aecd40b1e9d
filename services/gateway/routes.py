"""Which service owns a path, as what its calls count, and who may make them. What no line here allows is not routed.

This is the table of operations by caller: a service adds the finer rules (whose row, whose component) itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from shared.fields import service_of

READING = frozenset({"GET", "HEAD", "OPTIONS"})
API = "/api/v1/"


class Who(IntEnum):
    """The least that a caller must be."""

    ANYONE = 0
    GUEST = 1
    KEY = 2


@dataclass(frozen=True, slots=True)
class Rule:
    service: str
    route: str
    """The class that limits, metering and metrics count by."""
    who: Who = Who.ANYONE
    scope: str = ""
    """What a key must be allowed to; nothing is asked of guests, who only ever reach what is their own."""


@dataclass(frozen=True, slots=True)
class Segment:
    """The rules of everything below `/api/v1/<segment>`."""

    reading: Rule
    writing: Rule


def _segment(
    service: str,
    *,
    read: Who = Who.ANYONE,
    write: Who = Who.KEY,
    scope: str = "write",
    reads_as: str = "read",
    writes_as: str = "write",
) -> Segment:
    return Segment(Rule(service, reads_as, read), Rule(service, writes_as, write, scope))


def _owned(service: str, writes_as: str = "write") -> Segment:
    """What a browser's guest may have as well as an organisation."""
    return _segment(service, read=Who.GUEST, write=Who.GUEST, writes_as=writes_as)


def _account(scope: str = "keys") -> Segment:
    return _segment("gateway", read=Who.KEY, scope=scope, reads_as="account", writes_as="account")


SEGMENTS: dict[str, Segment] = {
    "search": _segment("gateway", reads_as="search"),
    "suggest": _segment("gateway", reads_as="search"),
    "me": _segment("gateway", reads_as="account"),
    "usage": _account(),
    "keys": _account(),
    "users": _account(),
    "organisations": _account(),
    "guests": _segment("gateway", write=Who.ANYONE, scope="", writes_as="guest"),
    "industries": _segment("gateway"),
    "solutions": _segment("catalog"),
    "starter-packs": _segment("catalog"),
    "providers": _segment("catalog"),
    "capabilities": _segment("catalog"),
    "reviews": _segment("catalog"),
    "equipment": _segment("catalog"),
    "enquiries": _owned("catalog"),
    "articles": _segment("knowledge"),
    "chains": _segment("knowledge"),
    "terms": _segment("knowledge"),
    "standards": _segment("knowledge"),
    "faults": _segment("knowledge"),
    "relations": _segment("knowledge"),
    "documents": _owned("knowledge", writes_as="upload"),
    "answers": _segment("knowledge", write=Who.ANYONE, scope="", writes_as="search"),
    "components": _segment("models", scope="publish"),
    "webhooks": _segment("models", read=Who.KEY),
    "datasets": _owned("models", writes_as="upload"),
    "trainings": _owned("models"),
    "deployments": _owned("models"),
    "subsidies": _segment("programme"),
    "targets": _segment("programme"),
    "diagnosis-add-ons": _segment("programme"),
    "questionnaires": _segment("programme"),
    "diagnoses": _owned("programme"),
    "projects": _segment("programme"),
    "assessments": _segment("programme"),
    "events": _segment("programme"),
}
EXPORTS = {
    "solutions": "catalog",
    "providers": "catalog",
    "articles": "knowledge",
    "terms": "knowledge",
    "components": "models",
    "targets": "programme",
    "subsidies": "programme",
}
HEALTH = Rule("gateway", "health")
PAGES = Rule("gateway", "read")
ESTIMATE = Rule("programme", "estimate")
PREDICT = Rule("models", "predict", Who.ANYONE, "predict")
"""Anybody may ask; the models service refuses callers without a key where the component is not public."""
BATCH = Rule("models", "predict", Who.GUEST, "predict")
"""A batch is a job, and a job belongs to somebody."""
PREDICT_FILE = Rule("models", "upload", Who.GUEST, "predict")
INFER = Rule("models", "infer", Who.KEY, "predict")
REPOSITORY_INDEX = Rule("models", "read")
"""A POST that only reads: the library says what exists for the caller."""
REPOSITORY_CHANGE = Rule("models", "write", Who.KEY, "*")
ACTUALS = Rule("models", "write", Who.ANYONE, "predict")
"""Whoever asked for a prediction may say what came of it; its id cannot be guessed."""
CLICK = Rule("gateway", "search")
"""Anybody's browser may say that a result was opened: it is counted by query and entry, and limited like searches."""
_CALLING = {"predict": PREDICT, "batch": BATCH, "predict-file": PREDICT_FILE, "actuals": ACTUALS}
_EXACT = {
    "/healthz": HEALTH,
    "/readyz": HEALTH,
    "/metrics": HEALTH,
    "/openapi.json": PAGES,
    "/docs": PAGES,
}


@lru_cache(maxsize=8192)
def rule_of(method: str, path: str) -> Rule | None:
    """The rule for a call, or None when the path belongs to nobody."""
    if path.startswith(API):
        return _api_rule(method, path[len(API) :].split("/"))
    if path == "/v2" or path.startswith("/v2/"):
        return _protocol_rule(method, path)
    return _EXACT.get(path)


def _protocol_rule(method: str, path: str) -> Rule:
    if method in READING:
        return Rule("models", "read")
    if path == "/v2/repository/index":
        return REPOSITORY_INDEX
    return REPOSITORY_CHANGE if path.startswith("/v2/repository/") else INFER


def _api_rule(method: str, parts: list[str]) -> Rule | None:
    name = parts[0]
    if name == "jobs":
        return _job_rule(method, parts)
    if name == "export":
        return _export_rule(parts)
    segment = SEGMENTS.get(name)
    if segment is None:
        return None
    if method in READING:
        return segment.reading
    if name == "components" and len(parts) == 3 and parts[2] in _CALLING:
        return _CALLING[parts[2]]
    if name == "search" and parts[1:] == ["clicks"]:
        return CLICK
    if name == "subsidies" and parts[1:] == ["estimate"]:
        return ESTIMATE
    return segment.writing


def _job_rule(method: str, parts: list[str]) -> Rule | None:
    service = service_of(parts[1]) if len(parts) > 1 else None
    if service is None or service == "gateway":
        return None
    return Rule(service, "jobs" if method in READING else "write", Who.GUEST, "" if method in READING else "write")


def _export_rule(parts: list[str]) -> Rule | None:
    service = EXPORTS.get(parts[1].partition(".")[0]) if len(parts) == 2 else None
    return Rule(service, "read") if service else None
