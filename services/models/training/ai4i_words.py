"""What ai4i-maintenance is called, and its cards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.models.training.model_card import UNUSUAL_EN, UNUSUAL_ZH, card, table

TYPES = ("L", "M", "H")
CLASSES = ("normal", "failure")
INPUTS = {
    "type": ("产品等级", "Product quality", "", "L、M、H 为低、中、高"),
    "air_temp_k": ("环境温度", "Air temperature", "K", ""),
    "process_temp_k": ("加工温度", "Process temperature", "K", ""),
    "rot_speed_rpm": ("主轴转速", "Rotational speed", "r/min", ""),
    "torque_nm": ("扭矩", "Torque", "N·m", ""),
    "tool_wear_min": ("刀具已用时间", "Tool wear", "min", ""),
}


def cards(version: str, measured: Mapping[str, Any], miss: float, alarm: float) -> tuple[str, str]:
    simple = measured["naive"]
    rows = [
        ["{p}", measured["average_precision"], simple["average_precision"]],
        ["{f}", measured["f1_of_failures"], simple["f1_of_failures"]],
        ["Brier", measured["brier"], simple["brier"]],
        ["{c}", measured["cost_per_1000"], simple["cost_per_1000"]],
    ]
    low, high = min(measured["average_precision_by_block"]), max(measured["average_precision_by_block"])
    covered, size = measured["set_coverage"] * 100, measured["set_mean_size"]
    found, alarms = measured["failures_found"] * 100, measured["alarms_per_1000"]
    zh = card(
        f"铣床故障风险 ai4i-maintenance {version}",
        [
            ("用途", "由转速、扭矩、温度和刀具已用时间给出故障概率，按漏报和误报的代价决定要不要处理；作为少见故障怎么建模、怎么定阈值的实例。"),
            ("不能用于", "数据是模拟出来的，不来自真实机床，不适用于您的机器。要用，就用自己的记录按同样做法重新训练。"),
            ("数据", f"AI4I 2020 Predictive Maintenance Dataset（UCI；Matzka，2020），CC BY 4.0，模拟数据，{measured['rows']} 行，其中故障 {measured['failures']} 行。"),
            (
                "做法与检验",
                "按文件顺序切成四段，每段由其余三段的模型判断；温度是随机游走，各段故障率相差几倍，随机划分会好看得多。说明故障种类的五列就是答案，不能用。"
                "模型内部另算功率、温差和扭矩乘刀具时间，它们正是模拟所用的规则，所以成绩量的是规则找回了多少。\n\n"
                + table(("指标", "本模型", "简单规则"), rows).replace("{p}", "平均精度").replace("{f}", "故障 F1").replace("{c}", "每千行代价")
                + f"\n\n各段的平均精度在 {low} 到 {high} 之间。",
            ),
            ("决定", f"示例代价：漏报 {miss:g}、误报 {alarm:g}，概率到 1/{(miss + alarm) / alarm:g} 就处理：找出 {found:.0f} % 的故障，每千行报警 {alarms} 次。代价换成您自己的，界线随之改变。"),
            ("区间", f"95 % 集合的实际覆盖率 {covered:.1f} %，平均含 {size} 类。概率用 Platt 方法校准。"),
            ("限制", "随机故障本来就无法预见。" + UNUSUAL_ZH),
        ],
    )  # fmt: skip
    en = card(
        f"Failure risk of a milling machine, ai4i-maintenance {version}",
        [
            ("Use", "The probability of failure from speed, torque, temperatures and tool wear, and a decision by the costs of a miss and of an alarm: an example of rare faults and of where to put the threshold."),
            ("Not for", "The data is simulated and comes from no real machine: not valid for yours. Train on your own records in the same way."),
            ("Data", f"AI4I 2020 Predictive Maintenance Dataset (UCI; Matzka 2020), CC BY 4.0, simulated, {measured['rows']} rows with {measured['failures']} failures."),
            (
                "Protocol",
                "Four blocks in the order of the file, each judged by a model of the others: temperatures are a random walk and the "
                "failure rate differs severalfold between blocks, so a random split flatters. The five columns that name the kind of "
                "failure are the answer and are not used. Power, temperature difference and torque times wear are computed inside "
                "the model; they restate rules of the simulation, so the figures say how well rules were found again.\n\n"
                + table(("Figure", "This model", "Simple rule"), rows).replace("{p}", "Average precision").replace("{f}", "F1 of failures").replace("{c}", "Cost per 1000 rows")
                + f"\n\nAverage precision of the blocks lies between {low} and {high}.",
            ),
            ("Decision", f"Example costs: a miss {miss:g}, an alarm {alarm:g}; acting from a probability of 1/{(miss + alarm) / alarm:g} finds {found:.0f} % of the failures with {alarms} alarms per 1000 rows. Put in your own costs."),
            ("Intervals", f"95 % sets covered {covered:.1f} % and hold {size} classes on average. Probabilities are calibrated by Platt's method."),
            ("Limits", "Random failures cannot be foreseen. " + UNUSUAL_EN),
        ],
    )  # fmt: skip
    return zh, en
