"""steel-energy: quarter-hour electricity of one steelworks, a day ahead.

Protocol: at 00:00 the next 96 values from readings up to 00:00 and the calendar, split by time. Measured on September and
October 2018 with a model that saw nothing later than August; calibrated on forecasts made month by month; then fitted
again on everything to the end of October. Columns of the same interval are not used (see the features' docstring).
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor, VotingRegressor

from services.models.features import steel_energy as features
from services.models.training import scores
from services.models.training.export import Made, file_hash, onnx_of, ranges

VERSION = "1.0.0"
COVERAGE = 0.9
MEMBERS = 5
PARAMETERS = {"loss": "absolute_error", "max_iter": 120, "min_samples_leaf": 60, "max_features": 0.4, "l2_regularization": 5.0}
WARM_UP_DAYS = 14
Floats = NDArray[np.float64]


def read_rows(path: Path) -> list[tuple[datetime, float]]:
    """Rows of the data set: the interval's end in local time, and its kWh."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        return [(features.parse_end(row["interval_end"]), float(row["usage_kwh"])) for row in csv.DictReader(file)]


def make(data_dir: Path) -> Made:
    """Trains, measures and exports. `data_dir` holds `steel_energy/train.csv.gz`."""
    source = data_dir / "steel_energy" / "train.csv.gz"
    readings = features.readings_of(read_rows(source))
    days = [readings.first + timedelta(days=index) for index in range(readings.grid.shape[0])]
    matrices = {day: features.day_features(readings, day) for day in days[features.DAYS_NEEDED :]}
    months = [datetime(2018, month, 1) for month in range(5, 12)]
    forecasts = {
        day: forecast
        for start, end in zip(months, months[1:], strict=False)
        for day, forecast in _forecast(readings, matrices, days, start, end)
    }
    test = [day for day in forecasts if day >= datetime(2018, 9, 1)]
    earlier = [day for day in forecasts if day < datetime(2018, 9, 1)]
    measured = _measure(readings, forecasts, earlier, test)
    everything = days[WARM_UP_DAYS:]
    model = _fitted(matrices, readings, everything)
    matrix = np.vstack([matrices[day] for day in everything])
    intervals = _calibrated(readings, forecasts, list(forecasts))
    sample = matrix[::97].astype(np.float32)
    return Made(
        version=VERSION,
        signature=_signature(ranges(matrix, features.NAMES)),
        onnx=onnx_of(model, len(features.NAMES), sample, tolerance=0.05),
        intervals=intervals,
        lineage={
            "data": {"name": "steel_energy/train.csv.gz", "sha256": file_hash(source), "rows": int(readings.grid.size)},
            "protocol": "chronological; day ahead from 00:00; fitted to August, measured on September and October 2018",
            "parameters": {**PARAMETERS, "members": MEMBERS},
            "metrics": measured,
            "fitted_on": "2018-01-15 to 2018-10-31",
        },
        card=_card(measured),
        requests=_examples(readings),
    )


def _fitted(matrices: dict[datetime, Floats], readings: features.Readings, days: Sequence[datetime]) -> Any:
    matrix = np.vstack([matrices[day] for day in days])
    target = np.concatenate([readings.grid[readings.day_index(day)] for day in days])
    kept = ~np.isnan(target)
    members = [(f"m{seed}", HistGradientBoostingRegressor(random_state=seed, **PARAMETERS)) for seed in range(MEMBERS)]
    # Serving is in single precision, so splits are learnt on what it will see.
    return VotingRegressor(members).fit(matrix[kept].astype(np.float32), target[kept])


def _forecast(
    readings: features.Readings, matrices: dict[datetime, Floats], days: Sequence[datetime], start: datetime, end: datetime
) -> list[tuple[datetime, Floats]]:
    """Forecasts of one month by a model that saw nothing later than its start."""
    model = _fitted(matrices, readings, [day for day in days[WARM_UP_DAYS:] if day < start])
    return [(day, np.maximum(model.predict(matrices[day].astype(np.float32)), 0.0)) for day in days if start <= day < end]


def _offsets(readings: features.Readings, forecasts: dict[datetime, Floats], days: Sequence[datetime]) -> dict[str, Any]:
    """Split-conformal offsets by slot (with its neighbours), scaled by the size of the forecast."""
    errors = np.array([readings.grid[readings.day_index(day)] - forecasts[day] for day in days])
    values = np.array([forecasts[day] for day in days])
    base, slope = 3.0, 0.5
    scaled = errors / (base + slope * np.abs(values))
    low, high = [], []
    alpha = (1 - COVERAGE) / 2
    for slot in range(features.SLOTS):
        near = [(slot + shift) % features.SLOTS for shift in range(-4, 5)]
        pool = scaled[:, near].reshape(-1)
        level = min(1.0, (1 - alpha) * (1 + 1 / pool.size))
        low.append(float(np.quantile(pool, 1 - level)))
        high.append(float(np.quantile(pool, level)))
    return {"low": low, "high": high, "scale_base": base, "scale_slope": slope}


