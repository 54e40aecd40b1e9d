"""From a firm's table and the parts its columns play to a learning set: what is used, filled, left out, and said."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from services.models.errors import CannotTrain
from services.models.training.learning_set import Column, Floats, Ints, LearningSet, Said
from services.models.training.table import Roles, Table

MOST_MISSING = 0.4
"""A column with a larger share of gaps is left out: filling it would invent it."""
MOST_WORDS = 40
"""A text column with more values than this, after rare ones are put together, is an identifier."""
RARE = 5
MOST_COLUMNS = 120
MOST_CLASSES = 20
OTHER, EMPTY = "其他", "（空）"
GIVES_AWAY = 0.9
"""A mark that stands almost only where the event happened was written after it."""


def learning_set(table: Table, roles: Roles, names: Sequence[str] | None = None) -> LearningSet:
    """`names` are the input columns; by default those of the roles, else all usable ones. Raises `CannotTrain`."""
    _known(table, [roles.target, *filter(None, (roles.time, roles.group)), *roles.features])
    kept = rows_with(table, roles.target, roles.time)
    order = _in_time(table, roles.time, kept)
    notes: list[Said] = []
    if len(kept) < table.rows:
        missing = table.rows - len(kept)
        notes.append(
            Said(f"{missing} 行没有目标值或时间，未用。", f"{missing} rows lack the target or the time: not used.")
        )
    target, classes = target_of(table, roles, order)
    when = stamps(table, roles.time, order) if roles.time else None
    groups = numbered([table.columns[roles.group][row] for row in order]) if roles.group else None
    columns, parts = [], []
    for name in names if names is not None else usable(table, roles, notes):
        read = column_of(table, name, order, notes)
        if read is not None:
            columns.append(read[0])
            parts.append(read[1])
    matrix = np.column_stack(parts) if parts else np.empty((len(order), 0))
    data = LearningSet(
        tuple(columns), matrix.astype(np.float32), target, classes, when, groups,
        facts={"target": roles.target, "rows_in_file": table.rows, "order": np.asarray(order, dtype=np.int64)},
    )  # fmt: skip
    return _without_doubles(_without_marks(data, notes), notes)


def usable(table: Table, roles: Roles, notes: list[Said]) -> list[str]:
    """The input columns: those named, or every number and word that is neither target, time nor group."""
    if roles.features:
        return [name for name in roles.features if name != roles.target]
    found = []
    for name, kind in table.kinds.items():
        if name in (roles.target, roles.time, roles.group):
            continue
        if kind in ("number", "text"):
            found.append(name)
        else:
            zh, en = {"date": ("日期", "a date"), "constant": ("只有一个值", "has one value only")}.get(
                kind, ("空列", "empty")
            )
            notes.append(Said(f"「{name}」{zh}，未用作输入。", f"“{name}” is {en}: not an input."))
    return found[:MOST_COLUMNS]


def rows_with(table: Table, *names: str | None) -> list[int]:
    """Rows in which none of these columns is empty."""
    columns = [table.columns[name] for name in names if name]
    return [row for row in range(table.rows) if all(column[row] is not None for column in columns)]


def target_of(table: Table, roles: Roles, order: Sequence[int]) -> tuple[Floats, tuple[str, ...]]:
    """Numbers, or places in the classes. Words are classes; numbers are when asked for, or when there are two."""
    values = [table.columns[roles.target][row] for row in order]
    distinct = set(values)
    words = any(isinstance(value, str) for value in distinct)
    task = roles.task or ("classification" if words or len(distinct) == 2 else "regression")
    if task == "regression":
        if words or any(isinstance(value, datetime) for value in distinct):
            raise CannotTrain(
                column=roles.target, reason_zh="目标列含文字或日期，不能作为数值预测；请改为分类或清理该列。",
                reason_en="holds words or dates and cannot be predicted as a number: ask for a classification or clean it.",
            )  # fmt: skip
        return np.array([_number(value) for value in values], dtype=np.float64), ()
    classes = tuple(sorted(_label(value) for value in distinct))
    if not 2 <= len(classes) <= MOST_CLASSES:
        raise CannotTrain(
            column=roles.target, reason_zh=f"分类目标应有 2 到 {MOST_CLASSES} 个不同的值，现有 {len(classes)} 个。",
            reason_en=f"a classification needs 2 to {MOST_CLASSES} distinct values, has {len(classes)}.",
        )  # fmt: skip
    places = {name: place for place, name in enumerate(classes)}
    return np.array([places[_label(value)] for value in values], dtype=np.float64), classes


def column_of(table: Table, name: str, order: Sequence[int], notes: list[Said]) -> tuple[Column, Floats] | None:
    """The column as numbers, or None (said in `notes`) when it cannot be an input."""
    values = [table.columns[name][row] for row in order]
    missing = sum(1 for value in values if value is None)
    share = missing / max(len(values), 1)
    if share > MOST_MISSING:
        notes.append(Said(f"「{name}」缺 {share:.0%}，未用。", f"“{name}” lacks {share:.0%} of its values: not used."))
        return None
    if any(isinstance(value, datetime) for value in values):
        notes.append(Said(f"「{name}」是日期，未用作输入。", f"“{name}” is a date: not an input."))
        return None
    if any(isinstance(value, str) for value in values):
        return _words(name, values, notes)
    if missing:
        notes.append(
            Said(
                f"「{name}」缺 {missing} 个值（{share:.1%}），按中位数补上；调用时不给此项也取中位数。",
                f"“{name}” lacks {missing} values ({share:.1%}): filled with the median, as is a call without it.",
            )
        )
    found = np.array([math.nan if value is None else _number(value) for value in values])
    return Column(name, table.units.get(name, "")), found


def _words(name: str, values: Sequence[Any], notes: list[Said]) -> tuple[Column, Floats] | None:
    labels = [EMPTY if value is None else _label(value) for value in values]
    counts = Counter(labels)
    common = [label for label, count in counts.most_common() if count >= RARE and label != OTHER]
    if len(common) > MOST_WORDS or sum(counts[label] for label in common) < 0.5 * len(labels):
        notes.append(
            Said(
                f"「{name}」有 {len(counts)} 个不同的文字值，像编号，未用。",
                f"“{name}” has {len(counts)} distinct texts, like an identifier: not used.",
            )
        )
        return None
    choices = sorted(common)
    if len(common) < len(counts):
        choices.append(OTHER)
        notes.append(
            Said(
                f"「{name}」中出现不到 {RARE} 次的 {len(counts) - len(common)} 个值并为「{OTHER}」。",
                f"{len(counts) - len(common)} values of “{name}” that occur less than {RARE} times became “{OTHER}”.",
            )
        )
    places = {label: place for place, label in enumerate(choices)}
    codes = [places.get(label, len(choices) - 1) for label in labels]
    return Column(name, choices=tuple(choices)), np.array(codes, dtype=np.float64)


def _without_marks(data: LearningSet, notes: list[Said]) -> LearningSet:
    """Marks such as the kind of failure stand only where the target happened, since they were written after it."""
    if len(data.classes) != 2:
        return data
    rare = int(np.bincount(data.target.astype(np.int64), minlength=2).argmin())
    event = data.target == rare
    kept = []
    for place, column in enumerate(data.columns):
        values = data.matrix[:, place]
        known = ~np.isnan(values)
        levels, counts = np.unique(values[known], return_counts=True)
        if levels.size == 2:
            marked = known & (values == levels[counts.argmin()])
            if 5 <= marked.sum() <= 0.2 * data.rows and event[marked].mean() >= max(GIVES_AWAY, 5 * event.mean()):
                name = column.title
                notes.append(
                    Said(
                        f"「{name}」几乎只在目标为「{data.classes[rare]}」时出现，像事后才填的，未用。",
                        f"“{name}” stands almost only where the target is “{data.classes[rare]}”, as if written after it: not used.",
                    )
                )
                continue
        kept.append(place)
    return data.with_columns([data.columns[place] for place in kept], data.matrix[:, kept].astype(np.float64))


def _without_doubles(data: LearningSet, notes: list[Said]) -> LearningSet:
    """Of rows that a group reports twice with the same values one is kept; without a group or a time none is dropped."""
    if data.groups is not None and data.rows:
        whole = np.column_stack([data.groups, data.target, np.nan_to_num(data.matrix, nan=-1e30)])
        if data.when is not None:
            whole = np.column_stack([whole, data.when])
        _, first = np.unique(whole, axis=0, return_index=True)
        if first.size < data.rows:
            gone = data.rows - first.size
            notes.append(
                Said(
                    f"{gone} 行与同组的另一行完全相同，只留一行。",
                    f"{gone} rows repeat another of their group: left out.",
                )
            )
            rows = np.sort(first)
            data = data.part(rows)
            data.facts["order"] = data.facts["order"][rows]
    return LearningSet(**{**vars(data), "notes": (*data.notes, *notes)})


def _known(table: Table, names: Iterable[str]) -> None:
    for name in names:
        if name not in table.columns:
            known = "、".join(list(table.columns)[:20])
            raise CannotTrain(
                column=name, reason_zh=f"没有这一列；有：{known}。", reason_en=f"is no column; known: {known}."
            )


def _in_time(table: Table, time: str | None, rows: Sequence[int]) -> list[int]:
    if time is None:
        return list(rows)
    values = table.columns[time]
    if any(isinstance(values[row], str) for row in rows):
        raise CannotTrain(
            column=time, reason_zh="时间列含文字，读不成日期或数值。", reason_en="holds words where a time is wanted."
        )
    return sorted(rows, key=lambda row: _moment(values[row]))


def stamps(table: Table, time: str, order: Sequence[int]) -> Floats:
    """Seconds since 1970 of a date, or the number itself."""
    return np.array([_moment(table.columns[time][row]) for row in order])


def _moment(value: Any) -> float:
    return value.replace(tzinfo=UTC).timestamp() if isinstance(value, datetime) else float(value)


def numbered(values: Sequence[Any]) -> Ints:
    places: dict[Any, int] = {}
    return np.array([places.setdefault(value, len(places)) for value in values], dtype=np.int64)


def _number(value: Any) -> float:
    return float(value)


def _label(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)[:80]
