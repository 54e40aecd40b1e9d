"""Training on a firm's own table: the template is picked, run, and answers with a release or a report.

`train` returns a release document (`logic.packages.ReleaseIn`) or, from a template whose answer is no model of single
rows, a report (`training.report`, told apart by `is_report`).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any

from services.models.errors import CannotTrain
from services.models.training.own_package import component_file
from services.models.training.report import is_report
from services.models.training.table import Roles, Table
from services.models.training.templates.template import Template

__all__ = ["TEMPLATES", "component_file", "is_report", "template", "templates", "train"]

TEMPLATES = (
    "general",
    "energy_baseline",
    "load_forecast",
    "quality_classifier",
    "soft_sensor",
    "failure_risk",
    "remaining_life",
    "first_pass_yield",
    "productivity",
    "anomaly_watch",
    "drift_aware_recalibration",
)
RARE = 0.2
"""A class of two with a smaller share is a defect or a failure rather than one of two kinds."""


def train(table: Table, roles: Roles, progress: Callable[[float, str], None]) -> dict[str, Any]:
    """Learns, tests and packs. Raises `CannotTrain` (what is wrong with the table or the roles) and `DoesNotBeatNaive`
    (with the figures of model and rule)."""
    chosen = template(roles.template or picked(table, roles))
    _has_what_it_needs(chosen, roles)
    progress(0.0, chosen.title.zh + " / " + chosen.title.en)
    document = chosen.run(table, roles, progress)
    progress(1.0, "完成 / done")
    return document


@cache
def template(name: str) -> Template:
    """Raises `CannotTrain` naming those that exist."""
    if name not in TEMPLATES:
        known = ", ".join(TEMPLATES)
        raise CannotTrain(
            column="",
            reason_zh=f"没有模板「{name[:40]}」；有：{known}。",
            reason_en=f"no template “{name[:40]}”; known: {known}.",
        )
    module = importlib.import_module(f"services.models.training.templates.{name}")
    found: Template = module.TEMPLATE
    return found


def templates() -> list[dict[str, Any]]:
    """All of them, as a page or an API lists them."""
    return [template(name).as_json() for name in TEMPLATES]


def picked(table: Table, roles: Roles) -> str:
    """The template for a target of which nothing else was said."""
    values = [value for value in table.columns.get(roles.target, ()) if value is not None]
    distinct = set(values)
    if len(distinct) == 2 and roles.task != "regression":
        share = min(values.count(each) for each in distinct) / len(values)
        return "quality_classifier" if share < RARE else "general"
    return "general"


def _has_what_it_needs(chosen: Template, roles: Roles) -> None:
    for need in chosen.needs:
        if not getattr(roles, need):
            zh, en = {
                "time": ("时间列", "a time column"), "group": ("分组列", "a group column"), "features": ("输入列", "input columns")
            }[need]  # fmt: skip
            raise CannotTrain(
                column="", reason_zh=f"模板「{chosen.title.zh}」需要指定{zh}。",
                reason_en=f"the template “{chosen.title.en}” needs {en}.",
            )  # fmt: skip
