"""JSON as a service can trust it: bounded depth, finite numbers, 64-bit integers, no surrogates, no NUL, no key twice.

Python's own parser takes all of those and answers 500 or writes invalid JSON later (measured: 990 levels are enough).
The scan for depth runs over the bytes before anything is parsed.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from shared.errors import MalformedJson

MAX_DEPTH = 32
_INT64 = 2**63
_STRUCTURE = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)
_SURROGATE_OR_NUL = re.compile("[\ud800-\udfff\x00]")


def loads(body: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """The value in `body` (UTF-8). Raises `MalformedJson` with what is wrong and where."""
    if body.startswith(b"\xef\xbb\xbf"):
        body = body[3:]
    _check_depth(body, max_depth)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as wrong:
        raise MalformedJson(reason="不是 UTF-8 / not UTF-8", where=f"byte {wrong.start}") from None
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_integer
        )
    except json.JSONDecodeError as wrong:
        raise MalformedJson(reason=wrong.msg, where=f"line {wrong.lineno} column {wrong.colno}") from None
    except RecursionError:
        raise MalformedJson(reason=f"嵌套超过 {max_depth} 层 / nested deeper than {max_depth}") from None
    # Escapes such as \ud800 or \u0000 only appear after parsing; the scan of the raw text is the cheap first look.
    if "\\u" in text or "\x00" in text:
        _check_text(value)
    return value


def dumps(value: Any) -> bytes:
    """`value` as JSON bytes; refuses what JSON cannot say (NaN, infinities) instead of writing something else."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")


def _check_depth(body: bytes, max_depth: int) -> None:
    if body.count(b"[") + body.count(b"{") <= max_depth:
        return
    depth = 0
    for found in _STRUCTURE.finditer(body):
        first = found.group()[0]
        if first in b"[{":
            depth += 1
            if depth > max_depth:
                raise MalformedJson(
                    reason=f"嵌套超过 {max_depth} 层 / nested deeper than {max_depth}", where=f"byte {found.start()}"
                )
        elif first in b"]}":
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise MalformedJson(reason=f"键「{twice[:60]}」出现两次 / key given twice")
    return found


def _constant(name: str) -> Any:
    raise MalformedJson(reason=f"{name} 不是 JSON 数值 / {name} is no JSON number")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise MalformedJson(reason=f"数值 {text[:40]} 超出范围 / number out of range")
    return value


def _integer(text: str) -> int:
    if len(text) > 20:
        raise MalformedJson(reason=f"整数超过 64 位 / integer beyond 64 bits: {text[:40]}")
    value = int(text)
    if not -_INT64 <= value < _INT64:
        raise MalformedJson(reason=f"整数超过 64 位 / integer beyond 64 bits: {text[:40]}")
    return value


def _check_text(value: Any) -> None:
    if isinstance(value, str):
        if _SURROGATE_OR_NUL.search(value):
            raise MalformedJson(reason="文本含有无效字符（孤立代理或 NUL）/ text has a lone surrogate or NUL")
    elif isinstance(value, list):
        for each in value:
            _check_text(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            _check_text(name)
            _check_text(each)
