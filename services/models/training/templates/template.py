"""What a template is: the question, what it needs, how it is tested, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from services.models.training.learning_set import Said
from services.models.training.table import Roles, Table

Progress = Callable[[float, str], None]
Document = dict[str, Any]
"""A release (`logic.packages.ReleaseIn`), or a report (`training.report.Report`)."""


@dataclass(frozen=True)
class Template:
    id: str
    title: Said
    answers: Said
    needs: tuple[str, ...]
    """Roles that must be given beside the target: time, group, features."""
    protocol: Said
    publishes: Literal["package", "report"]
    run: Callable[[Table, Roles, Progress], Document]
    options: tuple[str, ...] = ()
    """What `Roles.options` may hold for it."""

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": self.title.as_json(),
            "answers": self.answers.as_json(),
            "needs": list(self.needs),
            "protocol": self.protocol.as_json(),
            "publishes": self.publishes,
            "options": list(self.options),
        }