def _widened(readings: features.Readings, forecasts: dict[datetime, Floats], days: Sequence[datetime]) -> dict[str, Any]:
    """Offsets widened by the factor that would have covered each month by the months before it: consumption drifts, so
    offsets of the past are a little too narrow for the future."""
    months = sorted({(day.year, day.month) for day in days})
    pairs = []
    for month in months[2:]:
        before = [day for day in days if (day.year, day.month) < month]
        pairs.append((_offsets(readings, forecasts, before), [day for day in days if (day.year, day.month) == month]))
    factor = 1.0
    while factor < 2.0 and _covered(readings, forecasts, pairs, factor) < COVERAGE:
        factor += 0.01
    offsets = _offsets(readings, forecasts, days)
    return {
        **offsets,
        "low": [round(each * factor, 6) for each in offsets["low"]],
        "high": [round(each * factor, 6) for each in offsets["high"]],
        "widened_by": round(factor, 2),
    }


def _covered(
    readings: features.Readings, forecasts: dict[datetime, Floats], pairs: Sequence[tuple[dict[str, Any], list[datetime]]], factor: float
) -> float:
    found = []
    for offsets, days in pairs:
        actual, low, high = _bands(readings, forecasts, days, offsets, factor)
        found.append((actual >= low) & (actual <= high))
    return float(np.concatenate(found).mean()) if found else 1.0


def _bands(
    readings: features.Readings, forecasts: dict[datetime, Floats], days: Sequence[datetime], offsets: dict[str, Any], factor: float
) -> tuple[Floats, Floats, Floats]:
    actual = np.concatenate([readings.grid[readings.day_index(day)] for day in days])
    predicted = np.concatenate([forecasts[day] for day in days])
    scale = (offsets["scale_base"] + offsets["scale_slope"] * predicted) * factor
    low = np.maximum(predicted + np.tile(offsets["low"], len(days)) * scale, 0.0)
    return actual, low, predicted + np.tile(offsets["high"], len(days)) * scale


def _calibrated(
    readings: features.Readings, forecasts: dict[datetime, Floats], days: Sequence[datetime]
) -> dict[str, Any]:
    offsets = _widened(readings, forecasts, days)
    return {
        "coverage": COVERAGE,
        "group_feature": 0,
        "minimum": 0.0,
        "method": "split conformal on forecasts made month by month, by slot, scaled by the forecast",
        **offsets,
    }


def _measure(
    readings: features.Readings, forecasts: dict[datetime, Floats], earlier: Sequence[datetime], test: Sequence[datetime]
) -> dict[str, Any]:
    actual = np.concatenate([readings.grid[readings.day_index(day)] for day in test])
    predicted = np.concatenate([forecasts[day] for day in test])
    simple = np.concatenate([features.naive(readings, day) for day in test])
    _, low, high = _bands(readings, forecasts, test, _widened(readings, forecasts, earlier), 1.0)
    return {
        **scores.regression(actual, predicted),
        "naive": scores.regression(actual, simple),
        "interval_coverage": scores.coverage(actual, low, high),
        "interval_mean_width": round(float((high - low).mean()), 2),
        "days": len(test),
    }


_TITLES = {
    "slot": ("一天中的第几个刻钟（0 到 95）", "Quarter hour of the day (0 to 95)", ""),
    "weekday": ("星期（周一为 0）", "Weekday (Monday 0)", ""),
    "lag_1d": ("昨天同一时刻", "Same slot yesterday", "kWh"),
    "lag_2d": ("前天同一时刻", "Same slot two days before", "kWh"),
    "lag_3d": ("三天前同一时刻", "Same slot three days before", "kWh"),
    "lag_7d": ("上周同一天同一时刻", "Same slot a week before", "kWh"),
    "lag_14d": ("两周前同一时刻", "Same slot two weeks before", "kWh"),
    "lag_21d": ("三周前同一时刻", "Same slot three weeks before", "kWh"),
    "lag_28d": ("四周前同一时刻", "Same slot four weeks before", "kWh"),
    "week_mean_7d": ("近七天同一时刻平均", "Mean of the slot over seven days", "kWh"),
    "same_weekday_mean": ("近四周同星期平均", "Mean of the slot on four same weekdays", "kWh"),
    "same_weekday_median": ("近四周同星期中位", "Median of the slot on four same weekdays", "kWh"),
    "lag_1d_smooth": ("昨天前后平滑", "Yesterday, smoothed over five slots", "kWh"),
    "lag_7d_smooth": ("上周前后平滑", "A week before, smoothed over five slots", "kWh"),
    "same_kind_mean": ("近两周同类日平均", "Mean over days of the same kind", "kWh"),
    "yesterday_mean": ("昨天日平均", "Mean of yesterday", "kWh"),
    "yesterday_max": ("昨天最大", "Maximum of yesterday", "kWh"),
    "yesterday_last_hours": ("昨天最后四小时平均", "Mean of yesterday's last four hours", "kWh"),
    "last_week_day_mean": ("上周同天日平均", "Mean of the same day a week before", "kWh"),
    "level_ratio": ("昨天与八天前之比", "Yesterday against eight days before", ""),
    "days_like_yesterday": ("与昨天最像的日子之后一天", "What followed days like yesterday", "kWh"),
}


