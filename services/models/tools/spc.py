"""Statistical process control."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from statistics import fmean, stdev
from typing import Any

from services.models.tools.answer import ToolAnswer, rounded

CONSTANTS: dict[int, tuple[float, float, float, float]] = {
    2: (1.880, 0.0, 3.267, 1.128), 3: (1.023, 0.0, 2.574, 1.693), 4: (0.729, 0.0, 2.282, 2.059),
    5: (0.577, 0.0, 2.114, 2.326), 6: (0.483, 0.0, 2.004, 2.534), 7: (0.419, 0.076, 1.924, 2.704),
    8: (0.373, 0.136, 1.864, 2.847), 9: (0.337, 0.184, 1.816, 2.970), 10: (0.308, 0.223, 1.777, 3.078),
}  # fmt: skip
"""Subgroup size -> A2, D3, D4, d2 (ISO 7870-2)."""
FEWEST = 20

Chart = dict[str, Any]


def process_capability(
    measurements: Sequence[float], lower_limit: float, upper_limit: float, subgroup: float
) -> ToolAnswer:
    """Cp, Cpk, Pp, Ppk of measurements in their order of making, and the control charts they rest on.

    Cp = (USL - LSL) / (6 s_w), Cpk = min(USL - m, m - LSL) / (3 s_w), s_w = mean range / d2 (subgroups) or mean moving
    range / 1.128 (subgroup 1); Pp and Ppk with the overall standard deviation. Arguments: at least 20 measurements in
    one unit, both limits in that unit, subgroup size 1 to 10; measurements that do not fill a subgroup are left out.
    Source: ISO 22514-2 (indices), ISO 7870-2 (charts). Raises ValueError.
    """
    size = round(subgroup)
    if size < 1 or size > 10 or size != subgroup:
        raise ValueError("子组容量应为 1 到 10 的整数 / the subgroup size must be a whole number from 1 to 10")
    if upper_limit <= lower_limit:
        raise ValueError("上限应大于下限 / the upper limit must exceed the lower")
    if len(measurements) < FEWEST:
        held = len(measurements)
        raise ValueError(f"至少 {FEWEST} 个数据，现有 {held} 个 / at least {FEWEST}, got {held}")
    values = list(measurements[: len(measurements) // size * size])
    mean, overall = fmean(values), stdev(values)
    if size == 1:
        ranges = [abs(after - before) for before, after in pairwise(values)]
        within = fmean(ranges) / CONSTANTS[2][3]
        charts = _individual_charts(values, ranges, mean)
    else:
        groups = [values[place : place + size] for place in range(0, len(values), size)]
        ranges = [max(group) - min(group) for group in groups]
        within = fmean(ranges) / CONSTANTS[size][3]
        charts = _subgroup_charts(groups, ranges, size)
    if within <= 0 or overall <= 0:
        raise ValueError("数据没有波动，无法计算 / the measurements do not vary")
    nearest = min(upper_limit - mean, mean - lower_limit)
    cp, cpk = (upper_limit - lower_limit) / (6 * within), nearest / (3 * within)
    pp, ppk = (upper_limit - lower_limit) / (6 * overall), nearest / (3 * overall)
    outside = sum(not lower_limit <= value <= upper_limit for value in values)
    signals = sum(not chart["lower"] <= point <= chart["upper"] for chart in charts for point in chart["points"])
    outputs = {
        "cpk": rounded(cpk), "cp": rounded(cp), "ppk": rounded(ppk), "pp": rounded(pp), "mean": rounded(mean),
        "sigma_within": rounded(within), "sigma_overall": rounded(overall), "used": len(values),
        "outside_limits": outside, "chart_signals": signals,
    }  # fmt: skip
    return ToolAnswer(outputs, (_note(cpk, cp, signals, len(values)),), tuple(charts))


def _individual_charts(values: list[float], ranges: list[float], mean: float) -> list[Chart]:
    spread = fmean(ranges)
    return [
        _chart("单值图", "Individuals", values, mean, mean + 2.66 * spread, mean - 2.66 * spread),
        _chart("移动极差图", "Moving range", ranges, spread, CONSTANTS[2][2] * spread, 0.0),
    ]


def _subgroup_charts(groups: list[list[float]], ranges: list[float], size: int) -> list[Chart]:
    a2, d3, d4, _ = CONSTANTS[size]
    means = [fmean(group) for group in groups]
    centre, spread = fmean(means), fmean(ranges)
    return [
        _chart("均值图", "Averages", means, centre, centre + a2 * spread, centre - a2 * spread),
        _chart("极差图", "Ranges", ranges, spread, d4 * spread, d3 * spread),
    ]


def _chart(zh: str, en: str, points: list[float], centre: float, upper: float, lower: float) -> Chart:
    return {
        "title_zh": zh,
        "title_en": en,
        "points": [rounded(point) for point in points],
        "centre": rounded(centre),
        "upper": rounded(upper),
        "lower": rounded(lower),
    }


def _note(cpk: float, cp: float, signals: int, count: int) -> dict[str, str]:
    error = cpk * sqrt(1 / (9 * count * cpk**2) + 1 / (2 * (count - 1))) if cpk else 0.0
    low, high = cpk - 1.645 * error, cpk + 1.645 * error
    zh = f"Cpk {cpk:.2f}（{count} 个数据，90 % 区间约 {low:.2f} 到 {high:.2f}）。"
    en = f"Cpk {cpk:.2f} ({count} measurements, 90 % interval about {low:.2f} to {high:.2f}). "
    if signals:
        zh += f"控制图有 {signals} 点越限：过程不受控，先找原因，能力指数还不能用。"
        en += f"{signals} points lie outside the control limits: find the cause first, the index does not hold yet."
    elif cpk < 1.33 <= cp:
        zh += "波动够小但中心偏了：先调中心。"
        en += "The spread is small enough, the centre is off: adjust it first."
    elif cpk < 1.33:
        zh += "客户常要求 1.33 以上（特殊特性 1.67）：要先减小波动。"
        en += "Customers usually ask for 1.33 (1.67 for special characteristics): reduce the spread."
    return {"zh": zh, "en": en}
