"""How long a machine, tool or die will still last, from runs that went to the end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from services.models.errors import CannotTrain
from services.models.training.choose_model import Chosen, choose
from services.models.training.comparing import shortened
from services.models.training.learning_set import Column, Floats, Ints, LearningSet, RowRule, Said
from services.models.training.own_cards import Words
from services.models.training.own_columns import learning_set, usable
from services.models.training.own_package import package
from services.models.training.table import Roles, Table
from services.models.training.templates.template import Document, Progress, Template

SHORT, LONG, FIRST = 5, 20, 20
MOST_ROWS = 6000
FEWEST_UNITS = 10
MONOTONE = 0.99
CAPPED_AT = 0.6
"""Share of the usual life beyond which nobody can tell and nobody needs to: early in life nothing shows yet."""
SEED = 3


def run(table: Table, roles: Roles, progress: Progress) -> Document:
    data, cap = lives(table, roles)
    chosen = choose(data, progress=progress, budget_s=roles.budget_s, coverage=roles.coverage)
    chosen.figures["one_cut_per_unit"] = one_cut(chosen)
    said = Said(
        f"剩余寿命超过 {cap:g} 的一律当作 {cap:g}，因为早期还看不出差别；所以答案是 {cap:g} 左右时，意思是“至少还有这么多”。"
        f"每台在随机一刻各问一次，平均绝对误差 {chosen.figures['one_cut_per_unit']['mae']:g}。",
        f"More than {cap:g} left counts as {cap:g}, since nothing shows early in life: an answer near {cap:g} means “at least "
        f"that much”. Asked once per unit at a random moment, the MAE is {chosen.figures['one_cut_per_unit']['mae']:g}.",
    )
    recipe = {"kind": "lives", "time": roles.time, "group": roles.group, "short": SHORT, "long": LONG, "first": FIRST}
    words = Words(
        TEMPLATE.id, TEMPLATE.title, [(Said("上限", "Cap"), said)], recipe, output=Said("剩余寿命", "Remaining life")
    )  # fmt: skip
    return package(chosen, table, roles, words)


def lives(table: Table, roles: Roles) -> tuple[LearningSet, float]:
    """Rows of runs to failure with smoothed signals, and the cap. Units are never split."""
    assert roles.group is not None
    notes: list[Said] = []
    names = [name for name in usable(table, roles, notes) if name not in (roles.time, roles.target)]
    data = learning_set(table, replace(roles, task="regression"), names)
    assert data.groups is not None
    units = np.unique(data.groups)
    if units.size < FEWEST_UNITS:
        raise CannotTrain(
            column=roles.group, reason_zh=f"只有 {units.size} 台（件）跑到寿命终点，至少需要 {FEWEST_UNITS}。",
            reason_en=f"{units.size} units ran to their end; {FEWEST_UNITS} are needed at least.",
        )  # fmt: skip
    place_of = {int(unit): np.flatnonzero(data.groups == unit) for unit in units}
    used, left = _used_and_left(data, list(place_of.values()), roles)
    usual = float(np.median([used[rows[-1]] for rows in place_of.values()]))
    cap = float(f"{CAPPED_AT * usual:.3g}")
    columns, matrix = smoothed(data, list(place_of.values()), used)
    rule = RowRule(Said("平均寿命减去已用", "usual life minus what is used"), np.clip(usual - used, 0, cap))
    target = np.minimum(left, cap)
    # Without a time of its own a unit is split from other units, not early from late rows of the same units.
    whole = replace(
        data.with_columns(columns, matrix), target=target, when=None, rules=(rule,), notes=(*data.notes, *notes)
    )
    # Counted within each unit: rows stand in order of time, so every fourth row of all would always be of the same units.
    every = -(-data.rows // MOST_ROWS)
    kept = np.sort(np.concatenate([rows[unit % every :: every] for unit, rows in place_of.items()]))
    return whole.part(kept), cap


def _used_and_left(data: LearningSet, units: list[Ints], roles: Roles) -> tuple[Floats, Floats]:
    """A target that grows in every unit is its counter (cycles, hours): what is left is counted from the unit's last
    row. One that falls is what is left, and the usage is days of the time column, else rows."""
    steps = np.concatenate([np.diff(data.target[rows]) for rows in units])
    used, left = np.empty(data.rows), np.empty(data.rows)
    if float((steps >= 0).mean()) >= MONOTONE:
        for rows in units:
            used[rows] = data.target[rows] - data.target[rows[0]]
            left[rows] = data.target[rows[-1]] - data.target[rows]
        return used, left
    if float((steps <= 0).mean()) < MONOTONE:
        raise CannotTrain(
            column=roles.target, reason_zh="应是每台一路增加的用量（次、小时），或一路减少的剩余寿命。",
            reason_en="should grow in every unit (a counter) or fall (what is left).",
        )  # fmt: skip
    for rows in units:
        own = (
            np.arange(rows.size, dtype=np.float64)
            if data.when is None
            else (data.when[rows] - data.when[rows[0]]) / 86_400
        )
        used[rows], left[rows] = own, data.target[rows]
    return used, left


def smoothed(data: LearningSet, units: list[Ints], used: Floats) -> tuple[list[Column], Floats]:
    """Of each number its short and long mean and how far it is from the unit's own beginning; then the usage."""
    columns: list[Column] = []
    parts: list[Floats] = []
    for place, column in enumerate(data.columns):
        values = data.matrix[:, place].astype(np.float64)
        if column.choices or np.nanstd(values) <= 1e-9 * max(1.0, abs(float(np.nanmean(values)))):
            continue
        short, long, moved = (np.empty(data.rows) for _ in range(3))
        for rows in units:
            own = _held(values[rows])
            short[rows], long[rows] = _running(own, SHORT), _running(own, LONG)
            begun = _running(own, FIRST)
            begun[FIRST:] = begun[min(FIRST, rows.size) - 1]
            moved[rows] = short[rows] - begun
        for values_of, zh, en in (
            (short, f"最近 {SHORT} 次的平均", f"mean of the last {SHORT}"),
            (long, f"最近 {LONG} 次的平均", f"mean of the last {LONG}"),
            (
                moved,
                f"最近 {SHORT} 次平均减去本台最初 {FIRST} 次平均",
                f"mean of the last {SHORT} minus the unit's first {FIRST}",
            ),
        ):
            said = Said(f"「{column.title}」{zh}", f"“{column.title}”: {en}")
            columns.append(replace(column, title=f"{column.title} {zh}", meaning=said, source=column.title))
            parts.append(values_of)
    columns.append(Column("已用", meaning=Said("从新到现在的用量（次、小时或天）", "Used since new")))
    return columns, np.column_stack([*parts, used])


