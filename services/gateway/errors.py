"""What the gateway refuses beside the common refusals: classes with facts."""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import Forbidden, RateLimited


@dataclass(eq=False, kw_only=True)
class QuotaUsedUp(RateLimited):
    """The key's calls of this month are used up."""


@dataclass(eq=False, kw_only=True)
class ScopeMissing(Forbidden):
    """The key is good, but not for this."""

    key_id: str
