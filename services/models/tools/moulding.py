"""Die casting and injection moulding: force to keep the mould shut, time until the part can leave it."""

from __future__ import annotations

from math import log, pi

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive

KN_PER_TONNE = 9.80665
"""Machines are named by tonnes of force."""
USUAL_LOAD_PERCENT = (60.0, 90.0)
"""Share of a machine's clamp force that is commonly used; trade experience."""
ONE_TERM_FOURIER = 0.05
"""Above this Fourier number (on the whole wall) the first term of the series is within about one per cent."""


def die_casting_clamp(
    projected_area_cm2: float, intensification_mpa: float, safety_factor: float, machine_kn: float
) -> ToolAnswer:
    """Clamp force of a die-casting machine: F = k p A / 10 (kN, with cm2 and MPa).

    Arguments: projected area of parts, runners and overflows (cm2), intensification pressure on the metal (MPa), safety
    factor, rated clamp force (kN; 0 when not known). Returns clamp_kn, clamp_t and load_percent. Raises ValueError.
    Source: force balance on the parting face, textbook. Wedge forces of core slides are not in it.
    """
    slides = {
        "zh": "有侧抽芯的模具还要加滑块斜楔的分力；压射速度高时的冲击不在式内。",
        "en": "Slides driven by wedges add their share; the impact of a fast shot is not in the formula.",
    }
    return _clamp(projected_area_cm2, intensification_mpa, safety_factor, machine_kn, slides)


def injection_clamp(
    projected_area_cm2: float, cavity_mpa: float, safety_factor: float, machine_kn: float
) -> ToolAnswer:
    """Clamp force of an injection-moulding machine: F = k p A / 10 (kN, with cm2 and MPa).

    Arguments: projected area of all cavities and cold runners (cm2), mean cavity pressure (MPa), safety factor, rated
    clamp force (kN; 0 when not known). Returns clamp_kn, clamp_t and load_percent. Raises ValueError.
    Source: force balance on the parting face, textbook.
    """
    pressure = {
        "zh": "型腔压力随壁厚和流长比变：薄壁、流程长取高值；出飞边先查分型面和保压，再加锁模力。",
        "en": "Cavity pressure rises with thin walls and long flow. On flash check parting face and packing before you "
        "raise the clamp force.",
    }
    return _clamp(projected_area_cm2, cavity_mpa, safety_factor, machine_kn, pressure)


def _clamp(area: float, pressure: float, factor: float, machine: float, advice: dict[str, str]) -> ToolAnswer:
    refuse_unless_positive(("投影面积", "the projected area", area), ("压力", "the pressure", pressure))
    refuse_if_negative(("机台锁模力", "the machine's clamp force", machine))
    if factor < 1:
        raise ValueError(f"安全系数不应小于 1，现为 {factor:g} / the safety factor must not be below 1, got {factor:g}")
    force = factor * pressure * area / 10
    tonnes = force / KN_PER_TONNE
    outputs = {"clamp_kn": rounded(force), "clamp_t": rounded(tonnes)}
    zh, en = f"需要锁模力约 {force:.0f} kN（{tonnes:.0f} t）。", f"About {force:.0f} kN ({tonnes:.0f} t) are needed. "
    if machine > 0:
        load = force / machine * 100
        outputs["load_percent"] = rounded(load)
        low, high = USUAL_LOAD_PERCENT
        zh += f"占机台 {machine:.0f} kN 的 {load:.0f} %，"
        en += f"That is {load:.0f} % of the machine's {machine:.0f} kN"
        if load > 100:
            zh += "锁不住：换大机台，或减投影面积、降压力。"
            en += ": it will not stay shut; use a larger machine, less area or less pressure. "
        elif load > high:
            zh += f"高于常用的 {low:.0f} 到 {high:.0f} %（行业经验）：余量小，容易出飞边。"
            en += f", above the usual {low:.0f} to {high:.0f} % (trade experience): little margin, flash is likely. "
        elif load < low:
            zh += (
                f"低于常用的 {low:.0f} 到 {high:.0f} %（行业经验）：机台偏大，可把锁模力设低或换小机台，省电也少伤模。"
            )
            en += (
                f", below the usual {low:.0f} to {high:.0f} % (trade experience): the machine is larger than needed, "
                "set less clamp force or use a smaller one. "
            )
        else:
            zh += f"在常用的 {low:.0f} 到 {high:.0f} % 之内（行业经验）。"
            en += f", within the usual {low:.0f} to {high:.0f} % (trade experience). "
    return ToolAnswer(outputs, ({"zh": zh + advice["zh"], "en": en + advice["en"]},))


def injection_cooling(
    wall_mm: float, diffusivity_mm2_s: float, melt_c: float, mould_c: float, ejection_c: float
) -> ToolAnswer:
    """Time until the middle of a flat wall has cooled to the ejection temperature.

    t = s^2 / (pi^2 a) ln(4/pi (Tm - Tw) / (Te - Tw)), the first term of the series for a plate cooled on both faces.

    Arguments: thickest wall (mm), thermal diffusivity of the plastic (mm2/s), temperatures of melt, mould wall and the
    part's middle at ejection (degC). Returns cooling_s, the seconds that ten per cent less wall saves and the Fourier
    number a t / s^2, by which the first term may be judged. Raises ValueError unless melt > ejection > mould.
    Source: heat conduction in a plate, textbook of injection moulding.
    """
    refuse_unless_positive(("壁厚", "the wall", wall_mm), ("热扩散率", "the diffusivity", diffusivity_mm2_s))
    if not mould_c < ejection_c < melt_c:
        raise ValueError(
            f"应有 模温 {mould_c:g} < 顶出温度 {ejection_c:g} < 熔体温度 {melt_c:g} ℃ / must hold: mould < ejection < melt"
        )
    cooling = wall_mm**2 / (pi**2 * diffusivity_mm2_s) * log(4 / pi * (melt_c - mould_c) / (ejection_c - mould_c))
    saved = cooling * (1 - 0.9**2)
    fourier = diffusivity_mm2_s * cooling / wall_mm**2
    outputs = {
        "cooling_s": rounded(cooling),
        "saved_10_percent_thinner_s": rounded(saved),
        "fourier": rounded(fourier),
    }
    zh = (
        f"冷却约 {cooling:.1f} s；最厚处减薄 10 % 可少 {saved:.1f} s（冷却时间按壁厚平方走）。"
        "比这个数设得长很多，先查水路和顶出变形，再一秒一秒往下减。"
    )
    en = (
        f"About {cooling:.1f} s of cooling; 10 % less wall saves {saved:.1f} s (it goes with the square of the wall). "
        "If the machine is set much longer, check water lines and warping, then take it down second by second."
    )
    if fourier < ONE_TERM_FOURIER:
        zh += "顶出温度离熔体太近，公式只取首项，误差变大。"
        en += " The ejection temperature is so near the melt that the first term alone is no longer exact."
    return ToolAnswer(outputs, ({"zh": zh, "en": en.strip()},))
