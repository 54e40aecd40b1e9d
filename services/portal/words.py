"""The translation catalogue: every word of the portal by key, in each language."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "translations"


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """All words of one language as `{"home.title": "…"}`."""
    with (FOLDER / f"{language}.yaml").open(encoding="utf-8") as file:
        return dict(_flat(yaml.safe_load(file), ""))


def _flat(words: Mapping[str, Any], above: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in words.items():
        key = f"{above}.{name}" if above else str(name)
        if isinstance(value, Mapping):
            found += _flat(value, key)
        else:
            found.append((key, str(value)))
    return found


def word(language: str, key: str, **values: object) -> str:
    """The wording of `key`; a key that is missing shows itself, so that a reviewer sees it (a test fails on it too)."""
    text = catalogue(language).get(key, f"[{key}]")
    return text.format(**values) if values else text
