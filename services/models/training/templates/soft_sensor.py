"""A laboratory value between two samples, from the signals of the process and their recent past."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from services.models.training.choose_model import Chosen, choose
from services.models.training.comparing import shortened
from services.models.training.learning_set import Column, LearningSet, Said
from services.models.training.own_cards import Words
from services.models.training.own_columns import learning_set
from services.models.training.own_package import package
from services.models.training.table import Roles, Table
from services.models.training.templates.failure_risk import in_order
from services.models.training.templates.template import Document, Progress, Template

LAGS = (0, 2, 4, 8, 12, 16)
"""In samples; a column of its own for each."""
MOST_COLUMNS = 120
DELAYS = (1, 2, 4, 8, 16, 32, 64)


def run(table: Table, roles: Roles, progress: Progress) -> Document:
    lags = tuple(int(lag) for lag in roles.options.get("lags", LAGS))
    data = with_lags(in_order(learning_set(table, replace(roles, task="regression", group=None)), roles), lags)
    chosen = choose(data, progress=progress, budget_s=roles.budget_s, coverage=roles.coverage)
    chosen.figures["delayed_laboratory_value"] = delayed = _delayed(chosen)
    recipe = {"kind": "lags", "time": roles.time, "lags": list(lags), "columns": [each.source for each in data.columns]}
    return package(chosen, table, roles, Words(TEMPLATE.id, TEMPLATE.title, [_section(delayed)], recipe))


def with_lags(data: LearningSet, lags: tuple[int, ...]) -> LearningSet:
    """Each number once for each lag, in rows of the file; the first rows, which have no past, are left out."""
    columns: list[Column] = []
    parts = []
    wanted = sorted(set(lags))
    for place, column in enumerate(data.columns):
        used = [0] if column.choices else wanted[: max(1, MOST_COLUMNS // len(data.columns))]
        for lag in used:
            title = column.title if lag == 0 else f"{column.title}（前 {lag} 个采样）"
            said = Said(f"「{column.title}」{lag} 个采样以前的值", f"“{column.title}” {lag} samples before")
            columns.append(replace(column, title=title, meaning=said if lag else Said("", ""), source=column.title))
            parts.append(np.concatenate([np.full(lag, np.nan), data.matrix[: data.rows - lag, place]]))
    reach = max(wanted)
    facts = {**data.facts, "target_unknown_online": True}
    whole = replace(data.with_columns(columns, np.column_stack(parts)), gap=reach, facts=facts)
    return whole.part(np.arange(reach, data.rows))


def _delayed(chosen: Chosen) -> dict[str, Any]:
    """What the latest laboratory value alone would do, by how many samples late it arrives."""
    data, test = chosen.data, chosen.held_out
    own = float(chosen.figures["mae"])
    errors = {
        delay: float(np.abs(data.target[test] - data.target[np.maximum(test - delay, 0)]).mean()) for delay in DELAYS
    }
    better = [delay for delay, mae in errors.items() if mae <= own]
    return {
        "mae_by_delay": {str(d): shortened(mae) for d, mae in errors.items()},
        "better_up_to": max(better, default=0),
    }


def _section(delayed: dict[str, Any]) -> tuple[Said, Said]:
    figures_zh = "，".join(f"迟 {d} 个采样 {mae:g}" for d, mae in delayed["mae_by_delay"].items())
    figures_en = ", ".join(f"{d} samples late {mae:g}" for d, mae in delayed["mae_by_delay"].items())
    until = delayed["better_up_to"]
    zh = (
        f"化验值在 {until} 个采样以内能拿到时，直接用它更准，不需要本模型。"
        if until
        else "本模型比任何这样迟到的化验值都准。"
    )
    en = f"Up to {until} samples late the laboratory value itself is better: no model is needed then." if until else (
        "The model is better than the laboratory value at any of these delays."
    )  # fmt: skip
    return (
        Said("与化验值比较", "Beside the laboratory"),
        Said(
            f"只用上一次化验值的平均绝对误差：{figures_zh}。{zh}",
            f"MAE of the latest laboratory value alone: {figures_en}. {en}",
        ),
    )


TEMPLATE = Template(
    id="soft_sensor",
    title=Said("软测量", "Soft sensor"),
    answers=Said("两次化验之间，质量指标现在是多少？", "What is the quality value between two laboratory samples?"),
    needs=(),
    protocol=Said(
        "按时间顺序，只用过程信号及其滞后，不用过去的化验值；另外说明化验值迟到多久以内直接用它更好。",
        "In order of time from signals and their past, without past laboratory values; it is also said up to which delay the "
        "laboratory value itself does better.",
    ),
    publishes="package",
    run=run,
    options=("lags",),
)
