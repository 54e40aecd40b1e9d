"""steel-energy: quarter-hour electricity of one steelworks, a day ahead.

Protocol: at 00:00 the next 96 values from readings up to 00:00 and the calendar, split by time. May to October 2018
were forecast month by month, each by a model that saw nothing later than the month's start. Parameters and features
were compared on these six months; the card states September and October, which are therefore a little optimistic. The
release is fitted again on everything to the end of October. Columns of the same interval are not used (see the
features' docstring).
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor, VotingRegressor

from services.models.features import steel_energy as features
from services.models.inference import novelty
from services.models.training import scores
from services.models.training.conformal import calibrated
from services.models.training.export import Made, file_hash, onnx_of, ranges, typicals
from services.models.training.model_card import steel_energy_cards
from services.models.training.steel_energy_words import TITLES

VERSION = "1.0.0"
COVERAGE = 0.9
FALSE_ALARMS = 0.02
"""Share of ordinary rows that may be flagged as unlike the training data."""
MEMBERS = 6
PARAMETERS = {
    "loss": "absolute_error",
    "max_iter": 60,
    "max_leaf_nodes": 20,
    "min_samples_leaf": 400,
    "max_features": 0.5,
    "l2_regularization": 5.0,
}
"""Few and large leaves: the quarter hours of a day err together, so far fewer than 28,000 rows are independent."""
WARM_UP_DAYS = 14
FIRST_FORECAST = datetime(2018, 5, 1)
TESTED_FROM = datetime(2018, 9, 1)
Floats = NDArray[np.float64]


def read_rows(path: Path) -> list[tuple[datetime, float]]:
    """Rows of the data set: the interval's end in local time, and its kWh."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        return [(features.parse_end(row["interval_end"]), float(row["usage_kwh"])) for row in csv.DictReader(file)]


@dataclass(frozen=True)
class History:
    """Readings, and the features of each day that has a past."""

    readings: features.Readings
    days: tuple[datetime, ...]
    matrices: dict[datetime, NDArray[np.float32]]

    @classmethod
    def read(cls, path: Path) -> History:
        readings = features.readings_of(read_rows(path))
        days = tuple(readings.first + timedelta(days=index) for index in range(readings.grid.shape[0]))
        # Serving is in single precision, so splits are learnt on what it will see.
        past = days[WARM_UP_DAYS:]
        return cls(readings, past, {day: features.day_features(readings, day).astype(np.float32) for day in past})

    def actual(self, days: Sequence[datetime]) -> Floats:
        return np.array([self.readings.grid[self.readings.day_index(day)] for day in days])

    def naive(self, days: Sequence[datetime]) -> Floats:
        return np.array([features.naive(self.readings, day) for day in days])

    def before(self, moment: datetime) -> list[datetime]:
        return [day for day in self.days if day < moment]

    def months(self, first: datetime, end: datetime) -> list[list[datetime]]:
        """The days from `first` to before `end`, month by month."""
        starts = sorted({datetime(day.year, day.month, 1) for day in self.days if first <= day < end})
        bounds = [*starts, end]
        return [[day for day in self.days if one <= day < other] for one, other in pairwise(bounds)]


def fitted(history: History, days: Sequence[datetime]) -> Any:
    matrix = np.vstack([history.matrices[day] for day in days])
    target = history.actual(days).reshape(-1)
    kept = ~np.isnan(target)
    members = [(f"m{seed}", HistGradientBoostingRegressor(random_state=seed, **PARAMETERS)) for seed in range(MEMBERS)]
    return VotingRegressor(members).fit(matrix[kept], target[kept])


def forecast(model: Any, matrices: Iterable[NDArray[np.float32]]) -> Floats:
    return np.array([np.maximum(model.predict(matrix), 0.0) for matrix in matrices])


def month_by_month(history: History, first: datetime, end: datetime) -> list[tuple[list[datetime], Floats]]:
    """Each month's days and forecasts, by a model that saw nothing later than the month's start."""
    found = []
    for month in history.months(first, end):
        model = fitted(history, history.before(month[0]))
        found.append((month, forecast(model, [history.matrices[day] for day in month])))
    return found


