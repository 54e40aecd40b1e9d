"""What the inputs of steel-energy-15min are called, and its cards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.models.training.model_card import UNUSUAL_EN, UNUSUAL_ZH, card, table

LAGS = {
    **{f"last_{lag}": lag for lag in range(1, 9)},
    "day_before": 96, "day_before_next": 95, "week_before": 672, "week_before_next": 671,
}  # fmt: skip
"""Name -> quarter hours before the one to forecast."""
INPUTS = {
    "slot": ("一天中第几个刻钟", "Quarter hour of the day", "", "0 为 00:00 到 00:15，95 为 23:45 到 24:00"),
    "weekday": ("星期", "Day of the week", "", "0 为星期一，6 为星期日"),
    **{
        f"last_{lag}": (f"前第 {lag} 个刻钟", f"{lag} quarter hours ago", "kWh", "该刻钟的用电量")
        for lag in range(1, 9)
    },
    "day_before": ("昨天同一刻钟", "Same quarter hour yesterday", "kWh", ""),
    "day_before_next": ("昨天再后一刻钟", "One later yesterday", "kWh", ""),
    "week_before": ("上周同一刻钟", "Same quarter hour last week", "kWh", ""),
    "week_before_next": ("上周再后一刻钟", "One later last week", "kWh", ""),
}


def cards(version: str, measured: Mapping[str, Any]) -> tuple[str, str]:
    simple, covered = measured["naive"], measured["interval_coverage"] * 100
    rows = [
        ["MAE (kWh)", measured["mae"], simple["mae"]],
        ["RMSE (kWh)", measured["rmse"], simple["rmse"]],
        ["WAPE (%)", measured["wape_percent"], simple["wape_percent"]],
    ]
    width = measured["interval_mean_width"]
    zh = card(
        f"钢厂刻钟用电预测 steel-energy-15min {version}",
        [
            ("用途", "由刚过去的读数估计下一刻钟的用电量，作为需量控制（快要超申报时先停哪台）的做法实例。"),
            ("不能用于", "只用一家钢厂 2018 年的数据训练，不适用于您的工厂，须用自己的电表数据重新训练。"),
            ("数据", "Steel Industry Energy Consumption（UCI，DAEWOO Steel，光阳，2018 年；Sathishkumar 等），CC BY 4.0。"),
            ("做法与检验", f"按时间划分，逐月预测，模型只见过当月以前的数据；下表是 9、10 月 {measured['rows']} 个刻钟的成绩，11、12 月没有用过。"
             "同一刻钟的无功和功率因数与用电量有代数恒等关系，不能作输入。\n\n" + table(("指标", "本模型", "与上一刻钟相同"), rows)),
            ("区间", f"90 % 区间由逐月预测的误差校准，检验期实际覆盖 {covered:.1f} %，平均宽 {width} kWh。"),
            ("限制", "开机停机的那一刻钟误差最大。" + UNUSUAL_ZH),
        ],
    )  # fmt: skip
    en = card(
        f"Next quarter hour of a steelworks, steel-energy-15min {version}",
        [
            ("Use", "The electricity of the next quarter hour from the latest readings: an example for demand control."),
            ("Not for", "Trained on one steelworks in 2018, not valid for your plant: train on your own meter."),
            ("Data", "Steel Industry Energy Consumption (UCI, DAEWOO Steel, Gwangyang, 2018; Sathishkumar et al.), CC BY 4.0."),
            ("Protocol", f"Split by time, month by month, each by a model of what lay before; the figures are those of {measured['rows']} quarter "
             "hours in September and October, later months were never used. Reactive power and power factor of the same interval are an "
             "algebraic identity of the target and are no inputs.\n\n" + table(("Figure", "This model", "Like the last one"), rows)),
            ("Intervals", f"90 % intervals from the errors of the monthly forecasts covered {covered:.1f} %, mean width {width} kWh."),
            ("Limits", "Errors are largest in the quarter hour in which machines start or stop. " + UNUSUAL_EN),
        ],
    )  # fmt: skip
    return zh, en
