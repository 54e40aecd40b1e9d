"""A release must give its stored answers again. Needs numpy: imported by the command line and the worker only."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from services.models.inference.predict import predict
from services.models.inference.release import open_release, versions_of
from services.models.inference.sessions import load
from services.models.logic.shipping import Finding

RELATIVE = 1e-3
"""Models run in single precision; another processor may differ in the last digits."""


def findings(roots: Sequence[Path], name: str) -> Iterator[Finding]:
    """Examples whose answer is not what is stored."""
    folder = open_release(roots, name).folder.parent.parent
    for version in versions_of(folder):
        release = load(open_release(roots, name, version))
        for example in release.about.examples:
            difference = _difference(example["answer"], predict(release, example["request"], "zh"), "")
            if difference:
                place = f"releases/{version}/examples.yaml {example['name']}"
                yield Finding("example-answer", place, f"differs at {difference}")


def _difference(stored: Any, found: Any, path: str) -> str:
    """Where two answers differ, or an empty string."""
    if isinstance(stored, dict) and isinstance(found, dict):
        for name in sorted(set(stored) | set(found)):
            said = _difference(stored.get(name), found.get(name), f"{path}.{name}".strip("."))
            if said:
                return said
        return ""
    if isinstance(stored, list) and isinstance(found, list):
        if len(stored) != len(found):
            return f"{path} (length)"
        for index, (one, other) in enumerate(zip(stored, found, strict=True)):
            said = _difference(one, other, f"{path}.{index}")
            if said:
                return said
        return ""
    if isinstance(stored, (int, float)) and isinstance(found, (int, float)) and not isinstance(stored, bool):
        return "" if math.isclose(stored, found, rel_tol=RELATIVE, abs_tol=1e-6) else path
    return "" if stored == found else path