def make(data_dir: Path) -> Made:
    """Trains, measures and exports. `data_dir` holds `steel_energy/train.csv.gz`."""
    source = data_dir / "steel_energy" / "train.csv.gz"
    history = History.read(source)
    end = history.days[-1] + timedelta(days=1)
    made = month_by_month(history, FIRST_FORECAST, end)
    pairs = [(history.actual(month), values) for month, values in made]
    measured = _measure(history, made)
    model = fitted(history, history.days)
    matrix = np.vstack([history.matrices[day] for day in history.days])
    offsets, factor = calibrated(pairs, COVERAGE)
    zh, en = steel_energy_cards(VERSION, measured)
    return Made(
        version=VERSION,
        signature=_signature(ranges(matrix, features.NAMES), typicals(matrix, features.NAMES)),
        onnx=onnx_of(model, len(features.NAMES), matrix[::97], tolerance=0.05),
        matrix=matrix,
        intervals={
            "coverage": COVERAGE,
            "group_feature": 0,
            "minimum": 0.0,
            "method": "split conformal on monthly forecasts, by slot, scaled by the forecast, widened for drift",
            "widened_by": factor,
            "novelty": novelty.fit(matrix, FALSE_ALARMS),
            **offsets.as_json(),
        },
        lineage={
            "data": {
                "name": "steel_energy/train.csv.gz",
                "sha256": file_hash(source),
                "rows": int(history.readings.grid.size),
            },
            "protocol": "chronological, day ahead from 00:00; September and October 2018, each month by a model of "
            "what lay before it; parameters and features compared on May to October, so a little optimistic",
            "parameters": {**PARAMETERS, "members": MEMBERS},
            "metrics": measured,
            "fitted_on": "2018-01-15 to 2018-10-31",
            "fitted_until": f"{history.days[-1]:%Y-%m-%d}",
        },
        card=zh,
        card_en=en,
        requests=_examples(history.readings),
    )


def _measure(history: History, made: Sequence[tuple[list[datetime], Floats]]) -> dict[str, Any]:
    """Scores on the tested months, with bands calibrated on the months before them."""
    earlier = [(history.actual(days), values) for days, values in made if days[0] < TESTED_FROM]
    tested = [(days, values) for days, values in made if days[0] >= TESTED_FROM]
    days = [day for month, _ in tested for day in month]
    predicted = np.vstack([values for _, values in tested])
    actual = history.actual(days)
    offsets, _ = calibrated(earlier, COVERAGE)
    low, high = offsets.band(predicted)
    return {
        **scores.regression(actual, predicted),
        "naive": scores.regression(actual, history.naive(days)),
        "interval_coverage": scores.coverage(actual, low, high),
        "interval_mean_width": round(float((high - low).mean()), 2),
        "days": len(days),
        "mae_with_short_history": {str(kept): _with_short_history(history, tested, kept) for kept in (7, 14, 28)},
    }


def _with_short_history(history: History, tested: Sequence[tuple[list[datetime], Floats]], kept: int) -> float:
    """MAE when only the last `kept` days are sent."""
    errors = []
    for month, _ in tested:
        model = fitted(history, history.before(month[0]))
        for day in month:
            index = history.readings.day_index(day)
            first = history.readings.first + timedelta(days=index - kept)
            short = features.Readings(first, history.readings.grid[index - kept : index])
            found = forecast(model, [features.day_features(short, day).astype(np.float32)])
            errors.append(np.abs(found[0] - history.readings.grid[index]).mean())
    return round(float(np.mean(errors)), 3)


def _signature(seen: dict[str, tuple[float, float]], typical: dict[str, float]) -> dict[str, Any]:
    inputs = []
    for name in features.NAMES:
        zh, en, unit = TITLES[name]
        low, high = seen[name]
        inputs.append(
            {
                "name": name,
                "title_zh": zh,
                "title_en": en,
                "unit": unit,
                "datatype": "FP32",
                "minimum": round(low, 4),
                "maximum": round(high, 4),
                "typical": typical[name],
                "meaning": "范围为训练数据的最小到最大",
            }
        )
    output = {
        "name": "usage_kwh",
        "title_zh": "刻钟用电量",
        "title_en": "Electricity of the quarter hour",
        "unit": "kWh",
    }
    return {
        "task": "regression",
        "inputs": inputs,
        "outputs": [output],
        "history": ["interval_end", "usage_kwh"],
        "instance": ["interval_end"],
    }


def _examples(readings: features.Readings) -> list[dict[str, Any]]:
    """Three days to forecast, each with as much history as is worth sending."""
    found = []
    for name, zh, en, day, slots in (
        ("workday", "工作日全天", "A whole workday", datetime(2018, 10, 24), range(96)),
        ("saturday", "周六上午", "A Saturday morning", datetime(2018, 10, 20), range(24, 48, 4)),
        ("sunday", "周日", "A Sunday", datetime(2018, 10, 28), range(0, 96, 8)),
    ):
        index = readings.day_index(day)
        history = [
            {"interval_end": _end(readings.first + timedelta(days=past), slot), "usage_kwh": round(float(value), 2)}
            for past in range(index - features.DAYS_BEST, index)
            for slot, value in enumerate(readings.grid[past])
        ]
        request = {"instances": [{"interval_end": _end(day, slot)} for slot in slots], "history": history}
        found.append({"name": name, "title": {"zh": zh, "en": en}, "request": request})
    return found


def _end(day: datetime, slot: int) -> str:
    return (day + (slot + 1) * features.STEP).strftime("%Y-%m-%d %H:%M")
