"""Heat treatment: tempering, carburising, and the baking that drives hydrogen out."""

from __future__ import annotations

from math import log10, sqrt

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive

KELVIN = 273.15
BAKE_HRC = 39.0
"""Core hardness (about 390 HV) above which plated parts are baked; to be verified in the product standard."""
BAKE_C = (190.0, 230.0)
BAKE_WITHIN_H = 4.0
HARRIS_C = (850.0, 980.0)
"""Temperatures for which the estimate of case depth is used."""


def tempering_parameter(temperature_c: float, hours: float, constant: float, other_hours: float) -> ToolAnswer:
    """Hollomon-Jaffe parameter: P = (T + 273.15) (C + lg t) / 1000.

    Arguments: tempering temperature (degC), time at temperature (h), constant C (about 20), another time (h; 0 when not
    wanted). Returns parameter, what ten degrees change in it, and the temperature that gives the same P in the other
    time (degC). Raises ValueError. Source: Hollomon and Jaffe; hardness against P is to be fitted for each steel.
    """
    refuse_unless_positive(("保温时间", "the time", hours), ("常数 C", "the constant C", constant))
    refuse_if_negative(("另一时间", "the other time", other_hours))
    if temperature_c <= 0:
        raise ValueError(f"回火温度应大于 0 ℃，现为 {temperature_c:g} / must be above 0 degC, got {temperature_c:g}")
    weight = constant + log10(hours)
    if weight <= 0:
        raise ValueError(f"时间 {hours:g} h 太短，公式不成立 / {hours:g} h is too short for the formula")
    parameter = (temperature_c + KELVIN) * weight / 1000
    outputs = {"parameter": rounded(parameter), "per_10_k": rounded(weight / 100)}
    zh, en = f"回火参数 P = {parameter:.2f}。", f"P = {parameter:.2f}. "
    if other_hours > 0:
        other = constant + log10(other_hours)
        if other <= 0:
            raise ValueError(f"时间 {other_hours:g} h 太短 / {other_hours:g} h is too short for the formula")
        same = parameter * 1000 / other - KELVIN
        outputs["same_effect_c"] = rounded(same)
        zh += f"改成 {other_hours:g} h，要 {same:.0f} ℃ 才有同样的回火效果。"
        en += f"In {other_hours:g} h the same effect takes {same:.0f} °C. "
    zh += "每个钢种攒一条 P 与硬度的曲线再用；停在回火脆性温度区时不能这样换算。"
    en += (
        "Collect hardness against P for each steel; do not trade time for temperature in the range of temper "
        "brittleness."
    )
    return ToolAnswer(outputs, ({"zh": zh, "en": en.strip()},))


def case_depth(temperature_c: float, hours: float, wanted_mm: float) -> ToolAnswer:
    """Total case depth of carburising by Harris: d = 802.6 sqrt(t) / 10^(3720 / (T + 273.15)), in mm.

    Arguments: carburising temperature (degC), time at temperature (h), depth asked for (mm; 0 when none). Returns
    depth_mm, the depth ten degrees hotter and the hours for the wanted depth. Raises ValueError.
    Source: Harris, for a surface kept saturated with carbon; total depth, not the effective one of drawings.
    """
    refuse_unless_positive(("时间", "the time", hours))
    refuse_if_negative(("要求层深", "the wanted depth", wanted_mm))
    low, high = HARRIS_C
    if not low <= temperature_c <= high:
        raise ValueError(
            f"估算式用于 {low:.0f} 到 {high:.0f} ℃，现为 {temperature_c:g} ℃"
            f" / the estimate is for {low:.0f} to {high:.0f} °C, got {temperature_c:g}"
        )
    depth, hotter = _harris(temperature_c, hours), _harris(temperature_c + 10, hours)
    outputs = {"depth_mm": rounded(depth), "depth_10_k_hotter_mm": rounded(hotter)}
    zh = f"总渗层约 {depth:.2f} mm；温度高 10 ℃ 多 {(hotter / depth - 1) * 100:.0f} %，时间翻倍只多约四成。"
    en = (
        f"Total case about {depth:.2f} mm; 10 °C hotter gives {(hotter / depth - 1) * 100:.0f} % more, "
        "twice the time about 41 %. "
    )
    if wanted_mm > 0:
        needed = (wanted_mm / _harris(temperature_c, 1)) ** 2
        outputs["hours_for_wanted"] = rounded(needed)
        zh += f"要 {wanted_mm:g} mm 需 {needed:.1f} h。"
        en += f"{wanted_mm:g} mm take {needed:.1f} h. "
    zh += "图纸上的有效硬化层深（常以 550 HV 为界）比总渗层浅，比值用自家试样攒；偏浅先查热电偶和实际保温时间。"
    en += (
        "The effective depth of drawings (often to 550 HV) is less, by a ratio from your own coupons. If it is shallow "
        "check thermocouple and true soaking time first."
    )
    return ToolAnswer(outputs, ({"zh": zh, "en": en.strip()},))


