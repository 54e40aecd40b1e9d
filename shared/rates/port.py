"""The rates port: a page of promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

NEVER_S = 86_400.0
"""Said for a bucket that does not refill."""


@dataclass(frozen=True, slots=True)
class Taken:
    allowed: bool
    remaining: int
    retry_after_s: float = 0.0
    degraded: bool = False
    """Counted in this process only, because the shared engine is away."""


class Rates(Protocol):
    def take(self, key: str, n: int, *, capacity: int, refill_per_s: float) -> Taken:
        """Takes all `n` tokens of the bucket `key` or none.

        A bucket starts full with `capacity` and refills by `refill_per_s`. Over all processes that share the engine
        never more than `capacity` plus the refill is handed out; what one process has leased and does not use is back
        within a second. With the engine away it counts in this process and says `degraded`; it never raises. Called
        on the event loop: it waits for the engine only when a lease has run out, at most 50 ms.
        """
        ...

    def ping(self) -> str:
        """What is worth saying about the engine; raises when it is away."""
        ...

    def close(self) -> None:
        """Gives back what is leased and lets go of the engine."""
        ...
