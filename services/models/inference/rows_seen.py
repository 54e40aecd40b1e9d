"""Which rows a release was fitted on, so that a score on them is never taken for a test."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np


def digest_of(row: Iterable[Any]) -> str:
    """A row of features as serving sees it: single precision, six significant digits."""
    text = "|".join(f"{float(np.float32(value)):.6g}" for value in row)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:10]


def rows_seen(folder: Path) -> frozenset[str]:
    """Digests of the release's training rows; empty when it keeps none."""
    path = folder / "rows_seen.txt"
    return frozenset(path.read_text(encoding="ascii").split()) if path.exists() else frozenset()
