"""Who is tested on what: never a row whose neighbour in time, group or file was learnt from.

With a time the last part is held out and the folds move their origin forward. With a group a group is on one side
only. With neither, rows whose neighbours are alike (a file sorted by class, or readings one after another) are kept
together in blocks; only rows that do not depend on their neighbours are split at random, and identical rows then stay
on one side.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from services.models.training.learning_set import Floats, Ints, LearningSet, Said

HELD_OUT = 0.2
FOLDS = 4
FIRST_ORIGIN = 0.4
"""Share of the learning part that the first fold learns from."""
BLOCKS = 40
ALIKE = 4.0
"""So many standard errors beyond chance, neighbours count as alike."""
SEED = 20251125


@dataclass(frozen=True)
class Split:
    learn: Ints
    test: Ints


@dataclass(frozen=True)
class Protocol:
    kind: str
    """time, group, blocks or random."""
    held_out: Split
    folds: tuple[Split, ...]
    """Within what the held-out part leaves."""
    units: Ints
    """Rows of the same unit are not independent of one another: the bootstrap draws units, not rows."""
    said: Said


def protocol_of(data: LearningSet) -> Protocol:
    if data.when is not None:
        return _by_time(data)
    if data.groups is not None:
        said = Said(
            "按组划分：一组的行只在一边；约五分之一的组留作检验，其余做分组交叉检验。",
            "Split by group: a group's rows are on one side only; a fifth of the groups is held out, the rest is cross-"
            "validated by group.",
        )
        return _by_units(data, data.groups, "group", said)
    if neighbours_alike(data.target, data.classification):
        said = Said(
            f"没有时间列，但相邻的行明显相似，所以按文件中连续的 {BLOCKS} 段整段划分，不打散相邻行。",
            f"No time column, but neighbouring rows are alike, so {BLOCKS} consecutive blocks of the file are kept whole.",
        )
        return _by_units(data, blocks(data.rows, BLOCKS), "blocks", said)
    said = Said(
        "没有时间列和分组列，相邻行也不相似，随机划分（完全相同的行在同一边）。若各行其实来自少数几天或几批，成绩会偏乐观。",
        "No time and no group column, and neighbouring rows are not alike: split at random, identical rows on one side. If "
        "the rows come from few days or lots, the figures flatter.",
    )
    return _by_units(data, _identical(data), "random", said)


def blocks(rows: int, count: int) -> Ints:
    """(rows,) number of the consecutive block that each row is in."""
    return (np.arange(rows) * min(count, rows) // rows).astype(np.int64)


def neighbours_alike(target: Floats, classification: bool) -> bool:
    """Whether a row's target says something about the next row's: by rank correlation, or by how often classes agree."""
    rows = target.size
    if rows < 20:
        return False
    if classification:
        shares = np.bincount(target.astype(np.int64)) / rows
        chance = float((shares**2).sum())
        agree = float((target[1:] == target[:-1]).mean())
        return bool((agree - chance) > ALIKE * np.sqrt(chance * (1 - chance) / rows) + 0.02)
    ranks = np.argsort(np.argsort(target, kind="stable"), kind="stable").astype(np.float64)
    if ranks.std() == 0:
        return False
    correlation = float(np.corrcoef(ranks[1:], ranks[:-1])[0, 1])
    return bool(correlation > ALIKE / np.sqrt(rows) + 0.05)


def _by_time(data: LearningSet) -> Protocol:
    assert data.when is not None
    cut = _at_a_stamp(data.when, round(data.rows * (1 - HELD_OUT)))
    folds = []
    bounds = [_at_a_stamp(data.when, round(cut * share)) for share in np.linspace(FIRST_ORIGIN, 1, FOLDS + 1)]
    bounds[-1] = cut
    for start, end in itertools.pairwise(bounds):
        if end > start > data.gap:
            folds.append(_without_shared_groups(data, Split(np.arange(start - data.gap), np.arange(start, end))))
    held = _without_shared_groups(data, Split(np.arange(cut - data.gap), np.arange(cut, data.rows)))
    said = Said(
        f"按时间划分：最后 {data.rows - cut} 行留作检验，只用一次；此前的部分用 {len(folds)} 个向前推进的起点比较模型，从不随机划分。",
        f"Split by time: the last {data.rows - cut} rows are held out and used once; before them models are compared at "
        f"{len(folds)} origins that move forward, never at random.",
    )
    return Protocol("time", held, tuple(folds), blocks(data.rows, BLOCKS * 5), said)


def _at_a_stamp(when: Floats, place: int) -> int:
    """The first row at or after `place` that does not share its stamp with the row before it."""
    place = min(max(place, 1), when.size - 1)
    start = int(np.searchsorted(when, when[place], side="left"))
    return start if start > 0 else int(np.searchsorted(when, when[place], side="right"))


def _without_shared_groups(data: LearningSet, split: Split) -> Split:
    """Rows of groups that are also tested leave the learning part, unless groups recur all the time (a machine's id)."""
    if data.groups is None:
        return split
    kept = split.learn[~np.isin(data.groups[split.learn], data.groups[split.test])]
    return Split(kept, split.test) if kept.size * 2 >= split.learn.size else split


def _by_units(data: LearningSet, units: Ints, kind: str, said: Said) -> Protocol:
    rows = np.arange(data.rows)
    held = _unit_folds(data, units, rows, round(1 / HELD_OUT))[0]
    inner = tuple(_unit_folds(data, units, held.learn, FOLDS))
    return Protocol(kind, held, inner, units, said)


def _unit_folds(data: LearningSet, units: Ints, rows: Ints, wanted: int) -> list[Split]:
    """Folds of whole units, shuffled, with each class or each part of the target's range in every fold if possible."""
    count = min(wanted, np.unique(units[rows]).size)
    target = data.target[rows]
    if data.classification:
        chosen = StratifiedGroupKFold(count, shuffle=True, random_state=SEED).split(rows, target, units[rows])
    elif np.unique(units[rows]).size == rows.size:
        # Each row for itself: five parts of the range of the target, so that folds resemble one another.
        fifth = np.searchsorted(np.quantile(target, [0.2, 0.4, 0.6, 0.8]), target)
        chosen = StratifiedGroupKFold(count, shuffle=True, random_state=SEED).split(rows, fifth, units[rows])
    else:
        chosen = GroupKFold(count, shuffle=True, random_state=SEED).split(rows, target, units[rows])
    return [Split(rows[learn], rows[test]) for learn, test in chosen]


def _identical(data: LearningSet) -> Ints:
    """A number for each distinct row of features; each row its own when few distinct rows exist at all."""
    _, numbers = np.unique(np.nan_to_num(data.matrix, nan=-1e30), axis=0, return_inverse=True)
    numbers = numbers.reshape(-1).astype(np.int64)
    if np.unique(numbers).size < max(50, data.rows // 10):
        return np.arange(data.rows)
    return numbers
