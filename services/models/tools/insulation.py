"""Heat lost from steam pipes."""

from __future__ import annotations

from math import log, pi

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive

HOT_SURFACE_C = 60.0
"""Surface that burns the hand; trade experience."""
STILL_AIR_MOST_C = 150.0
"""Surface up to which the coefficient for still air is meant."""


def still_air_w_m2k(rise_k: float) -> float:
    """Convection and radiation from a pipe in still air indoors: 9.4 + 0.052 (t_surface - t_air), textbook of chemical
    engineering."""
    return 9.4 + 0.052 * rise_k


def pipe_insulation_loss(
    steam_c: float,
    air_c: float,
    diameter_mm: float,
    thickness_mm: float,
    conductivity: float,
    length_m: float,
    hours: float,
    heat_price_yuan_gj: float,
    surface_w_m2k: float,
) -> ToolAnswer:
    """Heat lost by a bare and an insulated pipe (W/m).

    q = (t - t0) / (ln(r2 / r1) / (2 pi lambda) + 1 / (2 pi r2 alpha)), bare 2 pi r1 alpha (t - t0)

    Arguments: temperature of the pipe, taken as the steam's, and of the air (degC), outer diameter of the pipe (mm),
    thickness (mm) and conductivity (W/(m K)) of the insulation, length (m), hours a year, heat price (yuan/GJ), surface
    coefficient (W/(m2 K); 0 takes still air indoors, solved with the surface temperature). Returns saved_kw, bare_w_m,
    insulated_w_m, surface_c, saving_gj, saving_yuan and saved_percent. Raises ValueError.
    Source: conduction through a cylinder with a surface coefficient, textbook (general engineering).
    """
    refuse_unless_positive(
        ("管外径", "the diameter", diameter_mm), ("保温厚度", "the thickness", thickness_mm),
        ("导热系数", "the conductivity", conductivity), ("管长", "the length", length_m), ("年时间", "the hours", hours),
    )  # fmt: skip
    refuse_if_negative(
        ("热价", "the heat price", heat_price_yuan_gj), ("表面换热系数", "the surface coefficient", surface_w_m2k)
    )
    if steam_c <= air_c:
        raise ValueError(
            f"管温应高于环境 {air_c:g} ℃，现为 {steam_c:g} / the pipe must be warmer than the air of {air_c:g} °C, "
            f"got {steam_c:g}"
        )
    rise, inner, outer = steam_c - air_c, diameter_mm / 2000, diameter_mm / 2000 + thickness_mm / 1000
    bare = 2 * pi * inner * (surface_w_m2k or still_air_w_m2k(rise)) * rise
    surface_rise = _surface_rise(rise, inner, outer, conductivity, surface_w_m2k)
    insulated = 2 * pi * outer * (surface_w_m2k or still_air_w_m2k(surface_rise)) * surface_rise
    saved = (bare - insulated) * length_m / 1000
    gigajoules = saved * hours * 0.0036
    outputs = {
        "saved_kw": rounded(saved),
        "bare_w_m": rounded(bare),
        "insulated_w_m": rounded(insulated),
        "surface_c": rounded(air_c + surface_rise),
        "saving_gj": rounded(gigajoules),
        "saving_yuan": rounded(gigajoules * heat_price_yuan_gj, 2),
        "saved_percent": rounded((1 - insulated / bare) * 100),
    }
    return ToolAnswer(outputs, (_pipe_note(outputs, steam_c, surface_w_m2k),))


def _surface_rise(rise: float, inner: float, outer: float, conductivity: float, given: float) -> float:
    """Surface above the air (K), where what is conducted equals what is given off; by halving."""
    conducted_per_k = 2 * pi * conductivity / log(outer / inner)
    low, high = 0.0, rise
    for _ in range(60):
        middle = (low + high) / 2
        given_off = 2 * pi * outer * (given or still_air_w_m2k(middle)) * middle
        low, high = (middle, high) if given_off < conducted_per_k * (rise - middle) else (low, middle)
    return (low + high) / 2


def _pipe_note(outputs: dict[str, float], steam_c: float, given: float) -> dict[str, str]:
    bare, insulated, surface = outputs["bare_w_m"], outputs["insulated_w_m"], outputs["surface_c"]
    zh = f"裸管每米散热 {bare:.0f} W，保温后 {insulated:.0f} W；共省 {outputs['saved_kw']:.1f} kW，每年 {outputs['saving_gj']:.0f} GJ。"
    en = (
        f"Bare {bare:.0f} W/m, insulated {insulated:.0f} W/m: {outputs['saved_kw']:.1f} kW and "
        f"{outputs['saving_gj']:.0f} GJ a "
        "year saved. "
    )
    if insulated >= bare:
        zh += "这样保温反而散得更多：管太细、材料导热太大，换导热系数小的材料。"
        en += "It would lose more than bare: the pipe is thin and the material conducts too well. "
    elif surface > HOT_SURFACE_C:
        zh += f"外表面 {surface:.0f} ℃，会烫伤（行业经验以 {HOT_SURFACE_C:.0f} ℃ 为界），加厚。"
        en += f"A surface of {surface:.0f} °C burns ({HOT_SURFACE_C:.0f} °C, trade experience): make it thicker. "
    else:
        zh += f"外表面约 {surface:.0f} ℃。"
        en += f"The surface is at about {surface:.0f} °C. "
    if given == 0 and steam_c > STILL_AIR_MOST_C:
        zh += f"裸管壁温超过 {STILL_AIR_MOST_C:.0f} ℃，无风室内换热系数是外推，裸管散热多半算得偏小。"
        en += (
            f"Above {STILL_AIR_MOST_C:.0f} °C the coefficient for still air is extrapolated, the bare loss is "
            "rather low. "
        )
    zh += "阀门、法兰每个约折合 1 到 1.5 m 裸管（行业经验），先包它们；室外有风的填实际换热系数，湿掉的保温层等于没有。"
    en += (
        "A bare valve or flange pair counts as about 1 to 1.5 m of bare pipe (trade experience), wrap "
        "those first; outdoors "
        "give the coefficient; wet insulation is none."
    )
    return {"zh": zh, "en": en}
