"""Compressed air: what leaks, what a hole costs, what a bar costs."""

from __future__ import annotations

from math import pi, sqrt

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive

PER_BAR = 0.07
"""Share of the power that a bar less saves, near 7 bar; trade experience."""
SPECIFIC_KWH_M3 = (0.10, 0.14)
"""Energy of free air at 7 bar gauge; trade experience."""
LEAK_GOOD, LEAK_POOR = 10.0, 20.0
"""Per cent of the delivery that leaks in a kept net, and where a search pays at once; trade experience."""
CHOKED_BAR = 0.9
"""Gauge pressure from which the flow through a hole runs at the speed of sound (pressure ratio 1.89)."""
FREE_AIR_KG_M3 = 1.204
"""At 20 degC and 1 atm."""


def air_leakage(
    load_s: float,
    unload_s: float,
    pressure_bar: float,
    power_kw: float,
    hours: float,
    price_yuan_kwh: float,
    delivery_m3_min: float,
    lower_bar: float,
) -> ToolAnswer:
    """Leakage of a net by loading time with no consumer on: leak = load / (load + unload); what it and pressure cost.

    Arguments: time loaded and unloaded in the test (s), gauge pressure (bar), power under load (kW), hours a year,
    electricity price (yuan/kWh), delivery (m3/min; 0 when unknown), by how much the pressure could be lowered (bar; 0
    for no). Returns leak_percent, leak_kwh, leak_yuan, bar_kwh and bar_yuan (of one bar less), with lower_bar
    lower_yuan, and with the delivery leak_m3_min and specific_kwh_m3. Raises ValueError. Energy is counted at the power
    under load, so leak_kwh and bar_kwh are upper limits of what is saved: unloaded machines draw power too. Source:
    load-unload test, textbook; 7 % per bar and 0.10 to 0.14 kWh/m3 are trade experience.
    """
    refuse_if_negative(
        ("卸载时间", "the unloaded time", unload_s), ("电价", "the price", price_yuan_kwh),
        ("排气量", "the delivery", delivery_m3_min), ("可降压力", "the pressure to lower", lower_bar),
    )  # fmt: skip
    refuse_unless_positive(
        ("加载时间", "the loaded time", load_s), ("压力", "the pressure", pressure_bar),
        ("加载功率", "the power", power_kw), ("年运行时间", "the hours", hours),
    )  # fmt: skip
    if lower_bar >= pressure_bar:
        raise ValueError(
            f"可降压力应小于现压力 {pressure_bar:g} bar，现为 {lower_bar:g}"
            f" / the pressure can be lowered by less than its {pressure_bar:g} bar, got {lower_bar:g}"
        )
    leak = load_s / (load_s + unload_s)
    energy = power_kw * hours
    outputs = {
        "leak_percent": rounded(100 * leak),
        "leak_kwh": rounded(leak * energy),
        "leak_yuan": rounded(leak * energy * price_yuan_kwh, 2),
        "bar_kwh": rounded(PER_BAR * energy),
        "bar_yuan": rounded(PER_BAR * energy * price_yuan_kwh, 2),
    }
    if lower_bar > 0:
        outputs["lower_yuan"] = rounded(PER_BAR * lower_bar * energy * price_yuan_kwh, 2)
    if delivery_m3_min > 0:
        outputs["leak_m3_min"] = rounded(leak * delivery_m3_min)
        outputs["specific_kwh_m3"] = rounded(power_kw / delivery_m3_min / 60)
    return ToolAnswer(outputs, _leakage_notes(outputs, unload_s, pressure_bar, lower_bar))