def _held(values: Floats) -> Floats:
    """A gap takes the last value before it."""
    place = np.where(~np.isnan(values), np.arange(values.size), 0)
    return np.nan_to_num(values[np.maximum.accumulate(place)])


def _running(values: Floats, width: int) -> Floats:
    sums = np.cumsum(np.concatenate([[0.0], values]))
    ends = np.arange(1, values.size + 1)
    starts = np.maximum(ends - width, 0)
    found: Floats = (sums[ends] - sums[starts]) / (ends - starts)
    return found


def one_cut(chosen: Chosen) -> dict[str, Any]:
    """Error when every unseen unit is asked once, at a random moment of its life: as in use, not all rows of it."""
    data = chosen.data
    assert data.groups is not None
    random = np.random.default_rng(SEED)
    groups = data.groups[chosen.unseen]
    places = [int(random.choice(np.flatnonzero(groups == unit))) for unit in np.unique(groups)]
    errors = chosen.answers[places] - data.target[chosen.unseen[places]]
    return {
        "units": len(places), "mae": shortened(float(np.abs(errors).mean())), "rmse": shortened(float(np.sqrt((errors**2).mean())))
    }  # fmt: skip


TEMPLATE = Template(
    id="remaining_life",
    title=Said("剩余寿命", "Remaining life"),
    answers=Said("这台设备、这副模具还能用多久？", "How long will this machine or die still last?"),
    needs=("group",),
    protocol=Said(
        "按台（件）划分，一台的行只在一边；须胜过“平均寿命减去已用”。目标列可以是一路增加的用量（由每台最后一行算出剩余），也可以直接是剩余寿命。",
        "Split by unit; must beat the usual life minus what is used. The target may be a counter that grows (what is left is "
        "counted from each unit's last row) or what is left itself.",
    ),
    publishes="package",
    run=run,
)
