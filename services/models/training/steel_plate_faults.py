"""steel-plate-faults: which of seven surface faults a steel plate shows.

Protocol: the file is sorted by class and plates of one coil recur, so folds keep coils together (StratifiedGroupKFold
on conveyer length, steel type and thickness as a stand-in for the coil) and rows are shuffled.
"""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, VotingClassifier
from sklearn.model_selection import StratifiedGroupKFold

from services.models.inference import novelty
from services.models.inference.rows_seen import digest_of
from services.models.training import scores
from services.models.training.conformal import set_figures, set_threshold
from services.models.training.export import Made, file_hash, onnx_of, ranges, typicals
from services.models.training.model_card import steel_plate_faults_cards
from services.models.training.steel_plate_faults_words import TITLES

VERSION = "1.0.0"
COVERAGE = 0.9
FALSE_ALARMS = 0.02
"""Share of ordinary rows that may be flagged as unlike the training data."""
FOLDS = 5
PROTOCOL = f"StratifiedGroupKFold({FOLDS}, shuffle) on conveyer length, steel type and thickness"
CLASSES = ("Pastry", "Z_Scratch", "K_Scatch", "Stains", "Dirtiness", "Bumps", "Other_Faults")
COIL = ("Length_of_Conveyer", "TypeOfSteel_A300", "Steel_Plate_Thickness")

NAMES = tuple(TITLES)
Floats = NDArray[np.float64]


def read(path: Path) -> tuple[Floats, NDArray[np.int64], list[str]]:
    """Features (n, 27), class numbers (n,), and the stand-in for the coil."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = [name for name in rows[0] if name not in NAMES]
    wanted = {_plain(name): number for number, name in enumerate(CLASSES)}
    faults = [(column, wanted[_plain(column)]) for column in columns if _plain(column) in wanted]
    matrix = np.array([[np.float32(row[name]) for name in NAMES] for row in rows], dtype=np.float64)
    target = np.array([next(number for column, number in faults if float(row[column]) == 1) for row in rows])
    return matrix, target, ["/".join(row[name] for name in COIL) for row in rows]


def _plain(name: str) -> str:
    return name.lower().replace("_faults", "").replace("_fault", "")


def estimator() -> Any:
    boosted = HistGradientBoostingClassifier(
        max_iter=70, learning_rate=0.08, max_leaf_nodes=15, l2_regularization=1.0, random_state=0
    )
    forest = ExtraTreesClassifier(60, min_samples_leaf=3, max_features=0.5, max_depth=12, random_state=0)
    return VotingClassifier([("boosted", boosted), ("forest", forest)], voting="soft", flatten_transform=False)


def measure(matrix: Floats, target: NDArray[np.int64], coils: list[str]) -> tuple[dict[str, Any], Floats]:
    """The card's figures by its protocol, and the out-of-fold probabilities they rest on."""
    probabilities = _out_of_fold(matrix, target, coils)
    said = probabilities.argmax(axis=1)
    majority = int(np.bincount(target).argmax())
    f1 = scores.f1_by_class(target, said, len(CLASSES))
    measured = {
        **scores.classification(target, said, len(CLASSES)),
        "naive": scores.classification(target, np.full_like(target, majority), len(CLASSES)),
        **set_figures(probabilities, target, _folds(matrix, target, coils), COVERAGE),
        "f1_by_class": {name: round(score, 3) for name, score in zip(CLASSES, f1, strict=True)},
        "rows": len(target),
    }
    return measured, probabilities


def make(data_dir: Path) -> Made:
    """Trains, measures and exports. `data_dir` holds `steel_plate_faults/data.csv.gz`."""
    source = data_dir / "steel_plate_faults" / "data.csv.gz"
    matrix, target, coils = read(source)
    measured, probabilities = measure(matrix, target, coils)
    model = estimator().fit(matrix, target)
    zh, en = steel_plate_faults_cards(VERSION, measured)
    return Made(
        version=VERSION,
        signature=_signature(ranges(matrix, NAMES), typicals(matrix, NAMES)),
        onnx=onnx_of(model, len(NAMES), matrix[::7].astype(np.float32), tolerance=0.001),
        matrix=matrix,
        intervals={
            "coverage": COVERAGE,
            "threshold": set_threshold(probabilities[np.arange(len(target)), target], COVERAGE),
            "naive": CLASSES[int(np.bincount(target).argmax())],
            "method": "split conformal on out-of-fold probabilities, coils kept together",
            "novelty": novelty.fit(matrix, FALSE_ALARMS),
        },
        lineage={
            "data": {"name": "steel_plate_faults/data.csv.gz", "sha256": file_hash(source), "rows": len(target)},
            "protocol": PROTOCOL,
            "parameters": {"voting": "soft", "members": ["HistGradientBoosting", "ExtraTrees"]},
            "metrics": measured,
            "fitted_on": "all rows",
        },
        card=zh,
        card_en=en,
        requests=_examples(matrix, target),
        rows_seen=[digest_of(row) for row in matrix],
    )


def _folds(matrix: Floats, target: NDArray[np.int64], coils: list[str]) -> list[tuple[Any, Any]]:
    return list(StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0).split(matrix, target, coils))


def _out_of_fold(matrix: Floats, target: NDArray[np.int64], coils: list[str]) -> Floats:
    found = np.zeros((len(target), len(CLASSES)))
    for train, test in _folds(matrix, target, coils):
        found[test] = estimator().fit(matrix[train], target[train]).predict_proba(matrix[test])
    return found


def _signature(seen: dict[str, tuple[float, float]], typical: dict[str, float]) -> dict[str, Any]:
    inputs = [
        {
            "name": name,
            "title_zh": zh,
            "title_en": en,
            "unit": unit,
            "datatype": "FP32",
            "minimum": round(seen[name][0], 4),
            "maximum": round(seen[name][1], 4),
            "typical": typical[name],
            "meaning": "范围为训练数据的最小到最大",
        }
        for name, (zh, en, unit) in TITLES.items()
    ]
    return {
        "task": "classification",
        "inputs": inputs,
        "outputs": [{"name": "fault", "title_zh": "缺陷类别", "title_en": "Fault class", "unit": ""}],
        "classes": list(CLASSES),
    }


def _examples(matrix: Floats, target: NDArray[np.int64]) -> list[dict[str, Any]]:
    found = []
    for number, zh, en in ((2, "K 形划伤", "K scratch"), (3, "污渍", "Stain"), (5, "凸起", "Bump")):
        row = matrix[np.flatnonzero(target == number)[7]]
        instance = {name: _short(value) for name, value in zip(NAMES, row, strict=True)}
        request = {"instances": [instance]}
        found.append({"name": CLASSES[number].lower(), "title": {"zh": zh, "en": en}, "request": request})
    return found


def _short(value: float) -> float | int:
    return int(value) if float(value).is_integer() else round(float(value), 4)
