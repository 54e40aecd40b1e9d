"""Model cards in Chinese and English: purpose, limits, data, protocol, figures beside the naive rule, intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

UNUSUAL_ZH = "与训练数据不相称的组合（例如列的顺序或单位弄错）也会标出，正常的行约有 2 % 被误标。"
UNUSUAL_EN = (
    "Combinations unlike the training data (columns in the wrong order, a wrong unit) are flagged too, and so are about 2 % "
    "of ordinary rows."
)


def card(title: str, sections: Sequence[tuple[str, str]]) -> str:
    """Markdown: a heading and its sections. `intended use` and `limits` are never left out."""
    return "\n\n".join([f"# {title}", *(f"## {heading}\n{text}" for heading, text in sections)]) + "\n"


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(each) for each in line) + " |" for line in lines)


def steel_energy_cards(version: str, measured: Mapping[str, Any]) -> tuple[str, str]:
    return _steel_energy_zh(version, measured), _steel_energy_en(version, measured)


def _errors(measured: Mapping[str, Any]) -> list[list[Any]]:
    shown = (("MAE (kWh)", "mae"), ("RMSE (kWh)", "rmse"), ("WAPE (%)", "wape_percent"))
    return [[label, measured[key], measured["naive"][key]] for label, key in shown]


def _steel_energy_zh(version: str, measured: Mapping[str, Any]) -> str:
    short, errors, days = measured["mae_with_short_history"], _errors(measured), measured["days"]
    covered, width = measured["interval_coverage"] * 100, measured["interval_mean_width"]
    return card(
        f"钢厂日前用电预测 steel-energy {version}",
        [
            ("用途", "每天 00:00 预测当天 96 个刻钟的用电量，作为负荷预测和能源基线做法的实例。"),
            ("不能用于", "只用一家钢厂 2018 年的数据训练，不适用于您的机器或工厂。换一家工厂须用自己的数据重新训练。"),
            (
                "数据",
                "Steel Industry Energy Consumption（UCI，DAEWOO Steel，光阳，2018 年；Sathishkumar 等），CC BY 4.0。"
                "用 2018-01-01 到 2018-10-31 的刻钟数据。",
            ),
            (
                "做法与检验",
                "只用 00:00 以前的读数和日历。同一时刻的无功、功率因数与用电量有代数恒等关系，不能作为预测输入。"
                f"按时间划分，逐月预测，模型只见过当月以前的数据；下表是 9、10 月（{days} 天）的成绩。参数和特征是在 5 到 10 月上"
                "比较选定的，所以成绩略偏乐观；11、12 月没有用过。发布的模型再用全部数据拟合。\n\n"
                + table(("指标", "本模型", "上周同一天"), errors),
            ),
            (
                "区间",
                f"90 % 区间由逐月预测的误差校准（分刻钟的保形预测，按漂移放宽），在检验期的实际覆盖率为 {covered:.1f} %，"
                f"平均宽 {width} kWh。",
            ),
            (
                "历史长度",
                f"只给最近 7、14、28 天历史时，检验期 MAE 为 {short['7']}、{short['14']}、{short['28']} kWh。"
                "至少需要预测日前连续 7 天，14 天以上更好。",
            ),
            (
                "限制",
                "节假日未单独处理；停产、检修、换班制度变化时误差会明显变大。超出训练范围的输入会标出，不会悄悄作答。"
                + UNUSUAL_ZH,
            ),
        ],
    )


def _steel_energy_en(version: str, measured: Mapping[str, Any]) -> str:
    short, errors, days = measured["mae_with_short_history"], _errors(measured), measured["days"]
    covered, width = measured["interval_coverage"] * 100, measured["interval_mean_width"]
    return card(
        f"Day-ahead electricity of a steelworks, steel-energy {version}",
        [
            (
                "Use",
                "At 00:00, the electricity of the day's 96 quarter hours: how a load forecast and a baseline are made.",
            ),
            (
                "Not for",
                "Trained on one steelworks in 2018, not valid for your machine or plant. Train on your own data.",
            ),
            (
                "Data",
                "Steel Industry Energy Consumption (UCI, DAEWOO Steel, Gwangyang, 2018; Sathishkumar et al.), CC BY 4.0. "
                "Quarter hours from 2018-01-01 to 2018-10-31.",
            ),
            (
                "Protocol",
                "Only readings before 00:00 and the calendar. Reactive power and power factor of the same interval are an "
                "algebraic identity of the target and are not used. Split by time, month by month, each by a model of what "
                f"lay before; the figures are those of September and October ({days} days). Parameters and features were "
                "compared on May to October, so the figures are a little optimistic; November and December were never "
                "used. The release is then fitted on everything.\n\n"
                + table(("Figure", "This model", "Same day last week"), errors),
            ),
            (
                "Intervals",
                "90 % intervals from the errors of the monthly forecasts (split conformal by quarter hour, widened for "
                f"drift). They covered {covered:.1f} % of the tested months, mean width {width} kWh.",
            ),
            (
                "Length of history",
                f"With only the last 7, 14 or 28 days of history the MAE is {short['7']}, {short['14']} or "
                f"{short['28']} kWh. Seven days in a row are needed, 14 or more are better.",
            ),
            (
                "Limits",
                "Holidays are not treated apart; errors grow when production stops or shifts change. Inputs outside the "
                "trained range are flagged. " + UNUSUAL_EN,
            ),
        ],
    )


def steel_plate_faults_cards(version: str, measured: Mapping[str, Any]) -> tuple[str, str]:
    simple = measured["naive"]
    covered, size, rows = measured["set_coverage"] * 100, measured["set_mean_size"], measured["rows"]
    figures = [["{a}", measured["accuracy"], simple["accuracy"]], ["{f}", measured["macro_f1"], simple["macro_f1"]]]
    by_class = [[name, score] for name, score in sorted(measured["f1_by_class"].items())]
    zh = card(
        f"钢板表面缺陷分类 steel-plate-faults {version}",
        [
            ("用途", "按图像测得的 27 个几何和亮度特征，给出七类钢板表面缺陷的概率和可能类别集合；作为小样本质量分类做法的实例。"),
            (
                "不能用于",
                "只用一家钢厂一套检测系统的数据训练，不适用于您的产线；换相机、光源或材料须重新训练。"
                "“其他缺陷”占三分之一，不是一种确定的缺陷。",
            ),
            ("数据", f"Steel Plates Faults（UCI，Semeion），CC BY 4.0，{rows} 张钢板。"),
            (
                "做法与检验",
                "文件按类别排序、同卷钢板重复出现，所以按卷（输送带长度、钢种、厚度的组合，只是卷的近似）分组做五折检验，"
                "行序打乱。随机划分会把成绩抬高约 6 个百分点。\n\n"
                + table(("指标", "本模型", "总猜最多的一类"), figures).replace("{a}", "准确率").replace("{f}", "宏平均 F1")
                + "\n\n" + table(("类别", "F1"), by_class),
            ),
            ("区间", f"90 % 集合的实际覆盖率 {covered:.1f} %，平均含 {size} 类；集合越大，越应请人复判。"),
            ("限制", "特征的单位随原检测系统，无法换算到别的系统。超出训练范围的输入会标出，不会悄悄作答。" + UNUSUAL_ZH),
        ],
    )  # fmt: skip
    en = card(
        f"Surface faults of steel plates, steel-plate-faults {version}",
        [
            ("Use", "Probabilities of seven surface faults and the set of possible ones from 27 image features."),
            (
                "Not for",
                "Trained on one steelworks and one inspection system, not valid for your line: another camera, light or "
                "material needs training anew. “Other faults” are a third of all and no definite fault.",
            ),
            ("Data", f"Steel Plates Faults (UCI, Semeion), CC BY 4.0, {rows} plates."),
            (
                "Protocol",
                "The file is sorted by class and plates of one coil recur, so five folds keep coils together (conveyer "
                "length, steel type and thickness stand in for the coil) and rows are shuffled. A random split flatters by "
                "about 6 points.\n\n"
                + table(("Figure", "This model", "Most frequent class"), figures)
                .replace("{a}", "Accuracy").replace("{f}", "Macro F1")
                + "\n\n" + table(("Class", "F1"), by_class),
            ),
            ("Intervals", f"90 % sets covered {covered:.1f} % and hold {size} classes on average; ask a person for large ones."),
            (
                "Limits",
                "The units of the features are those of the original system. Inputs outside the range are flagged. "
                + UNUSUAL_EN,
            ),
        ],
    )  # fmt: skip
    return zh, en
