"""Whether two answers agree: what was stored with an example, and what a release gives now."""

from __future__ import annotations

import math
from typing import Any

RELATIVE = 1e-3
"""Models run in single precision; another processor may differ in the last digits."""
COMPUTED = ("value", "unit", "interval", "probabilities", "set", "in_range")
"""Of a prediction, what the release computes; the words of a warning may change with the platform."""
SETTLED = ("value", "unit", "in_range", "warnings")
"""What a solver must find again: several plans may be as good as each other."""


def only(answer: dict[str, Any], kept: tuple[str, ...]) -> dict[str, Any]:
    """The answer with these members of its predictions alone, as far as they have them."""
    predictions = [{name: each[name] for name in kept if name in each} for each in answer.get("predictions", [])]
    return {**without_words(answer), "predictions": predictions}


def without_words(answer: dict[str, Any]) -> dict[str, Any]:
    """Where an answer comes from is said by the component as it is described now; no release computes it."""
    return {name: value for name, value in answer.items() if name != "source"}


def difference(stored: Any, found: Any, path: str = "") -> str:
    """Where two answers differ, or an empty string."""
    if isinstance(stored, dict) and isinstance(found, dict):
        for name in sorted(set(stored) | set(found)):
            said = difference(stored.get(name), found.get(name), f"{path}.{name}".strip("."))
            if said:
                return said
        return ""
    if isinstance(stored, list) and isinstance(found, list):
        if len(stored) != len(found):
            return f"{path} (length)"
        for index, (one, other) in enumerate(zip(stored, found, strict=True)):
            said = difference(one, other, f"{path}.{index}")
            if said:
                return said
        return ""
    if isinstance(stored, (int, float)) and isinstance(found, (int, float)) and not isinstance(stored, bool):
        return "" if math.isclose(stored, found, rel_tol=RELATIVE, abs_tol=1e-6) else path
    return "" if stored == found else path
