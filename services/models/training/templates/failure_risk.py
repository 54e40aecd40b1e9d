"""Will this machine fail in the job or shift that the row describes: rows in their order, never shuffled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from services.models.errors import CannotTrain
from services.models.training.choose_model import choose
from services.models.training.learning_set import LearningSet, Said
from services.models.training.own_cards import Words
from services.models.training.own_columns import learning_set
from services.models.training.own_package import package
from services.models.training.table import Roles, Table
from services.models.training.templates.quality_classifier import words_of
from services.models.training.templates.template import Document, Progress, Template


def run(table: Table, roles: Roles, progress: Progress) -> Document:
    data = in_order(learning_set(table, replace(roles, task="classification")), roles)
    if len(data.classes) != 2:
        raise CannotTrain(
            column=roles.target, reason_zh=f"故障风险的目标应只有两个值（故障、正常），现有 {len(data.classes)} 个。",
            reason_en=f"a failure risk wants two values (failed, not failed), has {len(data.classes)}.",
        )  # fmt: skip
    chosen = choose(data, progress=progress, budget_s=roles.budget_s, coverage=roles.coverage)
    made = words_of(chosen, roles, TEMPLATE)
    said = Said(
        "模拟或短期数据会高估把握；一个工厂一年的故障往往不到几十次，请先并行运行，只记录不停机，对照三个月再决定。",
        "Few failures a year make every figure uncertain: run it beside the usual practice for three months, record, and "
        "only then decide.",
    )
    sections = [*made.sections, (Said("先并行运行", "Run it beside first"), said)]
    return package(chosen, table, roles, Words(TEMPLATE.id, TEMPLATE.title, sections, decision=made.decision))


def in_order(data: LearningSet, roles: Roles) -> LearningSet:
    """Rows of a log without a time column are taken in the order of the file, since failures come in spells."""
    if roles.time is not None or roles.group is not None:
        return data
    said = Said("没有时间列，按文件行序当作时间顺序。", "No time column: the order of the file is taken for time.")
    return replace(data, when=np.arange(data.rows, dtype=np.float64), notes=(*data.notes, said))


TEMPLATE = Template(
    id="failure_risk",
    title=Said("故障风险", "Failure risk"),
    answers=Said("这台设备在这一班或这一单里出故障的可能有多大？", "How likely is a failure in this shift or job?"),
    needs=(),
    protocol=Said(
        "按时间顺序，最后五分之一留作检验；只在故障后才填的列自动剔除。",
        "In order of time, the last fifth held out; columns written only after a failure are left out.",
    ),
    publishes="package",
    run=run,
    options=("cost_miss", "cost_alarm"),
)
