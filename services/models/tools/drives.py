"""Drives of fans, pumps and machines: slower by frequency, better by class."""

from __future__ import annotations

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive, refuse_unless_share

STATIC_LARGE = 0.3
"""Share of static head from which the cubic law misleads; trade experience."""
FLOW_LOW = 0.5
"""Flow ratio below which efficiencies of fan and motor fall and the saving is smaller; trade experience."""
LOAD_LOW = 0.4
"""Load below which a motor runs well under the efficiency of its plate; trade experience."""
MAINS_HZ = 50.0


def fan_affinity(
    rated_kw: float,
    flow_ratio: float,
    hours: float,
    drive_efficiency: float,
    static_share: float,
    present_kw: float,
    price_yuan_kwh: float,
) -> ToolAnswer:
    """Power of a fan or pump at less flow by speed: P2 = P1 r (s + (1 - s) r^2) / efficiency.

    Arguments: shaft power at full flow (kW), flow wanted over full flow (equal to the speed ratio without static head),
    hours a year, efficiency of the converter, static head over full head (0 for fans and closed circuits), power drawn
    today (kW; 0 takes the rated power), electricity price (yuan/kWh). Returns power_kw, saving_kwh, saving_yuan,
    saving_percent and, without static head, frequency_hz. Raises ValueError.
    Source: affinity laws, textbook; with static head the power of the system's own curve at equal efficiency.
    """
    refuse_unless_positive(("轴功率", "the rated power", rated_kw), ("年运行时间", "the hours", hours))
    refuse_unless_share(
        ("流量比", "the flow ratio", flow_ratio), ("变频效率", "the converter efficiency", drive_efficiency)
    )
    refuse_if_negative(("现在功率", "the present power", present_kw), ("电价", "the price", price_yuan_kwh))
    if not 0 <= static_share < 1:
        raise ValueError(
            f"静扬程占比按小数填，应在 0 到 1 之间，现为 {static_share:g}"
            f" / the static share is between 0 and 1, got {static_share:g}"
        )
    power = rated_kw * flow_ratio * (static_share + (1 - static_share) * flow_ratio**2) / drive_efficiency
    before = present_kw or rated_kw
    saved = (before - power) * hours
    outputs = {
        "power_kw": rounded(power),
        "saving_kwh": rounded(saved),
        "saving_yuan": rounded(saved * price_yuan_kwh, 2),
        "saving_percent": rounded((1 - power / before) * 100),
    }
    if static_share == 0:
        outputs["frequency_hz"] = rounded(MAINS_HZ * flow_ratio)
    return ToolAnswer(outputs, (_fan_note(outputs, flow_ratio, static_share, present_kw),))


def _fan_note(outputs: dict[str, float], ratio: float, static: float, present: float) -> dict[str, str]:
    power, saved, percent = outputs["power_kw"], outputs["saving_kwh"], outputs["saving_percent"]
    if saved <= 0:
        return {
            "zh": f"降到 {100 * ratio:.0f} % 流量要 {power:.1f} kW，比现在还多 {-percent:.0f} %：变频不省电，先看能否停机、换叶轮或减台数。",
            "en": f"{100 * ratio:.0f} % of the flow takes {power:.1f} kW, {-percent:.0f} % more than today: a "
            "converter saves nothing, look at stopping, a smaller impeller or fewer machines.",
        }
    zh = f"{100 * ratio:.0f} % 流量时 {power:.1f} kW，每年省 {saved:.0f} kWh（{percent:.0f} %）。"
    en = f"{power:.1f} kW at {100 * ratio:.0f} % of the flow, {saved:.0f} kWh saved a year ({percent:.0f} %). "
    if present == 0:
        zh += "对比的是全速满负荷；已用风门或阀门调节的，实测现在功率再算，省得没这么多。"
        en += (
            "Compared with full speed and load: where a damper or valve throttles today, measure the power "
            "and give it, the saving is less. "
        )
    if static >= STATIC_LARGE:
        zh += f"静扬程占 {100 * static:.0f} %：三次方规律不成立，转速不能按流量比降，要看泵曲线。"
        en += (
            f"{100 * static:.0f} % static head: the cubic law does not hold, the speed cannot fall with "
            "the flow, use the pump's "
            "curve. "
        )
    elif static > 0:
        zh += "有静扬程，已按管路特性折减。"
        en += "The static head was counted by the system's curve. "
    if ratio < FLOW_LOW:
        zh += f"流量低于 {100 * FLOW_LOW:.0f} % 时风机和电机效率下降（行业经验），实际省电偏小；并核对电机散热和最小风速。"
        en += (
            f"Below {100 * FLOW_LOW:.0f} % fan and motor lose efficiency (trade experience): less is saved; "
            "mind cooling and least air speed. "
        )
    zh += "全年工况有变的，按每段流量和小时分别算再加。"
    en += "Where the flow varies over the year, compute each state by its hours and add."
    return {"zh": zh, "en": en}


