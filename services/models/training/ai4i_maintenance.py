"""ai4i-maintenance: whether a milling machine fails at this operating point. The data set is simulated, and says so.

Protocol: rows are in order, their temperatures drift and the failure rate of blocks differs threefold, so the file is cut
into four blocks in order and each is judged by a model of the other three; a random split would flatter. The five columns
that name the kind of failure are the label itself and are not used. Three derived columns (power, temperature difference,
torque times wear) restate rules by which the set was simulated, so the figures measure how well rules are found again.
"""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.metrics import average_precision_score, brier_score_loss

from services.models.inference import novelty
from services.models.inference.rows_seen import digest_of
from services.models.training import calibration, scores
from services.models.training.ai4i_words import CLASSES, INPUTS, TYPES, cards
from services.models.training.conformal import set_figures, set_threshold
from services.models.training.derived_columns import WIDENED, Derived, widened, with_derived
from services.models.training.export import Made, file_hash, onnx_of
from services.models.training.plain_signature import inputs_of, instance_of

VERSION = "1.0.0"
COVERAGE = 0.95
FALSE_ALARMS = 0.02
BLOCKS = 4
COST_MISS, COST_ALARM = 20.0, 1.0
"""An example, said to be one: a missed failure costs as much as twenty needless stops."""
PROTOCOL = f"{BLOCKS} blocks in the order of the file, each judged by a model of the others"
NAMES = tuple(INPUTS)
DERIVED = (
    Derived("product", NAMES.index("rot_speed_rpm"), NAMES.index("torque_nm"), 2 * np.pi / 60),
    Derived("difference", NAMES.index("process_temp_k"), NAMES.index("air_temp_k")),
    Derived("product", NAMES.index("torque_nm"), NAMES.index("tool_wear_min")),
)
Floats = NDArray[np.float64]


def read(path: Path) -> tuple[Floats, NDArray[np.int64]]:
    """Features (n, 6), the type as its place in L, M, H; and 1 for a failure."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    matrix = [
        [float(TYPES.index(row["type"])), *(np.float32(row[name]) for name in NAMES if name != "type")] for row in rows
    ]
    return np.array(matrix, dtype=np.float64), np.array([int(row["machine_failure"]) for row in rows])


def estimator() -> Any:
    forest = RandomForestClassifier(60, max_depth=9, max_features=0.5, random_state=0)
    boosted = HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.08, max_leaf_nodes=12, min_samples_leaf=15, random_state=0
    )
    return VotingClassifier([("forest", forest), ("boosted", boosted)], voting="soft", flatten_transform=False)


def out_of_block(matrix: Floats, target: NDArray[np.int64]) -> tuple[Floats, list[tuple[Any, Any]]]:
    """Probabilities (n, 2) of each block by a model of the others, and those splits."""
    parts = np.array_split(np.arange(len(target)), BLOCKS)
    wide = widened(matrix, DERIVED)
    folds, found = [], np.zeros((len(target), 2))
    for test in parts:
        train = np.setdiff1d(np.arange(len(target)), test)
        found[test] = estimator().fit(wide[train], target[train]).predict_proba(wide[test])
        folds.append((train, test))
    return found, folds


def measure(matrix: Floats, target: NDArray[np.int64]) -> tuple[dict[str, Any], Floats]:
    """The card's figures by its protocol, and the calibrated out-of-block probabilities they rest on."""
    raw, folds = out_of_block(matrix, target)
    probabilities = np.zeros_like(raw)
    for train, test in folds:
        probabilities[test] = calibration.fitted(raw[train], target[train].astype(np.float64)).applied(raw[test])
    threshold = COST_ALARM / (COST_ALARM + COST_MISS)
    act = probabilities[:, 1] >= threshold
    said, nothing = (probabilities[:, 1] >= 0.5).astype(np.int64), np.zeros_like(target)
    rate = np.full(len(target), target.mean())
    measured = {
        **scores.classification(target, said, 2),
        "average_precision": round(float(average_precision_score(target, probabilities[:, 1])), 4),
        "f1_of_failures": round(scores.f1_by_class(target, said, 2)[1], 4),
        "brier": round(float(brier_score_loss(target, probabilities[:, 1])), 5),
        "cost_per_1000": _cost(target, act),
        "alarms_per_1000": round(1000 * float(act.mean()), 1),
        "failures_found": round(float(act[target == 1].mean()), 4),
        "naive": {
            **scores.classification(target, nothing, 2),
            "average_precision": round(float(target.mean()), 4),
            "f1_of_failures": 0.0,
            "brier": round(float(brier_score_loss(target, rate)), 5),
            "cost_per_1000": min(_cost(target, nothing == 1), _cost(target, nothing == 0)),
        },
        "average_precision_by_block": [
            round(float(average_precision_score(target[test], probabilities[test, 1])), 3) for _, test in folds
        ],
        **set_figures(probabilities, target, folds, COVERAGE),
        "rows": len(target),
        "failures": int(target.sum()),
    }
    return measured, raw


