"""The merged API document as a reader wants it: operations by subject, each with a command to try."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.gateway.openapi import operations

STYLE = (Path(__file__).parent / "templates" / "docs.css").read_text(encoding="utf-8").strip()
_ACCESS = {
    "zh": {"anyone": "无需密钥", "guest": "密钥或访客", "key": "需要密钥"},
    "en": {"anyone": "no key needed", "guest": "key or guest", "key": "key needed"},
}
_DEEPEST = 6


@dataclass(frozen=True)
class Parameter:
    name: str
    where: str
    required: bool
    kind: str
    text: str


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    description: str
    access: str
    parameters: list[Parameter] = field(default_factory=list)
    body: str = ""
    answers: list[tuple[str, str]] = field(default_factory=list)
    curl: str = ""


def groups(document: Mapping[str, Any], language: str) -> list[tuple[str, str, list[Operation]]]:
    """(name, description, operations) by tag, in the document's order."""
    described = {tag["name"]: tag.get("description", "") for tag in document.get("tags", [])}
    found: dict[str, list[Operation]] = {}
    for path, method, operation in operations(document):
        tag = next(iter(operation.get("tags", [])), "other")
        found.setdefault(tag, []).append(_operation(document, path, method, operation, language))
    return [(name, described.get(name, ""), each) for name, each in sorted(found.items())]


def _operation(
    document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any], language: str
) -> Operation:
    shared = document["paths"][path].get("parameters", [])
    given = [_resolved(document, each) for each in (*shared, *operation.get("parameters", []))]
    body = _example_body(document, operation)
    security = operation.get("security", [])
    who = "anyone" if {} in security else "guest" if {"guest": []} in security else "key"
    return Operation(
        id=f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        description=operation.get("description", ""),
        access=_ACCESS[language][who],
        parameters=[_parameter(each) for each in given],
        body=body,
        answers=[
            (status, _resolved(document, answer).get("description", ""))
            for status, answer in operation.get("responses", {}).items()
        ],
        curl=_curl(path, method, given, body, needs_key=who != "anyone"),
    )


def _parameter(given: Mapping[str, Any]) -> Parameter:
    schema = given.get("schema", {})
    kind = schema.get("type", "")
    kind = " | ".join(kind) if isinstance(kind, list) else str(kind)
    if schema.get("enum"):
        kind = " | ".join(str(each) for each in schema["enum"] if each is not None)
    return Parameter(
        given["name"],
        given["in"],
        bool(given.get("required")),
        kind,
        given.get("description") or schema.get("description", ""),
    )


def _resolved(document: Mapping[str, Any], value: Mapping[str, Any]) -> Mapping[str, Any]:
    for _ in range(_DEEPEST):
        reference = value.get("$ref")
        if not isinstance(reference, str):
            break
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found.get(part, {})
        value = found
    return value


def _example_body(document: Mapping[str, Any], operation: Mapping[str, Any]) -> str:
    content = _resolved(document, operation.get("requestBody", {})).get("content", {})
    for media in ("application/json", "application/problem+json"):
        if media in content:
            example = _example(document, content[media].get("schema", {}), 0)
            return json.dumps(example, ensure_ascii=False, indent=2)
    return ""


def _example(document: Mapping[str, Any], schema: Mapping[str, Any], depth: int) -> Any:
    schema = _resolved(document, schema)
    for name in ("example", "default"):
        if name in schema:
            return schema[name]
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = next((each for each in kind if each != "null"), "null") if isinstance(kind, list) else kind
    if depth >= _DEEPEST:
        return None
    if kind == "object":
        required = set(schema.get("required", ()))
        properties = schema.get("properties", {})
        wanted = {name: each for name, each in properties.items() if not required or name in required}
        return {name: _example(document, each, depth + 1) for name, each in wanted.items()}
    if kind == "array":
        return [_example(document, schema.get("items", {}), depth + 1)]
    return {"integer": schema.get("minimum", 1), "number": schema.get("minimum", 1), "boolean": True, "null": None}.get(
        kind, "…"
    )


def _curl(path: str, method: str, given: list[Mapping[str, Any]], body: str, *, needs_key: bool) -> str:
    required = [each["name"] for each in given if each["in"] == "query" and each.get("required")]
    query = "?" + "&".join(f"{name}=…" for name in required) if required else ""
    words = ["curl"] if method == "get" else ["curl", "-X", method.upper()]
    if needs_key:
        words += ["-H", '"X-API-Key: $ZHIGAI_KEY"']
    if body:
        words += [
            "-H",
            "'Content-Type: application/json'",
            "-d",
            shlex.quote(json.dumps(json.loads(body), ensure_ascii=False)),
        ]
    return " ".join([*words, f'"$ZHIGAI_URL{path}{query}"'])
