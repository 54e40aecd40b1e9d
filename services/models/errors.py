"""What the library refuses: classes with facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

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


@dataclass(eq=False, kw_only=True)
class CannotTrain(Refused):
    """A table from which nothing can be learnt as asked: what was found in which column, and what would be right."""

    column: str
    reason_zh: str
    reason_en: str


@dataclass(eq=False, kw_only=True)
class DoesNotBeatNaive(Refused):
    """Trained and tested, and not better than a simple rule by more than chance. Nothing is published."""

    metric: str
    model: float
    naive: float
    rule_zh: str
    rule_en: str
    low: float
    high: float
    """Interval of model minus naive (95 %, wider where several models were tried); wholly below zero would be better."""
    rows: int
    unit: str = ""
    advice_zh: str = ""
    advice_en: str = ""
    figures: dict[str, Any] = field(default_factory=dict)
    """Everything that was measured, as a release's lineage would state it."""


@dataclass(eq=False, kw_only=True)
class UnreadableTable(Refused):
    """An uploaded file that is no table that can be read, and what would be right."""

    reason: str


@dataclass(eq=False, kw_only=True)
class DatasetNotReady(Refused):
    id: str
    state: str


@dataclass(eq=False, kw_only=True)
class TooManyDatasets(Refused):
    limit: int


@dataclass(eq=False, kw_only=True)
class TooManyTrainings(Refused):
    limit: int


@dataclass(eq=False, kw_only=True)
class Quarantined(Refused):
    """The operator, or the platform after crashes, stopped a component until somebody has looked at it."""

    component: str
    reason: str
    retry_after_s: int = 60


@dataclass(eq=False, kw_only=True)
class Retired(Refused):
    component: str
    reason: str
    replaced_by: str = "-"


@dataclass(eq=False, kw_only=True)
class WrongStage(Refused):
    """A component cannot go from the stage where it is to the one that was asked for."""

    component: str
    stage: str
    wanted: str
    allowed: list[str] = field(default_factory=list)


@dataclass(eq=False, kw_only=True)
class UnsafeAddress(Refused):
    """An address that the platform does not call: not https, not of a declared domain, or inside the network."""

    url: str
    reason: str


@dataclass(eq=False, kw_only=True)
class EndpointFailed(Refused):
    """A provider's own endpoint, or a webhook's, gave nothing that can be used."""

    component: str
    reason: str
    retry_after_s: int = 5
