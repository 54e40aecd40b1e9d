"""What the programme refuses. Facts only; the sentences stand in `problems.py`."""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import Refused


@dataclass(eq=False, kw_only=True)
class NoSuchTarget(Refused):
    """The plan has targets for other years or districts only."""

    field: str
    given: str
    allowed: tuple[str, ...]
