"""What the library refuses: classes with facts."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.errors import BadInput, Refused


@dataclass(eq=False, kw_only=True)
class UnknownRelease(Refused):
    component: str
    release: str
    known: list[str] = field(default_factory=list)


@dataclass(eq=False, kw_only=True)
class NotAModel(Refused):
    component: str


@dataclass(eq=False, kw_only=True)
class BadInstances(BadInput):
    """Instances that cannot be computed, by path."""


@dataclass(eq=False, kw_only=True)
class BadTensor(Refused):
    tensor: str
    reason: str


@dataclass(eq=False, kw_only=True)
class ModelFailed(Refused):
    component: str
    reason: str


@dataclass(eq=False, kw_only=True)
class TooSlow(Refused):
    component: str
    seconds: float
    retry_after_s: int = 1


@dataclass(eq=False, kw_only=True)
class NotInOrder(Refused):
    """A component that does not pass its check."""

    component: str
    findings: list[str] = field(default_factory=list)


@dataclass(eq=False, kw_only=True)
class ReleaseExists(Refused):
    component: str
    release: str
