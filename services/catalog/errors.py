"""What only the catalog refuses; the common refusals stand in `shared.errors`."""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import Refused


@dataclass(eq=False, kw_only=True)
class NobodyToAnswer(Refused):
    """An enquiry needs an owner who can read it again: an organisation or a browser's guest."""