def _harris(temperature_c: float, hours: float) -> float:
    return 802.6 * sqrt(hours) / 10 ** (3720 / (temperature_c + KELVIN))


def hydrogen_bake(core_hrc: float, hydrogen_source: str, hours_since: float, tempering_c: float) -> ToolAnswer:
    """Whether plated or pickled parts are to be baked against hydrogen embrittlement, and whether it is in time.

    Arguments: core hardness (HRC), where hydrogen may come from (electroplating, acid_pickling, none), hours since the
    parts left the bath, tempering temperature (degC; 0 when not known). Returns bake (1 or 0), margin_hrc to the
    threshold, the bake's temperatures (degC) and hours_left to the start of baking. Raises ValueError.
    Source: ISO 4042 / GB/T 5267.1; the figures are to be verified there, the product standard decides.
    """
    refuse_unless_positive(("芯部硬度", "the core hardness", core_hrc))
    refuse_if_negative(
        ("出槽后时间", "the hours since the bath", hours_since), ("回火温度", "the tempering", tempering_c)
    )
    exposed = hydrogen_source != "none"
    bake = exposed and core_hrc >= BAKE_HRC
    low, high = BAKE_C
    outputs: dict[str, float] = {"bake": int(bake), "margin_hrc": rounded(core_hrc - BAKE_HRC)}
    if not exposed:
        zh = "没有电镀和酸洗，无需去氢；换成有酸洗的前处理要重新判断。"
        en = "No plating and no pickling: no bake. Judge again when the cleaning changes. "
    elif not bake:
        zh = f"芯部 {core_hrc:g} HRC 低于约 {BAKE_HRC:g} HRC（待核实），一般不要求去氢；按产品标准确认。"
        en = (
            f"A core of {core_hrc:g} HRC is below about {BAKE_HRC:g} HRC (to be verified): usually no bake, "
            "see the product standard. "
        )
        if core_hrc > BAKE_HRC - 2:
            zh += "离界线不到 2 HRC：按最硬的件判，别按平均。"
            en += "Within 2 HRC of the line: judge by the hardest part, not the mean. "
    else:
        left = BAKE_WITHIN_H - hours_since
        outputs |= {"bake_low_c": low, "bake_high_c": high, "hours_left": rounded(left)}
        zh = f"芯部 {core_hrc:g} HRC，需要去氢：约 {low:.0f} 到 {high:.0f} ℃、料到温后保温数小时（待核实，产品标准优先）。"
        en = (
            f"A core of {core_hrc:g} HRC is to be baked: about {low:.0f} to {high:.0f} °C for several hours "
            "at temperature (to be verified, the product standard decides). "
        )
        if left < 0:
            zh += f"已超过 {BAKE_WITHIN_H:g} h：这批隔离评估，烤了也不能保证。"
            en += f"More than {BAKE_WITHIN_H:g} h have passed: set the lot apart, a late bake proves nothing. "
        else:
            zh += f"还剩 {left:.1f} h 进炉。"
            en += f"{left:.1f} h are left to the furnace. "
        if 0 < tempering_c <= high:
            zh += f"回火温度 {tempering_c:g} ℃ 不高于去氢上限，去氢会降硬度：去氢温度要低于回火温度。"
            en += f"Tempered at {tempering_c:g} °C: bake below that or the hardness drops. "
    zh += "去氢不能代替控制酸洗时间和硬度上限。"
    en += "Baking does not replace short pickling and a limit on hardness."
    return ToolAnswer(outputs, ({"zh": zh, "en": en.strip()},))
