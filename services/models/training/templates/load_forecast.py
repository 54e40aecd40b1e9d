"""Tomorrow's load at midnight, slot by slot, from what was metered until midnight and the calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np

from services.models.errors import CannotTrain
from services.models.training.choose_model import choose
from services.models.training.learning_set import Column, Floats, Ints, LearningSet, RowRule, Said
from services.models.training.own_cards import Words
from services.models.training.own_columns import column_of, learning_set
from services.models.training.own_package import package
from services.models.training.table import Roles, Table
from services.models.training.templates.template import Document, Progress, Template

DAY_S = 86_400
FEWEST_DAYS = 35
WARM_UP_DAYS = 7
STEPS_S = (900, 1800, 3600, DAY_S)
REGULAR = 0.9
RULES = (
    Said("昨天同一时刻", "Same slot yesterday"),
    Said("上周同一天同一时刻", "Same slot a week before"),
    Said("近四周同星期同一时刻平均", "Mean of the slot on four same weekdays"),
)
UNITLESS = ("星期", "一天中的第几个时段", "昨天与八天前之比")


def run(table: Table, roles: Roles, progress: Progress) -> Document:
    data = day_ahead(table, roles)
    chosen = choose(data, progress=progress, budget_s=roles.budget_s, coverage=roles.coverage)
    recipe = {"kind": "day_ahead", "time": roles.time, "target": roles.target}
    said = Said(
        "只用预测日 00:00 以前的读数和日历；读数的时刻一律当作时段开始，所以 00:00 的读数算在新的一天，不会被提前用到。"
        "节假日、停产、换班不单独处理，遇到时误差会变大。",
        "Only readings before the day's 00:00 and the calendar. Stamps are taken for the start of their interval, so that the "
        "reading of 00:00 belongs to the new day and is never used early. Holidays and stops are not treated apart.",
    )
    words = Words(TEMPLATE.id, TEMPLATE.title, [(Said("预测时刻", "When it forecasts"), said)], recipe)
    return package(chosen, table, roles, words)


def day_ahead(table: Table, roles: Roles) -> LearningSet:
    """A row for each slot of each day after the first week; its time is its day, so that no day is split."""
    assert roles.time is not None
    plain = learning_set(table, replace(roles, task="regression"), names=[])
    assert plain.when is not None
    if not any(isinstance(value, datetime) for value in table.columns[roles.time]):
        raise CannotTrain(
            column=roles.time, reason_zh="负荷预测需要日期时间列。", reason_en="a load forecast needs dates."
        )
    step = _step(plain.when, roles.time)
    slots = DAY_S // step
    first = int(plain.when[0] // DAY_S)
    day = (plain.when // DAY_S).astype(np.int64) - first
    slot = ((plain.when % DAY_S) // step).astype(np.int64)
    days = int(day[-1]) + 1
    if days < FEWEST_DAYS:
        raise CannotTrain(
            column=roles.time, reason_zh=f"只有 {days} 天，至少需要 {FEWEST_DAYS} 天。",
            reason_en=f"covers {days} days; {FEWEST_DAYS} are needed at least.",
        )  # fmt: skip
    grid = np.full((days, slots), np.nan)
    grid[day, slot] = plain.target
    # 1970-01-01 was a Thursday.
    weekday = (np.arange(days) + first + 3) % 7
    columns, parts = _columns(grid, weekday, table.units.get(roles.target, roles.unit))
    kept = day >= WARM_UP_DAYS
    matrix = np.column_stack([part[day, slot] for part in parts])
    data = replace(plain, facts={**plain.facts, "target_unknown_online": True}, when=day.astype(np.float64))
    by_title = {column.title: part[day, slot] for column, part in zip(columns, parts, strict=True)}
    data = replace(data, rules=tuple(RowRule(said, by_title[said.zh]) for said in RULES))
    data = _with_plans(table, roles, data, columns, matrix)
    return data.part(np.flatnonzero(kept))


def _with_plans(table: Table, roles: Roles, data: LearningSet, columns: list[Column], matrix: Floats) -> LearningSet:
    """Only columns named in the options' `known_ahead` (a plan, a shift roster) are used: readings of the same interval
    are not known the day before, and often are the target in other words."""
    notes: list[Said] = []
    parts = [matrix]
    for name in roles.options.get("known_ahead", ()):
        if name not in table.columns:
            raise CannotTrain(column=name, reason_zh="没有这一列。", reason_en="is no column.")
        read = column_of(table, name, [int(row) for row in data.facts["order"]], notes)
        if read is not None:
            said = Said("预测日的计划值，须在前一天已知", "The plan for that day, known the day before")
            columns.append(replace(read[0], meaning=said))
            parts.append(read[1][:, None])
    return replace(data.with_columns(columns, np.hstack(parts)), notes=(*data.notes, *notes))


def _step(when: Floats, name: str) -> int:
    steps = np.diff(when)
    steps = steps[steps > 0]
    step = int(np.median(steps)) if steps.size else 0
    if step not in STEPS_S or float((steps == step).mean()) < REGULAR:
        raise CannotTrain(
            column=name, reason_zh="时间间隔应固定为 15、30、60 分钟或 1 天，并且九成以上的行如此。",
            reason_en="readings must come every 15, 30 or 60 minutes or every day, nine of ten of them at least.",
        )  # fmt: skip
    return step


def _columns(grid: Floats, weekday: Ints, unit: str) -> tuple[list[Column], list[Floats]]:
    """Each part is (days, slots); nothing in row d comes from day d or later."""
    days, slots = grid.shape
    week = np.array([_mean(grid[max(0, day - 7) : day], slots) for day in range(days)])
    four = np.array([_mean(grid[[day - b for b in (7, 14, 21, 28) if day >= b]], slots) for day in range(days)])
    kind = np.where(weekday == 6, 2, np.where(weekday == 5, 1, 0))
    alike = np.array([_alike(grid, kind, day) for day in range(days)])
    yesterday = _back(grid, 1)
    whole = np.ones((1, slots))
    lags = [(1, "昨天同一时刻", "Same slot yesterday"), (2, "前天同一时刻", "Same slot two days before")]
    lags += [(7, "上周同一天同一时刻", "Same slot a week before"), (14, "两周前同一时刻", "Same slot two weeks before")]
    found: list[tuple[str, str, str, Floats]] = [
        ("星期", "Weekday", "周一为 0 / Monday is 0", weekday[:, None] * whole),
        *((zh, en, "", _back(grid, back)) for back, zh, en in lags),
        ("近七天同一时刻平均", "Mean of the slot over seven days", "", week),
        ("近四周同星期同一时刻平均", "Mean of the slot on four same weekdays", "", four),
        ("近两周同类日同一时刻平均", "Mean of the slot on days of the same kind", "同类：工作日、周六、周日", alike),
    ]
    ran = np.array([_ran(grid, kind, day) for day in range(days)])
    found.append(
        (
            "近几个同类生产日同一时刻平均",
            "Mean of the slot on the last working days of the kind",
            "停产日除外 / without stops",
            ran,
        )
    )
    if slots > 1:
        last = slots // 6
        found += [
            ("昨天前后平滑", "Yesterday, smoothed over five slots", "", _smooth(yesterday)),
            ("上周同天前后平滑", "A week before, smoothed over five slots", "", _smooth(_back(grid, 7))),
            ("昨天最大", "Maximum of yesterday", "", np.max(np.nan_to_num(yesterday), axis=1)[:, None] * whole),
            ("昨天与八天前之比", "Yesterday against eight days before", "", _ratio(yesterday, _back(grid, 8)) * whole),
            (
                "一天中的第几个时段",
                "Slot of the day",
                "从 0 起 / from 0",
                np.ones((days, 1)) * np.arange(slots)[None, :],
            ),
            ("昨天日平均", "Mean of yesterday", "", _rows_mean(yesterday) * whole),
            ("昨天最后四小时平均", "Mean of yesterday's last four hours", "", _rows_mean(yesterday[:, -last:]) * whole),
            ("上周同天日平均", "Mean of the same day a week before", "", _rows_mean(_back(grid, 7)) * whole),
        ]
    columns = [
        Column(zh, "" if zh in UNITLESS else unit, meaning=Said(f"{zh}{_told(more)}", f"{en}{_told(more)}"))
        for zh, en, more, _ in found
    ]
    return columns, [values for *_, values in found]


def _told(more: str) -> str:
    return f"（{more}）" if more else ""


def _back(grid: Floats, days: int) -> Floats:
    found = np.full_like(grid, np.nan)
    found[days:] = grid[:-days]
    return found


def _mean(rows: Floats, slots: int) -> Floats:
    counts = (~np.isnan(rows)).sum(axis=0)
    return (
        np.where(counts > 0, np.nansum(rows, axis=0) / np.maximum(counts, 1), np.nan)
        if len(rows)
        else np.full(slots, np.nan)
    )


def _rows_mean(rows: Floats) -> Floats:
    counts = (~np.isnan(rows)).sum(axis=1)
    return np.where(counts > 0, np.nansum(rows, axis=1) / np.maximum(counts, 1), np.nan)[:, None]


def _alike(grid: Floats, kind: Ints, day: int) -> Floats:
    past = np.arange(max(0, day - 14), day)
    return _mean(grid[past[kind[past] == kind[day]]], grid.shape[1])


def _ran(grid: Floats, kind: Ints, day: int) -> Floats:
    """The last eight days of the kind on which the works ran: a stop of one day says little about the next."""
    past = np.arange(max(0, day - 28), day)
    rows = grid[past[kind[past] == kind[day]]]
    if not len(rows):
        return np.full(grid.shape[1], np.nan)
    means = np.nan_to_num(_rows_mean(rows)[:, 0])
    return _mean(rows[means >= 0.5 * np.median(means)][-8:], grid.shape[1])


def _smooth(rows: Floats) -> Floats:
    padded = np.pad(rows, ((0, 0), (2, 2)), mode="edge")
    found: Floats = np.mean([padded[:, shift : shift + rows.shape[1]] for shift in range(5)], axis=0)
    return found


def _ratio(rows: Floats, earlier: Floats) -> Floats:
    found: Floats = np.clip(_rows_mean(rows) / np.maximum(_rows_mean(earlier), 1e-9), 0.2, 5.0)
    return found


TEMPLATE = Template(
    id="load_forecast",
    title=Said("日前负荷预测", "Day-ahead load forecast"),
    answers=Said("明天每个时段用多少电（汽、气）？", "How much power (steam, gas) will each slot of tomorrow take?"),
    needs=("time",),
    protocol=Said(
        "每天 00:00 预测全天，按整天向前推进，须胜过昨天同一时刻、上周同一时刻和近四周同星期的平均。",
        "At 00:00 for the whole day, origins moving forward by whole days; must beat the same slot of yesterday, of last week, and the mean of four same weekdays.",
    ),
    publishes="package",
    run=run,
    options=("known_ahead",),
)
