"""Rejects of an order or a dye lot beforehand: a model must beat the plain reject rate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from services.models.training.choose_model import choose
from services.models.training.learning_set import LearningSet, Said
from services.models.training.naive_rules import proportional
from services.models.training.own_cards import Words
from services.models.training.own_columns import learning_set
from services.models.training.own_package import package
from services.models.training.table import Roles, Table
from services.models.training.templates.quality_classifier import words_of
from services.models.training.templates.template import Document, Progress, Template


def run(table: Table, roles: Roles, progress: Progress) -> Document:
    data = order_by_order(learning_set(table, roles), roles)
    rules = [] if data.classification else proportional(data)
    chosen = choose(data, progress=progress, budget_s=roles.budget_s, coverage=roles.coverage, more_rules=rules)
    if data.classification:
        return package(chosen, table, roles, replace(words_of(chosen, roles, TEMPLATE), title=TEMPLATE.title))
    return package(chosen, table, roles, Words(TEMPLATE.id, TEMPLATE.title))


def order_by_order(data: LearningSet, roles: Roles) -> LearningSet:
    """Without a time column orders are taken to come in the order of the file, each whole: the next order is asked
    about, not one of those between."""
    if roles.time is not None or data.groups is None:
        return data
    rows = np.argsort(data.groups, kind="stable")
    data = data.part(rows)
    assert data.groups is not None
    said = Said(
        "没有时间列，按订单在文件中第一次出现的先后当作时间顺序。",
        "No time column: orders count in the order of their first row.",
    )
    return replace(data, when=data.groups.astype(np.float64), notes=(*data.notes, said))


TEMPLATE = Template(
    id="first_pass_yield",
    title=Said("一次合格率", "First-pass yield"),
    answers=Said(
        "这一单会有多少不合格，能不能一次做对？", "How many rejects will this order have; will it be right first time?"
    ),
    needs=(),
    protocol=Said(
        "同一订单的行只在一边，重复申报只留一次；须胜过“产量乘以平均不合格率”。",
        "An order's rows stay on one side, repeated reports count once; must beat the mean reject rate times the quantity.",
    ),
    publishes="package",
    run=run,
    options=("cost_miss", "cost_alarm"),
)
