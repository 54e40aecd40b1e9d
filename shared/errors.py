"""Refusals that every service knows: classes with facts only. Sentences and statuses stand in `shared.problems`.

Dataclasses with `eq=False` so that they stay hashable, never frozen: a frozen exception dies in the first
context manager that sets its traceback.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(eq=False, kw_only=True)
class Refused(Exception):
    """Root of everything that is refused with a reason the caller can act on."""

    def __str__(self) -> str:
        facts = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({facts})"


@dataclass(eq=False, kw_only=True)
class NotFound(Refused):
    kind: str
    id: str


@dataclass(eq=False, kw_only=True)
class NoSuchPath(Refused):
    path: str


@dataclass(eq=False, kw_only=True)
class MethodNotAllowed(Refused):
    method: str
    allowed: tuple[str, ...] = ()


@dataclass(eq=False, kw_only=True)
class BadInput(Refused):
    """Fields that are wrong, by path: `{"instances.0.age": ["…"]}`."""

    errors: dict[str, list[str]] = field(default_factory=dict)


@dataclass(eq=False, kw_only=True)
class MalformedJson(Refused):
    reason: str
    where: str = ""


@dataclass(eq=False, kw_only=True)
class BodyCut(Refused):
    expected_bytes: int | None = None
    received_bytes: int = 0


@dataclass(eq=False, kw_only=True)
class BadRequest(Refused):
    reason: str


@dataclass(eq=False, kw_only=True)
class UnsupportedMedia(Refused):
    given: str
    wanted: str = "application/json"


@dataclass(eq=False, kw_only=True)
class TooLarge(Refused):
    limit_bytes: int


@dataclass(eq=False, kw_only=True)
class HeadersTooLarge(Refused):
    limit_bytes: int


@dataclass(eq=False, kw_only=True)
class BodyTooSlow(Refused):
    seconds: float


@dataclass(eq=False, kw_only=True)
class Unauthenticated(Refused):
    reason: str = "missing"


@dataclass(eq=False, kw_only=True)
class Forbidden(Refused):
    needed: str


@dataclass(eq=False, kw_only=True)
class Conflict(Refused):
    kind: str
    id: str
    reason: str


@dataclass(eq=False, kw_only=True)
class PreconditionRequired(Refused):
    header: str = "If-Match"


@dataclass(eq=False, kw_only=True)
class VersionConflict(Refused):
    id: str
    current: str
    given: str


@dataclass(eq=False, kw_only=True)
class IdempotencyMismatch(Refused):
    key: str


@dataclass(eq=False, kw_only=True)
class IdempotencyInProgress(Refused):
    key: str
    retry_after_s: int = 1


@dataclass(eq=False, kw_only=True)
class RateLimited(Refused):
    limit: int
    window_s: int
    retry_after_s: int


@dataclass(eq=False, kw_only=True)
class Busy(Refused):
    """The platform is at its limit or a part restarts: nothing was done, the same call may go through shortly."""

    what: str
    retry_after_s: int = 1


@dataclass(eq=False, kw_only=True)
class DependencyDown(Refused):
    dependency: str
    retry_after_s: int = 2


@dataclass(eq=False, kw_only=True)
class UpstreamTimeout(Refused):
    upstream: str
    seconds: float
