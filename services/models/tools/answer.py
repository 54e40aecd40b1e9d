"""What a tool answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ToolAnswer:
    outputs: Mapping[str, Any]
    """Values by the names of the signature's outputs, in its units."""
    notes: tuple[Mapping[str, str], ...] = ()
    """What the numbers mean for the user, in both languages."""
    charts: tuple[Mapping[str, Any], ...] = field(default=())
    """Control charts: title_zh, title_en, points, centre, upper, lower."""


def rounded(value: float, digits: int = 6) -> float:
    return round(float(value), digits)
