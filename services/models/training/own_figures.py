"""The figures of a test on held-out rows, the model's beside the rule's, as the lineage and the card state them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score

from services.models.training import own_intervals, scores
from services.models.training.calibration import brier
from services.models.training.comparing import shortened
from services.models.training.conformal import set_threshold
from services.models.training.learning_set import Floats, Ints, LearningSet
from services.models.training.splits import Protocol


def figures_of(
    data: LearningSet,
    protocol: Protocol,
    said: Floats,
    naive: Floats,
    in_folds: tuple[Ints, Floats],
    coverage: float,
    parts: Sequence[Ints],
) -> dict[str, Any]:
    """`said` and `naive` are answers to the held-out rows; `in_folds` are rows and answers of the folds, from which the
    bands are made whose coverage is then measured on the held-out rows; `parts` are the folds' places among them."""
    test = protocol.held_out.test
    counts = {"rows": data.rows, "rows_tested": int(test.size), "protocol": protocol.kind}
    of = _of_classes if data.classification else _of_numbers
    found = of(data, test, said, coverage, in_folds, parts, protocol.kind == "time")
    return {**found, "naive": _plain_figures(data, test, naive), **counts}


def _plain_figures(data: LearningSet, rows: Ints, said: Floats) -> dict[str, float]:
    actual = data.target[rows]
    if data.classification:
        classes = len(data.classes)
        found = scores.classification(actual.astype(np.int64), said.argmax(axis=1), classes)
        found["brier"] = shortened(float(brier(said, actual).mean()))
        if classes == 2:
            positive = positive_class(data)
            truth = actual == positive
            if truth.any():
                found["average_precision"] = round(float(average_precision_score(truth, said[:, positive])), 4)
        return found
    error = said - actual
    found = {
        "mae": shortened(float(np.abs(error).mean())),
        "rmse": shortened(float(np.sqrt((error**2).mean()))),
    }
    if np.abs(actual).sum() > 0:
        found["wape_percent"] = round(float(100 * np.abs(error).sum() / np.abs(actual).sum()), 2)
    if actual.std() > 0:
        found["r2"] = round(float(1 - (error**2).mean() / actual.var()), 4)
    return found


def positive_class(data: LearningSet) -> int:
    """The rarer class: the defect, the failure."""
    return int(np.bincount(data.target.astype(np.int64), minlength=len(data.classes)).argmin())


def _of_numbers(
    data: LearningSet, test: Ints, said: Floats, coverage: float, in_folds: tuple[Ints, Floats], parts: Sequence[Ints],
    by_time: bool,
) -> dict[str, Any]:  # fmt: skip
    rows, answers = in_folds
    errors = data.target[rows] - answers
    factor = own_intervals.widening([errors[part] for part in parts], coverage) if by_time else 1.0
    low, high = (factor * each for each in own_intervals.offsets(errors, coverage))
    actual = data.target[test]
    return {
        **_plain_figures(data, test, said),
        "interval_coverage": scores.coverage(actual, said + low, said + high),
        "interval_mean_width": shortened(high - low),
        "interval_widened": factor,
    }


def _of_classes(
    data: LearningSet, test: Ints, said: Floats, coverage: float, in_folds: tuple[Ints, Floats], parts: Sequence[Ints],
    by_time: bool,
) -> dict[str, Any]:  # fmt: skip
    rows, answers = in_folds
    own = answers[np.arange(rows.size), data.target[rows].astype(np.int64)]
    threshold = set_threshold(own, coverage)
    sets = 1 - said <= threshold
    sets[np.arange(test.size), said.argmax(axis=1)] = True
    f1 = scores.f1_by_class(data.target[test].astype(np.int64), said.argmax(axis=1), len(data.classes))
    return {
        **_plain_figures(data, test, said),
        "set_coverage": round(float(sets[np.arange(test.size), data.target[test].astype(np.int64)].mean()), 4),
        "set_mean_size": round(float(sets.sum(axis=1).mean()), 2),
        "f1_by_class": {name: round(score, 3) for name, score in zip(data.classes, f1, strict=True)},
    }
