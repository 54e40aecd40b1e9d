"""steel-energy-15min: the next quarter hour of one steelworks from its latest readings.

Protocol: chronological; May to October 2018 month by month, each by a model that saw nothing later than the month's start;
the card states September and October. Inputs are readings up to now and the calendar; columns of the interval to forecast
are not used. The naive rule is persistence: the next quarter hour is like the last.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor, VotingRegressor

from services.models.features import steel_energy as calendar
from services.models.inference import novelty
from services.models.training import scores
from services.models.training.conformal import quantile
from services.models.training.export import Made, file_hash, onnx_of
from services.models.training.plain_signature import inputs_of, instance_of
from services.models.training.steel_energy import read_rows
from services.models.training.steel_energy_15min_words import INPUTS, LAGS, cards

VERSION = "1.0.0"
COVERAGE = 0.9
FALSE_ALARMS = 0.02
MEMBERS = 3
PARAMETERS = {
    "loss": "absolute_error", "max_iter": 150, "learning_rate": 0.08, "max_leaf_nodes": 31, "min_samples_leaf": 60,
    "max_features": 0.5,
}  # fmt: skip
SCALE_BASE, SCALE_SLOPE = 1.0, 0.25
WEEK = 7 * calendar.SLOTS
FIRST, TESTED = datetime(2018, 5, 1), datetime(2018, 9, 1)
Floats = NDArray[np.float64]


def read(path: Path, history: Path | None = None) -> tuple[Floats, Floats, list[datetime]]:
    """(n, features), the reading to forecast (n,), and the end of its interval; rows without a week of past are left out."""
    wanted = read_rows(path)
    rows = sorted(dict([*([] if history is None else read_rows(history)), *wanted]).items())
    first = rows[0][0]
    place_of = {end: round((end - first) / calendar.STEP) for end, _ in rows}
    values = np.full(max(place_of.values()) + 1, np.nan)
    for end, value in rows:
        values[place_of[end]] = value
    matrix, target, ends = [], [], []
    for end, value in wanted:
        place = place_of[end]
        if place < WEEK:
            continue
        past = [values[place - lag] for lag in LAGS.values()]
        if np.isnan(past).any():
            continue
        day, slot = calendar.slot_of(end)
        matrix.append([slot, day.weekday(), *past])
        target.append(value)
        ends.append(end)
    return np.array(matrix, dtype=np.float32).astype(np.float64), np.array(target), ends


def fitted(matrix: Floats, target: Floats) -> Any:
    members = [(f"m{seed}", HistGradientBoostingRegressor(random_state=seed, **PARAMETERS)) for seed in range(MEMBERS)]
    return VotingRegressor(members).fit(matrix, target)


def make(data_dir: Path) -> Made:
    """Trains, measures and exports. `data_dir` holds `steel_energy/train.csv.gz`."""
    source = data_dir / "steel_energy" / "train.csv.gz"
    matrix, target, ends = read(source)
    when = np.array(ends)
    forecast = np.full(len(target), np.nan)
    for month in range(FIRST.month, (ends[-1] - calendar.STEP).month + 1):
        start = datetime(2018, month, 1)
        this = (when > start) & (when <= datetime(2018, month + 1, 1))
        before = when <= start
        forecast[this] = np.maximum(fitted(matrix[before], target[before]).predict(matrix[this]), 0.0)
    known = ~np.isnan(forecast)
    tested = known & (when > TESTED)
    last = matrix[:, list(INPUTS).index("last_1")]
    low, high = _offsets(forecast[known & ~tested], target[known & ~tested])
    scale = _scale(forecast[tested])
    measured = {
        **scores.regression(target[tested], forecast[tested]),
        "naive": scores.regression(target[tested], last[tested]),
        "interval_coverage": scores.coverage(
            target[tested], forecast[tested] + low * scale, forecast[tested] + high * scale
        ),
        "interval_mean_width": round(float(((high - low) * scale).mean()), 2),
        "rows": int(tested.sum()),
    }
    low, high = _offsets(forecast[known], target[known])
    model = fitted(matrix, target)
    zh, en = cards(VERSION, measured)
    return Made(
        version=VERSION,
        signature={
            "task": "regression",
            "inputs": inputs_of(matrix, INPUTS),
            "outputs": [
                {"name": "usage_kwh", "title_zh": "下一刻钟用电量", "title_en": "Electricity of the next quarter hour",
                 "unit": "kWh"}
            ],
        },
        onnx=onnx_of(model, len(INPUTS), matrix[::97].astype(np.float32), tolerance=0.05),
        matrix=matrix,
        intervals={
            "coverage": COVERAGE, "minimum": 0.0, "low": [round(low, 5)], "high": [round(high, 5)],
            "scale_base": SCALE_BASE, "scale_slope": SCALE_SLOPE, "naive_feature": "last_1",
            "method": "split conformal on monthly forecasts, scaled by the forecast",
            "novelty": novelty.fit(matrix, FALSE_ALARMS),
        },
        lineage={
            "data": {"name": "steel_energy/train.csv.gz", "sha256": file_hash(source), "rows": len(target)},
            "protocol": "chronological, one quarter hour ahead; September and October 2018, each month by a model of what "
            "lay before it",
            "parameters": {**PARAMETERS, "members": MEMBERS},
            "metrics": measured,
            "fitted_on": "2018-01-08 to 2018-10-31",
        },
        card=zh,
        card_en=en,
        requests=_examples(matrix, ends),
    )  # fmt: skip


def _offsets(forecast: Floats, actual: Floats) -> tuple[float, float]:
    errors = (actual - forecast) / _scale(forecast)
    level = 1 - (1 - COVERAGE) / 2
    return -quantile(-errors, level), quantile(errors, level)


def _scale(forecast: Floats) -> Floats:
    return SCALE_BASE + SCALE_SLOPE * np.abs(forecast)


def _examples(matrix: Floats, ends: list[datetime]) -> list[dict[str, Any]]:
    found = []
    for name, zh, en, end in (
        ("night", "夜里", "At night", datetime(2018, 10, 24, 3, 0)),
        ("start", "早上开工", "Work begins", datetime(2018, 10, 24, 9, 0)),
        ("afternoon", "下午满负荷", "Full load in the afternoon", datetime(2018, 10, 24, 15, 0)),
    ):
        request = {"instances": [instance_of(list(INPUTS), matrix[ends.index(end)])]}
        found.append({"name": name, "title": {"zh": zh, "en": en}, "request": request})
    return found
