"""Any table with a target: the plain way, for what no other template fits."""

from __future__ import annotations

from services.models.training.choose_model import choose
from services.models.training.learning_set import Said
from services.models.training.own_cards import Words
from services.models.training.own_columns import learning_set
from services.models.training.own_package import package
from services.models.training.table import Roles, Table
from services.models.training.templates.template import Document, Progress, Template


def run(table: Table, roles: Roles, progress: Progress) -> Document:
    data = learning_set(table, roles)
    chosen = choose(data, progress=progress, budget_s=roles.budget_s, coverage=roles.coverage)
    return package(chosen, table, roles, Words("general", TEMPLATE.title))


TEMPLATE = Template(
    id="general",
    title=Said("通用预测", "General prediction"),
    answers=Said("由这些列能不能预测目标列，准到什么程度？", "Can these columns predict the target, and how well?"),
    needs=(),
    protocol=Said(
        "有时间列时最后五分之一留作检验；有分组列时按组；都没有时先看相邻行是否相似，再决定整段划分还是随机划分。",
        "With a time the last fifth is held out; with a group whole groups; with neither, blocks where neighbours are alike, "
        "else at random.",
    ),
    publishes="package",
    run=run,
)