def _signature(seen: dict[str, tuple[float, float]]) -> dict[str, Any]:
    inputs = []
    for name in features.NAMES:
        zh, en, unit = _TITLES[name]
        low, high = seen[name]
        inputs.append(
            {"name": name, "title_zh": zh, "title_en": en, "unit": unit, "datatype": "FP32",
             "minimum": round(low, 4), "maximum": round(high, 4)}
        )  # fmt: skip
    return {
        "task": "regression",
        "inputs": inputs,
        "outputs": [{"name": "usage_kwh", "title_zh": "刻钟用电量", "title_en": "Electricity of the quarter hour", "unit": "kWh"}],
        "history": ["interval_end", "usage_kwh"],
        "instance": ["interval_end"],
    }


def _examples(readings: features.Readings) -> list[dict[str, Any]]:
    """Three days to forecast with the seven days before each; short, and enough for the model."""
    found = []
    for name, zh, en, day, slots in (
        ("workday", "工作日全天", "A whole workday", datetime(2018, 10, 24), range(96)),
        ("saturday", "周六上午", "A Saturday morning", datetime(2018, 10, 20), range(24, 48, 4)),
        ("sunday", "周日", "A Sunday", datetime(2018, 10, 28), range(0, 96, 8)),
    ):
        index = readings.day_index(day)
        history = [
            {"interval_end": _end(readings.first + timedelta(days=past), slot), "usage_kwh": round(float(value), 2)}
            for past in range(index - features.DAYS_NEEDED, index)
            for slot, value in enumerate(readings.grid[past])
        ]
        instances = [{"interval_end": _end(day, slot)} for slot in slots]
        found.append({"name": name, "title": {"zh": zh, "en": en}, "request": {"instances": instances, "history": history}})
    return found


def _end(day: datetime, slot: int) -> str:
    return (day + (slot + 1) * features.STEP).strftime("%Y-%m-%d %H:%M")


def _card(measured: dict[str, Any]) -> str:
    simple = measured["naive"]
    return f"""# 钢厂日前用电预测 steel-energy {VERSION}

## 用途
每天 00:00 预测当天 96 个刻钟的用电量，作为负荷预测和能源基线做法的实例。

## 不能用于
只用一家钢厂 2018 年的数据训练，不适用于您的机器或工厂。换一家工厂须用自己的数据重新训练。

## 数据
Steel Industry Energy Consumption（UCI，DAEWOO Steel，光阳，2018 年；Sathishkumar 等），CC BY 4.0。用 2018-01-01 到 2018-10-31 的刻钟数据。

## 做法与检验
只用 00:00 以前的读数和日历。同一时刻的无功、功率因数与用电量有代数恒等关系，不能作为预测输入。按时间划分：用 8 月底以前的数据训练，在 9、10 月（{measured["days"]} 天）检验；发布的模型再用全部数据拟合。

| 指标 | 本模型 | 上周同一天 |
|---|---|---|
| MAE (kWh) | {measured["mae"]} | {simple["mae"]} |
| RMSE (kWh) | {measured["rmse"]} | {simple["rmse"]} |
| WAPE (%) | {measured["wape_percent"]} | {simple["wape_percent"]} |

## 区间
90 % 区间由逐月预测的误差校准（分刻钟的保形预测），在检验期的实际覆盖率为 {measured["interval_coverage"] * 100:.1f} %，平均宽 {measured["interval_mean_width"]} kWh。

## 限制
节假日未单独处理；停产、检修、换班制度变化时误差会明显变大。历史至少需要预测日前连续 7 天，28 天更好。
"""
