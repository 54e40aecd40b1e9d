"""What gas-turbine-co and gas-turbine-yield are called, and their cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.models.training.model_card import UNUSUAL_EN, UNUSUAL_ZH, card, table

INPUTS = {
    "AT": ("环境温度", "Ambient temperature", "℃", "进气前测"),
    "AP": ("环境气压", "Ambient pressure", "mbar", ""),
    "AH": ("环境湿度", "Ambient humidity", "%", "相对湿度"),
    "AFDP": ("进气过滤器压差", "Air filter difference pressure", "mbar", ""),
    "GTEP": ("排气压力", "Turbine exhaust pressure", "mbar", "表压"),
    "TIT": ("透平前温度", "Turbine inlet temperature", "℃", ""),
    "TAT": ("透平后温度", "Turbine after temperature", "℃", ""),
    "TEY": ("发电量", "Energy yield", "MWh", "一小时的发电量"),
    "CDP": ("压气机排气压力", "Compressor discharge pressure", "mbar", "数据集标为 mbar，数值看来是 bar，待核实"),
}


@dataclass(frozen=True)
class Words:
    title_zh: str
    title_en: str
    use_zh: str
    use_en: str
    output: str
    output_zh: str
    output_en: str
    unit: str
    limits_zh: str
    limits_en: str
    examples: tuple[tuple[str, str, str, int], ...]
    """Name, titles, and which row of 2013."""


CO = Words(
    "燃气轮机 CO 排放软测量 gas-turbine-co", "CO of a gas turbine, gas-turbine-co",
    "由运行参数估计排放里的 CO 浓度：在线仪表停用或标定时的参考，也是软测量怎么做、怎么看漂移的实例。",
    "The CO concentration from operating data: a reference while the analyser is off or being calibrated, and an "
    "example of a soft sensor under drift.",
    "co_mg_m3", "CO 浓度", "CO concentration", "mg/m³",
    "启停和低负荷时误差明显变大。不能用来代替法定的在线监测。NOx 在同一数据上没有模型能胜过直线，所以没有发布。",
    "Errors grow at start-up and low load. No substitute for the monitoring that the law asks for. For NOx no model beat a "
    "straight line on this data, so none is published.",
    (("full_load", "接近满负荷", "Near full load", 40), ("part_load", "部分负荷", "Part load", 3200),
     ("cold_day", "冬天", "A winter day", 6900)),
)  # fmt: skip
YIELD = Words(
    "燃气轮机发电量预期 gas-turbine-yield", "Expected output of a gas turbine, gas-turbine-yield",
    "按当时的环境和机组参数，这一小时该发多少电：实际长期偏低，就要查滤网、压气机结垢或仪表。",
    "What the turbine should yield in this hour under its conditions; lasting shortfall points at filters, fouling or "
    "instruments.",
    "energy_mwh", "预期发电量", "Expected energy yield", "MWh",
    "只说这台机组在当时工况下的常态。压气机排气压力本身受结垢影响，所以看的是长期趋势，不是单点。",
    "It states the usual of this one unit. Compressor pressure itself suffers from fouling: watch the trend, not single "
    "points.",
    (("full_load", "接近满负荷", "Near full load", 40), ("part_load", "部分负荷", "Part load", 3200),
     ("cold_day", "冬天", "A winter day", 6900)),
)  # fmt: skip


def cards(words: Words, version: str, measured: Mapping[str, Any]) -> tuple[str, str]:
    simple, covered = measured["naive"], measured["interval_coverage"] * 100
    rows = [
        [f"MAE ({words.unit})", measured["mae"], simple["mae"]],
        [f"RMSE ({words.unit})", measured["rmse"], simple["rmse"]],
        ["WAPE (%)", measured["wape_percent"], simple["wape_percent"]],
    ]
    width = measured["interval_mean_width"]
    zh = card(
        f"{words.title_zh} {version}",
        [
            ("用途", words.use_zh),
            ("不能用于", "只用一台燃气轮机 2011 到 2013 年的数据训练，不适用于您的机组；换一台须用自己的数据重新训练。"),
            ("数据", "Gas Turbine CO and NOx Emission Data Set（UCI；Kaya、Tüfekci、Uzun，2019），CC BY 4.0，2011 到 2013 年逐时 22,191 行。"),
            (
                "做法与检验",
                "机组逐年漂移，随机划分会好看得多而没有意义，所以按年份：2013 年由 2011、2012 年的模型预测。模型和特征是在 2012、2013 "
                "年上比较选定的，成绩略偏乐观；2014 年以后没有用过。发布的模型用三年全部数据拟合。\n\n"
                + table(("指标", "本模型", "总猜平均值"), rows),
            ),
            ("区间", f"90 % 区间由 2011 年年中以后逐季的误差校准，每季由此前全部数据预测；只用到 2012 年的误差时，在 2013 年实际覆盖 {covered:.1f} %，平均宽 {width} "
             f"{words.unit}。这种校准是看过 2013 年的覆盖率后选的（只按年校准时 CO 为 94.2 %、发电量为 86.9 %），略偏乐观。再往后的年份还会漂移，要用自己的实测值复核。"),
            ("限制", words.limits_zh + UNUSUAL_ZH),
        ],
    )  # fmt: skip
    en = card(
        f"{words.title_en} {version}",
        [
            ("Use", words.use_en),
            ("Not for", "Trained on one turbine from 2011 to 2013, not valid for your unit: train on your own data."),
            ("Data", "Gas Turbine CO and NOx Emission Data Set (UCI; Kaya, Tüfekci, Uzun 2019), CC BY 4.0, 22,191 hourly rows of 2011 to 2013."),
            (
                "Protocol",
                "The unit drifts from year to year; a random split looks far better and means nothing. 2013 is forecast by a "
                "model of 2011 and 2012. Models and features were compared on 2012 and 2013, so the figures are a little "
                "optimistic; later years were never used. The release is fitted on all three years.\n\n"
                + table(("Figure", "This model", "Mean"), rows),
            ),
            ("Intervals", f"90 % intervals from the errors of each quarter since mid 2011, forecast by all the time before it; with errors up to 2012 alone they "
             f"covered {covered:.1f} % of 2013, mean width {width} {words.unit}. Quarters were chosen after a look at that year (whole years gave 94.2 % for "
             "CO, 86.9 % for output), which is a little optimistic. Later years drift on: check with your own readings."),
            ("Limits", words.limits_en + " " + UNUSUAL_EN),
        ],
    )  # fmt: skip
    return zh, en
