"""Columns that follow from others: equal ones, sums, products, and values that determine a class.

Any of them may turn out to be the target, so that all are looked for once, on a sample, when the file is read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.models.training.table import Table

MOST_ROWS = 20_000
FEWEST_ROWS = 30
EQUAL = 0.9999
"""Correlation from which a column is nearly another one."""
EXACT = 1e-4
"""Share of a column's variance that others leave unexplained when they make it up; rounding leaves about 1e-6."""
PURE = 0.999
MOST_TERMS = 8
MOST_CLASSES = 20

_RATIO = re.compile(r"单耗|单位|每|率|比|系数|/|\bper\b|rate|ratio", re.IGNORECASE)

Floats = NDArray[np.float64]


def find(table: Table, numbers: dict[str, Floats]) -> list[dict[str, Any]]:
    """`[{kind: equal|sum|determines, target, columns, suspects, said: {zh, en}}]`."""
    if table.rows < FEWEST_ROWS:
        return []
    take = slice(None) if table.rows <= MOST_ROWS else slice(0, None, -(-table.rows // MOST_ROWS))
    sampled = {name: values[take] for name, values in numbers.items()}
    usable = {
        name: values for name, values in sampled.items()
        if np.isfinite(values).mean() > 0.5 and np.unique(values[np.isfinite(values)]).size > 1
    }  # fmt: skip
    equal = _equal(usable)
    pairs = {frozenset((each["target"], each["columns"][0])) for each in equal}
    found = equal + _sums(usable, pairs, table.units)
    return found + _determined(table, usable, take, pairs)


def _equal(columns: dict[str, Floats]) -> list[dict[str, Any]]:
    names = list(columns)
    if len(names) < 2:
        return []
    matrix = np.column_stack([columns[name] for name in names])
    known = np.isfinite(matrix)
    centred = np.where(known, matrix - np.nanmean(matrix, axis=0), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        lengths = np.sqrt((centred**2).sum(axis=0))
        likeness = (centred.T @ centred) / np.outer(lengths, lengths)
    found = []
    for one in range(len(names)):
        for other in range(len(names)):
            if one == other or not abs(likeness[one, other]) > EQUAL:
                continue
            both = known[:, one] & known[:, other]
            if both.sum() < FEWEST_ROWS or np.unique(matrix[both, other]).size < 3:
                continue
            said = f"r = {likeness[one, other]:.5f}"
            found.append(_relation("equal", names[one], [names[other]], said, said))
    return found


def _sums(columns: dict[str, Floats], pairs: set[frozenset[str]], units: Mapping[str, str]) -> list[dict[str, Any]]:
    """a = b + c and, on logarithms, a = b x c or b / c: whole coefficients only, since only these are arithmetic."""
    found = _linear(columns, pairs, "+", units)
    taken = {frozenset((each["target"], *each["columns"])) for each in found}
    positive = {
        name: np.log(values) for name, values in columns.items() if np.all(values[np.isfinite(values)] > 0)
    }  # fmt: skip
    spread = {name: values for name, values in positive.items() if np.nanstd(values) > 1e-3}
    products = _linear(spread, pairs, "×", units)
    return found + [each for each in products if frozenset((each["target"], *each["columns"])) not in taken]


def _linear(
    columns: dict[str, Floats], pairs: set[frozenset[str]], sign: str, units: Mapping[str, str]
) -> list[dict[str, Any]]:
    names = list(columns)
    if len(names) < 3:
        return []
    matrix = np.column_stack([columns[name] for name in names])
    matrix = matrix[np.isfinite(matrix).all(axis=1)]
    if matrix.shape[0] < max(FEWEST_ROWS, 3 * len(names)):
        return []
    matrix = matrix[:: max(1, matrix.shape[0] // 5000)]
    spread = matrix.std(axis=0)
    alive = spread > 0
    names = [name for name, keep in zip(names, alive, strict=True) if keep]
    scaled = (matrix[:, alive] - matrix[:, alive].mean(axis=0)) / spread[alive]
    likeness = scaled.T @ scaled / scaled.shape[0]
    # One over the diagonal of the inverse is the share of a column's variance that all others leave unexplained.
    left = 1.0 / np.diag(np.linalg.inv(likeness + 1e-9 * np.eye(len(names))))
    involved = [place for place in range(len(names)) if left[place] < EXACT]
    return [
        each
        for target in involved
        if (each := _combination(target, involved, scaled, spread[alive], names, pairs, sign, units)) is not None
    ]


def _combination(
    target: int,
    involved: list[int],
    scaled: Floats,
    spread: Floats,
    names: list[str],
    pairs: set[frozenset[str]],
    sign: str,
    units: Mapping[str, str],
) -> dict[str, Any] | None:
    others = [place for place in involved if place != target and frozenset((names[place], names[target])) not in pairs]
    if len(others) < 2:
        return None
    weights, *_ = np.linalg.lstsq(scaled[:, others], scaled[:, target], rcond=1e-8)
    rest = scaled[:, target] - scaled[:, others] @ weights
    if rest.var() > EXACT:
        return None
    slopes = weights * spread[target] / spread[others]
    terms = [(names[place], float(slope)) for place, slope in zip(others, slopes, strict=True) if abs(slope) > 0.02]
    if not 2 <= len(terms) <= MOST_TERMS or any(abs(abs(slope) - 1) > 0.02 for _, slope in terms):
        return None
    minus = "÷" if sign == "×" else "−"
    ordered = sorted(terms, key=lambda term: -term[1])
    said = "".join(
        (f" {sign if slope > 0 else minus} " if place else ("" if slope > 0 else minus)) + name
        for place, (name, slope) in enumerate(ordered)
    )
    said = f"{names[target]} = {said}"
    suspects = _suspects(terms, sign, units)
    return _relation("sum", names[target], [name for name, _ in terms], said, said, suspects)


def _determined(
    table: Table, numbers: dict[str, Floats], take: slice, pairs: set[frozenset[str]]
) -> list[dict[str, Any]]:
    """Classes that one other column gives away, value by value or by a threshold."""
    coded = {
        name: _codes(values[take])
        for name, values in table.columns.items()
        if table.kinds[name] == "text" or (table.kinds[name] == "number" and len(set(values)) <= 200)
    }
    targets = {
        name: codes for name, codes in coded.items() if 2 <= len(set(codes[codes >= 0].tolist())) <= MOST_CLASSES
    }
    found = []
    for target, classes in targets.items():
        for name in {*coded, *numbers} - {target}:
            if frozenset((name, target)) in pairs:
                continue
            said = _by_value(coded[name], classes) if name in coded else None
            if said is None and name in numbers:
                said = _by_threshold(numbers[name], classes)
            if said is not None:
                found.append(_relation("determines", target, [name], *said))
    return sorted(found, key=lambda each: (each["target"], each["columns"]))


def _codes(values: list[Any]) -> NDArray[np.int64]:
    places: dict[Any, int] = {}
    return np.array([-1 if value is None else places.setdefault(value, len(places)) for value in values], np.int64)


def _by_value(codes: NDArray[np.int64], classes: NDArray[np.int64]) -> tuple[str, str] | None:
    both = (codes >= 0) & (classes >= 0)
    if both.sum() < FEWEST_ROWS or both.mean() < 0.05:
        return None
    groups: dict[int, Counter[int]] = {}
    for code, each in zip(codes[both].tolist(), classes[both].tolist(), strict=True):
        groups.setdefault(code, Counter())[each] += 1
    whole = Counter(classes[both].tolist())
    repeated = {code: counts for code, counts in groups.items() if counts.total() >= 5}
    covered = sum(counts.total() for counts in repeated.values())
    if len(repeated) < 2 or covered < 0.8 * both.sum() or len(whole) < 2:
        return None
    right = sum(counts.most_common(1)[0][1] for counts in repeated.values())
    decided = {counts.most_common(1)[0][0] for counts in repeated.values()}
    rarest = min(whole.values())
    # The rare class must be told apart too: a column is no giveaway because most rows are good.
    if right / covered < PURE or len(decided) < len(whole) or covered - right > 0.05 * rarest:
        return None
    share = f"{right / covered * 100:.4g} %"
    return f"相同的值有 {share} 属于同一类", f"{share} of equal values are of one class"


def _by_threshold(values: Floats, classes: NDArray[np.int64]) -> tuple[str, str] | None:
    both = np.isfinite(values) & (classes >= 0)
    known, labels = values[both], classes[both]
    found = Counter(labels.tolist())
    if known.size < FEWEST_ROWS or len(found) < 2 or min(found.values()) < 10:
        return None
    order = np.lexsort((labels, known))
    known, labels = known[order], labels[order]
    blocks = np.flatnonzero(np.diff(labels) != 0)
    if blocks.size != len(found) - 1 or np.any(known[blocks] == known[blocks + 1]):
        return None
    cuts = "、".join(f"{(known[place] + known[place + 1]) / 2:g}" for place in blocks[:3])
    return f"以 {cuts} 为界完全分开", f"told apart without fault at {cuts}"


def _relation(
    kind: str, target: str, columns: list[str], zh: str, en: str, suspects: list[str] | None = None
) -> dict[str, Any]:
    """`suspects` are the columns without which the target no longer follows; by default all of them."""
    said = {"zh": zh, "en": en}
    return {"kind": kind, "target": target, "columns": columns, "suspects": suspects or columns, "said": said}


def _suspects(terms: list[tuple[str, float]], sign: str, units: Mapping[str, str]) -> list[str]:
    """Of energy per tonne = energy ÷ tonnes the energy, which is measured with it, and not the tonnes, which are planned;
    of energy = energy per tonne × tonnes the ratio. Parts of a sum are measured together: all of them."""
    if sign != "×" or len(terms) != 2:
        return [name for name, _ in terms]
    above = [name for name, slope in terms if slope > 0]
    if len(above) == 1:
        return above
    ratios = [name for name, _ in terms if "/" in units.get(name, "") or _RATIO.search(name)]
    return ratios if len(ratios) == 1 else [name for name, _ in terms]