def _cost(target: NDArray[np.int64], act: NDArray[np.bool_]) -> float:
    missed, alarms = float((target[~act] == 1).sum()), float((target[act] == 0).sum())
    return round(1000 * (COST_MISS * missed + COST_ALARM * alarms) / len(target), 1)


def make(data_dir: Path) -> Made:
    """Trains, measures and exports. `data_dir` holds `ai4i_maintenance/train.csv.gz`."""
    source = data_dir / "ai4i_maintenance" / "train.csv.gz"
    matrix, target = read(source)
    measured, raw = measure(matrix, target)
    curve = calibration.fitted(raw, target.astype(np.float64))
    wide = widened(matrix, DERIVED)
    model = estimator().fit(wide, target)
    trees = onnx_of(model, wide.shape[1], wide[::7].astype(np.float32), tolerance=0.001, input_name=WIDENED)
    calibrated = curve.applied(raw)
    zh, en = cards(VERSION, measured, COST_MISS, COST_ALARM)
    return Made(
        version=VERSION,
        signature={
            "task": "classification",
            "inputs": inputs_of(matrix, INPUTS, {"type": TYPES}),
            "outputs": [{"name": "state", "title_zh": "是否故障", "title_en": "Failure or not", "unit": ""}],
            "classes": list(CLASSES),
        },
        onnx=with_derived(calibration.appended(trees, curve), len(NAMES), DERIVED),
        matrix=matrix,
        intervals={
            "coverage": COVERAGE,
            "threshold": set_threshold(calibrated[np.arange(len(target)), target], COVERAGE),
            "naive": CLASSES[0],
            "method": "split conformal on out-of-block probabilities",
            "decision": {
                "positive": CLASSES[1], "threshold": round(COST_ALARM / (COST_ALARM + COST_MISS), 4),
                "cost_miss": COST_MISS, "cost_alarm": COST_ALARM, "unit": "1",
            },
            "novelty": novelty.fit(matrix, FALSE_ALARMS),
        },
        lineage={
            "data": {"name": "ai4i_maintenance/train.csv.gz", "sha256": file_hash(source), "rows": len(target)},
            "protocol": PROTOCOL,
            "parameters": {"voting": "soft", "members": ["RandomForest", "HistGradientBoosting"], "calibration": "Platt"},
            "metrics": measured,
            "fitted_on": "all rows",
            "label": {"column": "machine_failure", "classes": {"0": CLASSES[0], "1": CLASSES[1]}},
        },
        card=zh,
        card_en=en,
        requests=_examples(matrix, target, calibrated[:, 1]),
        rows_seen=[digest_of(row) for row in matrix],
    )  # fmt: skip


def _examples(matrix: Floats, target: NDArray[np.int64], chance: Floats) -> list[dict[str, Any]]:
    ordinary = np.flatnonzero((target == 0) & (chance < 0.005))[100]
    failing = np.flatnonzero((target == 1) & (chance > 0.8))[20]
    doubtful = np.flatnonzero((chance > 0.1) & (chance < 0.4))[10]
    found = []
    for name, zh, en, place in (
        ("ordinary", "平常工况", "Ordinary operation", ordinary),
        ("failing", "要出故障的工况", "About to fail", failing),
        ("doubtful", "拿不准的工况", "In doubt", doubtful),
    ):
        request = {"instances": [instance_of(NAMES, matrix[place], {"type": TYPES})]}
        found.append({"name": name, "title": {"zh": zh, "en": en}, "request": request})
    return found
