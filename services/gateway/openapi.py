"""One OpenAPI 3.1 document out of those of the services.

Names that two services use for different things get the service's name in front. What is answered without a view
(inference, health) is described in `content/protocol.yaml`; a service's own description of such a path wins.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from services.gateway.routes import Who, rule_of

Document = Mapping[str, Any]
METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
_PROTOCOL = Path(__file__).parent / "content" / "protocol.yaml"
_INFO = {
    "title": "智改 Zhigai API",
    "version": "v1",
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    "description": (
        "方案、知识、模型与补贴测算的开放接口。公开内容无需密钥；写入、推理与私有数据需要密钥。\n\n"
        "Solutions, knowledge, models and subsidies. Public content needs no key; writing, inference and private "
        "data do."
    ),
}
_SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "Authorization: Bearer zg_live_…"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "guest": {"type": "apiKey", "in": "header", "name": "X-Zhigai-Guest", "description": "POST /api/v1/guests"},
}


@cache
def protocol() -> Document:
    found: Document = yaml.safe_load(_PROTOCOL.read_text(encoding="utf-8"))
    return found


def with_protocol(service: str, document: Document) -> Document:
    """The paths that a service answers, for the models service also those without a view. Not to be merged."""
    if service != "models":
        return {"paths": document.get("paths", {})}
    paths = {path: item for path, item in protocol()["paths"].items() if path.startswith(("/v2", "/api/"))}
    return {"paths": {**paths, **document.get("paths", {})}}


def merged(documents: Mapping[str, Document]) -> dict[str, Any]:
    """The document of the whole platform."""
    whole: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": _INFO,
        "servers": [{"url": "/"}],
        "paths": {},
        "components": {"securitySchemes": _SECURITY_SCHEMES},
    }
    tags: dict[str, dict[str, Any]] = {}
    for service, document in sorted(documents.items()):
        _add(whole, service, document)
        tags.update({tag["name"]: tag for tag in document.get("tags", [])})
    _add(whole, "protocol", protocol())
    used = {tag for _, _, operation in operations(whole) for tag in operation.get("tags", [])}
    whole["tags"] = [tags.get(name, {"name": name}) for name in sorted(used)]
    for path, method, operation in operations(whole):
        operation["security"] = _security(method, path)
    whole["paths"] = dict(sorted(whole["paths"].items()))
    return whole


def operations(document: Document) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def _add(whole: dict[str, Any], service: str, document: Document) -> None:
    renamed = _renamed(whole["components"], document.get("components", {}), service)
    own = _with_new_names(copy.deepcopy(dict(document)), renamed)
    for section, entries in own.get("components", {}).items():
        if section == "securitySchemes":
            continue
        target = whole["components"].setdefault(section, {})
        for name, entry in entries.items():
            target.setdefault(renamed.get((section, name), name), entry)
    for path, item in own.get("paths", {}).items():
        if path.startswith("/internal"):
            continue
        target = whole["paths"].setdefault(path, {})
        for name, value in item.items():
            target.setdefault(name, value)


def _renamed(there: Document, coming: Document, service: str) -> dict[tuple[str, str], str]:
    """New names for what would collide, and for everything that refers to such a thing."""
    entries = {
        (section, name): entry
        for section, named in coming.items()
        if section != "securitySchemes"
        for name, entry in named.items()
    }
    changed = {
        (section, name)
        for (section, name), entry in entries.items()
        if name in there.get(section, {}) and there[section][name] != entry
    }
    while True:
        more = {
            key for key, entry in entries.items() if key not in changed and not changed.isdisjoint(_references(entry))
        }
        if not more:
            break
        changed |= more
    return {(section, name): f"{service.title()}{name}" for section, name in changed}


def _references(value: Any) -> set[tuple[str, str]]:
    if isinstance(value, Mapping):
        found = set().union(*(_references(each) for each in value.values())) if value else set()
        reference = value.get("$ref")
        if isinstance(reference, str) and (named := _named(reference)):
            found.add(named)
        return found
    if isinstance(value, list):
        return set().union(*(_references(each) for each in value)) if value else set()
    return set()


def _named(reference: str) -> tuple[str, str] | None:
    parts = reference.split("/")
    return (parts[2], parts[3]) if len(parts) == 4 and parts[:2] == ["#", "components"] else None


def _with_new_names(value: Any, renamed: Mapping[tuple[str, str], str]) -> Any:
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str) and (named := _named(reference)) in renamed:
            assert named is not None
            return {**value, "$ref": f"#/components/{named[0]}/{renamed[named]}"}
        return {name: _with_new_names(each, renamed) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_new_names(each, renamed) for each in value]
    return value


def _security(method: str, path: str) -> list[dict[str, list[str]]]:
    keys: list[dict[str, list[str]]] = [{"bearer": []}, {"apiKey": []}]
    if path.startswith("/api/v1/jobs/"):
        return [*keys, {"guest": []}]
    rule = rule_of(method.upper(), path)
    if rule is None or rule.who is Who.ANYONE:
        return [{}, *keys]
    return [*keys, {"guest": []}] if rule.who is Who.GUEST else keys


class Merged:
    """The merged document, made anew when a service's document changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: tuple[int, ...] = ()
        self._kept: tuple[Document, ...] = ()
        self._document: dict[str, Any] = {}

    def of(self, documents: Mapping[str, Document]) -> dict[str, Any]:
        names = tuple(id(document) for document in documents.values())
        with self._lock:
            if names != self._of or not self._document:
                self._document = merged(documents)
                # Held, so that an id is not given to another document meanwhile.
                self._of, self._kept = names, tuple(documents.values())
            return self._document
