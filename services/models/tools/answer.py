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
    """Control charts: title_zh, title_en, points, centre, upper, lower. Others say their `kind`: `gantt` has unit, until
    and rows [{name, bars: [{start, end, label, group}]}], `layout` has width, height and parts [{x, y, width, height,
    label, group}]; a group of 0 is what is not production (changing over, waste)."""
    tables: tuple[Mapping[str, Any], ...] = ()
    """title_zh, title_en, columns [{name, title_zh, title_en, unit}], rows [[cell, ...]]."""


def rounded(value: float, digits: int = 6) -> float:
    return round(float(value), digits)
