"""Output of a team or a line for the coming shift, from what is known when the shift is planned."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import replace
from itertools import groupby

import numpy as np

from services.models.training.choose_model import choose
from services.models.training.learning_set import Column, Floats, LearningSet, RowRule, Said
from services.models.training.own_cards import Words
from services.models.training.own_columns import learning_set, usable
from services.models.training.own_package import package
from services.models.training.table import Roles, Table
from services.models.training.templates.template import Document, Progress, Template

SHIFTS = 5


def run(table: Table, roles: Roles, progress: Progress) -> Document:
    notes: list[Said] = []
    names = usable(table, roles, notes)
    if roles.group and roles.group not in names:
        names.append(roles.group)
    data = with_team_history(learning_set(table, replace(roles, task="regression"), names))
    chosen = choose(data, progress=progress, budget_s=roles.budget_s, coverage=roles.coverage)
    said = Said(
        "只应选排产时已知的列（产品、标准工时、人数、计划）。班后才知道的列（加班、停工、奖金）会让成绩虚高，不能用于排产。",
        "Only columns known when the shift is planned (product, standard minutes, people, plan). What is known after the shift "
        "(overtime, stops, bonus) flatters and is of no use for planning.",
    )
    recipe = {
        "kind": "team_history",
        "time": roles.time,
        "group": roles.group,
        "target": roles.target,
        "shifts": SHIFTS,
    }
    return package(
        chosen,
        table,
        roles,
        Words(TEMPLATE.id, TEMPLATE.title, [(Said("列的选择", "Choice of columns"), said)], recipe),
    )


def with_team_history(data: LearningSet) -> LearningSet:
    """The mean of the same team's last shifts, strictly earlier ones, as an input and as a rule. Teams recur, so they
    do not divide the test; time does."""
    if data.groups is None or data.when is None:
        return data
    past = team_mean(data.groups, data.when, data.target)
    said = Said(f"同一班组最近 {SHIFTS} 个班的平均", f"Mean of the team's last {SHIFTS} shifts")
    column = Column(said.zh, meaning=said)
    rules = (*data.rules, RowRule(said, past))
    whole = data.with_columns([*data.columns, column], np.column_stack([data.matrix, past]))
    return replace(whole, groups=None, rules=rules)


def team_mean(groups: np.ndarray, when: Floats, target: Floats) -> Floats:  # type: ignore[type-arg]
    """(n,) NaN for a team's first shift. Rows are in order of time; those of one moment do not see one another."""
    last: dict[int, deque[float]] = defaultdict(lambda: deque(maxlen=SHIFTS))
    found = np.full(target.size, np.nan)
    for _, rows in groupby(range(target.size), key=lambda row: when[row]):
        moment = list(rows)
        for row in moment:
            if last[int(groups[row])]:
                found[row] = float(np.mean(last[int(groups[row])]))
        for row in moment:
            last[int(groups[row])].append(float(target[row]))
    return found


TEMPLATE = Template(
    id="productivity",
    title=Said("班组产出与效率", "Team productivity"),
    answers=Said("下一个班能做多少，计划定得是否现实？", "What will the next shift achieve; is the plan realistic?"),
    needs=("time",),
    protocol=Said(
        "按日期划分；须胜过“照计划完成”和“同一班组最近几班的平均”。",
        "Split by date; must beat “as planned” and the team's own recent mean.",
    ),
    publishes="package",
    run=run,
)