def _leakage_notes(
    outputs: dict[str, float], unload_s: float, pressure: float, lower: float
) -> tuple[dict[str, str], ...]:
    leak = outputs["leak_percent"]
    zh, en = f"泄漏 {leak:.0f} %，", f"{leak:.0f} % leaks, "
    if unload_s == 0:
        zh += "试验中一直没有卸载：泄漏已吃掉整台机，或还有用气点没关；先关分段阀逐段找。"
        en += "the compressor never unloaded: leaks take all of it or a consumer was on; close the sections one by one."
    elif leak > LEAK_POOR:
        zh += f"高于 {LEAK_POOR:.0f} %（行业经验）：马上值得查漏，先听接头、软管、三联件和停机仍供气的设备。"
        en += (
            f"above {LEAK_POOR:.0f} % (trade experience): search at once, joints, hoses, service units and "
            "idle machines first."
        )
    elif leak > LEAK_GOOD:
        zh += f"在 {LEAK_GOOD:.0f} 到 {LEAK_POOR:.0f} % 之间（行业经验）：排计划挂牌修，停机设备装截止阀。"
        en += (
            f"between {LEAK_GOOD:.0f} and {LEAK_POOR:.0f} % (trade experience): tag and repair, shut idle machines off."
        )
    else:
        zh += f"不高于 {LEAK_GOOD:.0f} %（行业经验），管网维护得好；每季再测一次。"
        en += f"not above {LEAK_GOOD:.0f} % (trade experience), a kept net; test again each quarter."
    zh += f"按年运行时间折 {outputs['leak_kwh']:.0f} kWh（{outputs['leak_yuan']:.0f} 元）。只适用于无人用气、加卸载控制；变频机要用流量计。"
    en += (
        f" That is {outputs['leak_kwh']:.0f} kWh a year ({outputs['leak_yuan']:.0f} yuan). Holds with no "
        "consumer on and "
        "load-unload control; machines with variable speed need a flow meter."
    )
    first = {"zh": zh, "en": en}
    zh = f"压力每降 1 bar 约省 7 %（{outputs['bar_yuan']:.0f} 元/年，行业经验）"
    en = f"Each bar less saves about 7 % ({outputs['bar_yuan']:.0f} yuan a year, trade experience)"
    if lower > 0:
        zh += f"，降到 {pressure - lower:g} bar 约 {outputs['lower_yuan']:.0f} 元/年；一次降 0.2 bar，看末端最低压力"
        en += (
            f", {pressure - lower:g} bar about {outputs['lower_yuan']:.0f} yuan; go down by 0.2 bar at a "
            "time and watch the "
            "lowest pressure at the ends"
        )
    zh, en = zh + "。", en + "."
    if "specific_kwh_m3" in outputs:
        low, high = SPECIFIC_KWH_M3
        specific = outputs["specific_kwh_m3"]
        said_zh = (
            "偏高，查进气温度、滤芯和机头"
            if specific > high
            else "低于常见值，先核对排气量"
            if specific < low
            else "正常"
        )
        said_en = (
            "high: check intake, filters, air end"
            if specific > high
            else "low: check the delivery first"
            if specific < low
            else "usual"
        )
        zh += f"比功率 {specific:.3f} kWh/m³，{said_zh}（7 bar 常见 {low:.2f} 到 {high:.2f}，行业经验）。"
        en += f" {specific:.3f} kWh/m³ is {said_en} ({low:.2f} to {high:.2f} at 7 bar, trade experience)."
    return (first, {"zh": zh, "en": en})


def air_leak_orifice(
    diameter_mm: float,
    pressure_bar: float,
    temperature_c: float,
    discharge: float,
    holes: float,
    hours: float,
    specific_kwh_m3: float,
    price_yuan_kwh: float,
) -> ToolAnswer:
    """Free air lost through holes: m = 0.0404 Cd A p / sqrt(T) (kg/s, mm2, MPa absolute, K), divided by 1.204 kg/m3.

    Arguments: diameter of a hole (mm), gauge pressure (bar), temperature of the air before it (degC), discharge
    coefficient (0.6 sharp to 0.99 rounded), number of such holes, hours under pressure a year, energy of free air
    (kWh/m3), electricity price (yuan/kWh). Returns m3_min, kg_s, kwh and yuan a year. Raises ValueError below 0.9 bar,
    where the flow is not choked and the formula not valid. Source: choked flow of an ideal gas, textbook.
    """
    refuse_unless_positive(
        ("孔径", "the diameter", diameter_mm), ("绝对温度", "the absolute temperature", temperature_c + 273.15),
        ("孔数", "the number of holes", holes), ("年时间", "the hours", hours),
    )  # fmt: skip
    refuse_if_negative(("单位气耗电", "the energy of air", specific_kwh_m3), ("电价", "the price", price_yuan_kwh))
    if not 0 < discharge <= 1:
        raise ValueError(
            f"流量系数应在 0 到 1 之间，现为 {discharge:g} / the discharge coefficient is between 0 and 1, got {discharge:g}"
        )
    if pressure_bar < CHOKED_BAR:
        raise ValueError(
            f"表压低于 {CHOKED_BAR:g} bar 时孔口不是音速流，公式不适用，现为 {pressure_bar:g}"
            f" / below {CHOKED_BAR:g} bar gauge the flow is not choked and the formula does not hold, got "
            f"{pressure_bar:g}"
        )
    area = pi / 4 * diameter_mm**2
    mass = holes * 0.0404 * discharge * area * (pressure_bar + 1) / 10 / sqrt(temperature_c + 273.15)
    volume = mass / FREE_AIR_KG_M3 * 60
    energy = volume * 60 * hours * specific_kwh_m3
    outputs = {
        "m3_min": rounded(volume), "kg_s": rounded(mass, 9), "kwh": rounded(energy),
        "yuan": rounded(energy * price_yuan_kwh, 2),
    }  # fmt: skip
    count_zh = "" if holes == 1 else f"{holes:g} 个"
    zh = (
        f"{count_zh} {diameter_mm:g} mm 孔在 {pressure_bar:g} bar 下每分钟漏自由空气 {volume:.3g} m³，一年 {energy:.0f} kWh、"
        f"{energy * price_yuan_kwh:.0f} 元。漏量随孔径平方涨，先修大的；停产时间也在漏，年时间按带压时间填。"
    ).strip()
    en = (
        f"{'A hole' if holes == 1 else f'{holes:g} holes'} of {diameter_mm:g} mm at {pressure_bar:g} bar "
        f"lose {volume:.3g} m³ of "
        f"free air a minute, {energy:.0f} kWh and {energy * price_yuan_kwh:.0f} yuan a year. Loss goes "
        "with the square of the "
        "diameter: mend the large ones first. Hours count while the net is under pressure."
    )
    if holes == 1:
        en = en.replace("bar lose", "bar loses", 1)
    return ToolAnswer(outputs, ({"zh": zh, "en": en},))
