"""The knowledge service refuses nothing that the others do not: see `shared.problems`."""

from __future__ import annotations

from shared.problems import Row

PROBLEMS: list[Row] = []