def motor_efficiency_saving(
    rated_kw: float,
    load_share: float,
    old_efficiency: float,
    new_efficiency: float,
    hours: float,
    price_yuan_kwh: float,
    extra_cost_yuan: float,
) -> ToolAnswer:
    """Electricity saved by a more efficient motor: (P load) (1 / old - 1 / new) hours.

    Arguments: rated power of the shaft (kW), load over rated power, efficiency of the old and of the new motor at that
    load, hours a year, electricity price (yuan/kWh), what the new motor costs (yuan; 0 for no payback). Returns
    saving_kwh, saving_yuan, input_old_kw, input_new_kw, saving_percent and payback_years. Raises ValueError.
    Source: definition of efficiency, textbook (general engineering).
    """
    refuse_unless_positive(("额定功率", "the rated power", rated_kw), ("年运行时间", "the hours", hours))
    refuse_unless_share(
        ("旧电机效率", "the old efficiency", old_efficiency), ("新电机效率", "the new efficiency", new_efficiency)
    )
    refuse_if_negative(("电价", "the price", price_yuan_kwh), ("费用", "the cost", extra_cost_yuan))
    if not 0 < load_share <= 1.25:
        raise ValueError(
            f"负荷率按小数填，应在 0 到 1.25 之间（75 % 填 0.75），现为 {load_share:g}"
            f" / the load is a share between 0 and 1.25 (0.75 for 75 %), got {load_share:g}"
        )
    if new_efficiency <= old_efficiency:
        raise ValueError(
            f"新电机效率应高于旧的 {old_efficiency:g}，现为 {new_efficiency:g}"
            f" / the new efficiency must exceed the old {old_efficiency:g}, got {new_efficiency:g}"
        )
    shaft = rated_kw * load_share
    old, new = shaft / old_efficiency, shaft / new_efficiency
    saved = (old - new) * hours
    yuan = saved * price_yuan_kwh
    outputs = {
        "saving_kwh": rounded(saved), "saving_yuan": rounded(yuan, 2), "input_old_kw": rounded(old),
        "input_new_kw": rounded(new), "saving_percent": rounded((1 - new / old) * 100),
    }  # fmt: skip
    if extra_cost_yuan > 0 and yuan > 0:
        outputs["payback_years"] = rounded(extra_cost_yuan / yuan)
    return ToolAnswer(outputs, (_motor_note(outputs, load_share),))


def _motor_note(outputs: dict[str, float], load: float) -> dict[str, str]:
    saved, percent = outputs["saving_kwh"], outputs["saving_percent"]
    zh = (
        f"输入功率从 {outputs['input_old_kw']:.2f} 降到 {outputs['input_new_kw']:.2f} kW，每年省 {saved:.0f} "
        f"kWh（{percent:.1f} %）。"
    )
    en = (
        f"The input falls from {outputs['input_old_kw']:.2f} to {outputs['input_new_kw']:.2f} kW, {saved:.0f} "
        f"kWh a year ({percent:.1f} %). "
    )
    if "payback_years" in outputs:
        zh += f"静态回收 {outputs['payback_years']:.1f} 年。"
        en += f"Simple payback {outputs['payback_years']:.1f} years. "
    if load > 1:
        zh += f"负荷 {100 * load:.0f} %，电机过载：先解决过载，再谈换型。"
        en += f"A load of {100 * load:.0f} % is too much: mend that first. "
    elif load < LOAD_LOW:
        zh += f"负荷只有 {100 * load:.0f} %：铭牌效率不适用（行业经验：低于 {100 * LOAD_LOW:.0f} % 明显下降），多半该换小一号或加变频。"
        en += (
            f"A load of {100 * load:.0f} % only: the plate does not hold (below {100 * LOAD_LOW:.0f} % it "
            "is clearly less, trade "
            "experience); a smaller motor or a converter is likely the better step. "
        )
    zh += "高效电机转差小、转速略高，带风机水泵时功率随转速三次方涨，会吃掉部分节省；皮带轮要重配。"
    en += (
        "Efficient motors slip less: on fans and pumps the power rises with the cube of speed and eats part "
        "of it, so adapt the pulleys."
    )
    return {"zh": zh, "en": en}
