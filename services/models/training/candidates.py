"""Estimators that are tried, from the plainest: each exports to ONNX and stays small enough for a single core."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from services.models.training.learning_set import LearningSet

SEED = 0
LARGEST_LEAF = 200
"""Few and large leaves: rows of one day or lot err together, so far fewer of them are independent than stand there."""


@dataclass(frozen=True)
class Candidate:
    name: str
    make: Callable[[], Any]
    """A new, unfitted pipeline from the matrix to the answer."""
    parameters: dict[str, Any] = field(default_factory=dict)


def candidates_for(data: LearningSet) -> Iterator[Candidate]:
    """The plainest first: what comes later has to earn its place."""
    leaf = int(np.clip(data.rows // 100, 5, LARGEST_LEAF))
    tried = _classifiers(min(leaf, 40)) if data.classification else _regressors(leaf)
    for name, kind, parameters, scaled in tried:
        yield Candidate(name, _maker(data, kind, parameters, scaled), parameters)


Tried = Iterator[tuple[str, Any, dict[str, Any], bool]]


def _regressors(leaf: int) -> Tried:
    boosted = {
        "max_iter": 120, "learning_rate": 0.05, "max_leaf_nodes": 15, "min_samples_leaf": leaf, "max_features": 0.5
    }  # fmt: skip
    absolute = {"loss": "absolute_error", **boosted}
    yield "Ridge", Ridge, {"alpha": 1.0}, True
    yield "HistGradientBoosting absolute", HistGradientBoostingRegressor, absolute, False
    yield "HistGradientBoosting squared", HistGradientBoostingRegressor, boosted, False
    forest = {"n_estimators": 60, "min_samples_leaf": max(3, leaf // 10), "max_depth": 12, "max_features": 0.5}
    yield "ExtraTrees", ExtraTreesRegressor, forest, False
    yield "Ridge strong", Ridge, {"alpha": 100.0}, True
    finer = {**absolute, "max_iter": 240, "max_leaf_nodes": 31, "min_samples_leaf": max(5, leaf // 4)}
    yield "HistGradientBoosting absolute, finer", HistGradientBoostingRegressor, finer, False


def _classifiers(leaf: int) -> Tried:
    boosted = {"max_iter": 100, "learning_rate": 0.08, "max_leaf_nodes": 15, "min_samples_leaf": leaf}
    yield "Logistic", LogisticRegression, {"C": 1.0, "max_iter": 500}, True
    yield "HistGradientBoosting", HistGradientBoostingClassifier, {**boosted, "l2_regularization": 1.0}, False
    forest = {"n_estimators": 60, "min_samples_leaf": 3, "max_depth": 12, "max_features": 0.5}
    yield "ExtraTrees", ExtraTreesClassifier, forest, False
    yield "RandomForest", RandomForestClassifier, forest, False
    yield "Logistic strong", LogisticRegression, {"C": 0.05, "max_iter": 500}, True
    slow = {**boosted, "max_iter": 200, "learning_rate": 0.04, "max_features": 0.5, "l2_regularization": 5.0}
    yield "HistGradientBoosting, slow", HistGradientBoostingClassifier, slow, False


def _maker(data: LearningSet, kind: Any, parameters: dict[str, Any], scaled: bool) -> Callable[[], Any]:
    def make() -> Any:
        # Early stopping would hold out rows at random, which flatters a series.
        apart = {"early_stopping": False} if "HistGradient" in kind.__name__ else {}
        seeded = {"random_state": SEED} if kind is not Ridge else {}
        return Pipeline([("columns", _columns(data, scaled)), ("model", kind(**parameters, **apart, **seeded))])

    return make


def _columns(data: LearningSet, scaled: bool) -> ColumnTransformer:
    """Missing numbers take the median of what is learnt from; words become one column each."""
    numbers = [place for place, each in enumerate(data.columns) if not each.choices]
    words = [place for place, each in enumerate(data.columns) if each.choices]
    steps: list[tuple[str, Any, list[int]]] = []
    if numbers:
        filled: list[Any] = [SimpleImputer(strategy="median", keep_empty_features=True)]
        steps.append(("numbers", make_pipeline(*filled, *([StandardScaler()] if scaled else [])), numbers))
    if words:
        codes = [np.arange(len(data.columns[place].choices), dtype=np.float64) for place in words]
        steps.append(("words", OneHotEncoder(categories=codes, handle_unknown="ignore", sparse_output=False), words))
    return ColumnTransformer(steps)
