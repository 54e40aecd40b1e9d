"""Steam as it is made and used: coal equivalent by enthalpy, boiler efficiency, condensate that comes back."""

from __future__ import annotations

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.energy import CARRIERS, KJ_PER_KGCE
from services.models.tools.refusals import refuse_unless_positive, refuse_unless_share
from services.models.tools.steam import GAUGE_MPA, saturated, steam_kj_kg, water_kj_kg

USUAL_EFFICIENCY: dict[str, tuple[str, float, float]] = {
    "天然气": ("natural gas", 0.90, 0.96), "燃油": ("oil", 0.87, 0.93), "煤": ("coal", 0.75, 0.85),
    "生物质": ("biomass", 0.75, 0.86),
}  # fmt: skip
"""Fuel -> English, usual efficiency of steam boilers on the lower heating value; trade experience."""
MOST_EFFICIENCY = 1.09
"""On the lower heating value a condensing gas boiler can exceed 1, but not this."""
RETURN_FAIR = 0.6
"""Share of condensate from which its return counts as fair; trade experience."""
YES = "是"


def steam_coal_equivalent(
    steam_t: float,
    pressure_mpa: float,
    feed_water_c: float,
    boiler_efficiency: float,
    steam_temperature_c: float,
) -> ToolAnswer:
    """Steam in standard coal by enthalpy: (h_steam - 4.187 t_feed) 1000 t / 29,307.6 / efficiency (kgce).

    Arguments: steam (t), absolute pressure (MPa), feed water (degC), boiler efficiency (share; 1 counts the heat
    alone), temperature of superheated steam (degC; 0 for saturated). Returns kgce, kgce_per_t, heat_gj, steam_kj_kg and
    the saturation temperature (degC). Raises ValueError outside the table (0.1 to 2.0 MPa) and below saturation.
    Source: enthalpy method of GB/T 2589; saturated steam interpolated in a table of IAPWS-IF97 (exact on its points),
    superheated by the equations of region 2.
    """
    refuse_unless_positive(("蒸汽量", "the steam", steam_t))
    refuse_unless_share(("锅炉效率", "the boiler efficiency", boiler_efficiency))
    steam = steam_kj_kg(pressure_mpa, steam_temperature_c)
    heat = steam - water_kj_kg(feed_water_c, pressure_mpa)
    per_t = heat * 1000 / KJ_PER_KGCE / boiler_efficiency
    outputs = {
        "kgce": rounded(per_t * steam_t),
        "kgce_per_t": rounded(per_t),
        "heat_gj": rounded(heat * steam_t / 1000),
        "steam_kj_kg": rounded(steam),
        "saturation_c": rounded(saturated(pressure_mpa).temperature_c),
    }
    return ToolAnswer(outputs, (_coal_note(per_t, pressure_mpa, feed_water_c, boiler_efficiency, steam_temperature_c),))


def _coal_note(
    per_t: float, pressure: float, feed_water_c: float, efficiency: float, temperature_c: float
) -> dict[str, str]:
    gauge = pressure - GAUGE_MPA
    reference = CARRIERS["steam_kg"].kgce * 1000
    off = (per_t / reference - 1) * 100
    kind_zh, kind_en = ("饱和蒸汽", "saturated") if temperature_c == 0 else ("过热蒸汽", "superheated")
    zh = f"{kind_zh}，绝对压力 {pressure:g} MPa（表压 {gauge:.2g} MPa）：每吨 {per_t:.1f} kgce，"
    en = f"{kind_en.capitalize()} steam at {pressure:g} MPa absolute ({gauge:.2g} gauge): {per_t:.1f} kgce per tonne, "
    if efficiency == 1:
        zh += f"只算热量，从 {feed_water_c:g} ℃ 给水算起，不含锅炉损失。"
        en += f"heat alone above feed water of {feed_water_c:g} °C, without boiler losses. "
    else:
        zh += f"已按锅炉效率 {efficiency:g} 折到燃料，从 {feed_water_c:g} ℃ 给水算起。"
        en += f"as fuel at a boiler efficiency of {efficiency:g} above feed water of {feed_water_c:g} °C. "
    zh += f"比参考系数 {reference:.1f} kgce/t（含锅炉损失，待核实）{off:+.0f} %；报表写明用的是焓值法，全年不换口径。"
    en += (
        f"That is {off:+.0f} % against the reference of {reference:.1f} kgce/t (with boiler losses, to be "
        "verified); say "
        "in reports that the enthalpy method was used and keep to it."
    )
    return {"zh": zh, "en": en}


def boiler_efficiency(
    steam_kg_h: float,
    pressure_mpa: float,
    feed_water_c: float,
    fuel: str,
    fuel_per_h: float,
    heating_value_kj: float,
    steam_temperature_c: float,
) -> ToolAnswer:
    """Efficiency of a steam boiler by the direct method: D (h_steam - 4.187 t_feed) / (B Q).

    Arguments: steam (kg/h), absolute pressure (MPa), feed water (degC), fuel by name, fuel (m3/h for gas, else kg/h)
    and its lower heating value (kJ per the same unit), temperature of superheated steam (degC; 0 for saturated).
    Returns efficiency_percent, heat_kw, fuel_per_t and loss_kw. Raises ValueError, also for an efficiency that cannot
    be. Source: direct method of GB/T 10180; the usual bands are trade experience.
    """
    refuse_unless_positive(
        ("蒸发量", "the steam", steam_kg_h), ("燃料量", "the fuel", fuel_per_h),
        ("低位发热量", "the heating value", heating_value_kj),
    )  # fmt: skip
    heat = steam_kg_h * (steam_kj_kg(pressure_mpa, steam_temperature_c) - water_kj_kg(feed_water_c, pressure_mpa))
    efficiency = heat / (fuel_per_h * heating_value_kj)
    if efficiency > MOST_EFFICIENCY:
        raise ValueError(
            f"算出效率 {100 * efficiency:.0f} %，不可能：查蒸汽与燃料是否同一时段、流量计压力温度补偿、热值单位"
            f" / an efficiency of {100 * efficiency:.0f} % cannot be: steam and fuel of the same hours, "
            "compensation of the "
            "flow meter and the unit of the heating value must be checked"
        )
    outputs = {
        "efficiency_percent": rounded(100 * efficiency),
        "heat_kw": rounded(heat / 3600),
        "loss_kw": rounded((fuel_per_h * heating_value_kj - heat) / 3600),
        "fuel_per_t": rounded(fuel_per_h / steam_kg_h * 1000),
    }
    return ToolAnswer(outputs, (_efficiency_note(efficiency, fuel, outputs["fuel_per_t"]),))


def _efficiency_note(efficiency: float, fuel: str, per_t: float) -> dict[str, str]:
    english, low, high = USUAL_EFFICIENCY[fuel]
    unit = "m³" if fuel == "天然气" else "kg"
    zh = f"正平衡效率 {100 * efficiency:.1f} %，每吨汽耗 {fuel} {per_t:.1f} {unit}，"
    en = f"Efficiency {100 * efficiency:.1f} % by the direct method, {per_t:.1f} {unit} of fuel per tonne of steam, "
    band_zh = f"{fuel}锅炉常见的 {100 * low:.0f} 到 {100 * high:.0f} %（按低位热值，行业经验）"
    band_en = f"the usual {100 * low:.0f} to {100 * high:.0f} % of {english} boilers (lower value, trade experience)"
    if efficiency < low:
        saved = (1 - efficiency / low) * 100
        zh += f"低于{band_zh}。提到 {100 * low:.0f} % 可少用燃料约 {saved:.0f} %：先看排烟温度和含氧量，再查排污和低负荷运行。"
        en += (
            f"below {band_en}. Reaching {100 * low:.0f} % saves about {saved:.0f} % of the fuel: look at the flue gas "
            "temperature and oxygen first, then at blowdown and low load."
        )
    elif efficiency > high:
        zh += f"高于{band_zh}：除非有冷凝回收，先校蒸汽流量计和燃料热值再采信。"
        en += f"above {band_en}: unless it condenses, check the steam meter and the heating value first."
    else:
        zh += f"在{band_zh}之内。排污、除氧自用汽另计；至少取稳定负荷 4 小时的累计量。"
        en += f"within {band_en}. Blowdown and own steam count apart; take totals of four steady hours at least."
    return {"zh": zh, "en": en}


def condensate_recovery(
    condensate_kg_h: float,
    steam_pressure_mpa: float,
    tank_pressure_mpa: float,
    return_share: float,
    flash_used: str,
    make_up_c: float,
    hours: float,
    heat_price_yuan_gj: float,
) -> ToolAnswer:
    """Heat in condensate that is returned: m share (h_back - 4.187 t_makeup), and the part that flashes.

    flash = (h'(p1) - h'(p2)) / (h''(p2) - h'(p2)); h_back = h'(p1) with the flash steam used, (1 - flash) h'(p2)
    without, which then also returns only the water that is left. Arguments: condensate (kg/h), absolute pressure before
    the trap and in the tank (MPa), share returned, whether the flash steam is used (是 or 否), make-up water (degC),
    hours a year, heat price (yuan/GJ). Returns heat_kw, saving_gj, saving_yuan, flash_percent, flash_kg_h, lost_kw and
    water_t. Raises ValueError. Source: energy balance, textbook; enthalpies of the saturated table.
    """
    refuse_unless_positive(("凝结水量", "the condensate", condensate_kg_h), ("年运行时间", "the hours", hours))
    refuse_unless_share(("回收率", "the share returned", return_share))
    if heat_price_yuan_gj < 0:
        raise ValueError(
            f"热价不能小于 0，现为 {heat_price_yuan_gj:g} / the heat price must not be below 0, got {heat_price_yuan_gj:g}"
        )
    if tank_pressure_mpa > steam_pressure_mpa:
        raise ValueError(
            f"闪蒸罐压力应不高于疏水前压力 {steam_pressure_mpa:g} MPa，现为 {tank_pressure_mpa:g}"
            f" / the tank cannot be above the {steam_pressure_mpa:g} MPa before the trap, got {tank_pressure_mpa:g}"
        )
    before, tank = saturated(steam_pressure_mpa), saturated(tank_pressure_mpa)
    cold = water_kj_kg(make_up_c, tank_pressure_mpa)
    flash = (before.water_kj_kg - tank.water_kj_kg) / tank.evaporation_kj_kg
    water = 1.0 if flash_used == YES else 1 - flash
    back = before.water_kj_kg - cold if flash_used == YES else water * (tank.water_kj_kg - cold)
    heat = condensate_kg_h * return_share * back / 3600
    whole = condensate_kg_h * (before.water_kj_kg - cold) / 3600
    gigajoules = heat * hours * 0.0036
    outputs = {
        "heat_kw": rounded(heat),
        "saving_gj": rounded(gigajoules),
        "saving_yuan": rounded(gigajoules * heat_price_yuan_gj, 2),
        "flash_percent": rounded(100 * flash),
        "flash_kg_h": rounded(flash * condensate_kg_h),
        "lost_kw": rounded(whole - heat),
        "water_t": rounded(condensate_kg_h * return_share * water * hours / 1000),
    }
    return ToolAnswer(outputs, (_condensate_note(outputs, return_share, flash_used == YES),))


def _condensate_note(outputs: dict[str, float], share: float, used: bool) -> dict[str, str]:
    heat, flash, lost = outputs["heat_kw"], outputs["flash_percent"], outputs["lost_kw"]
    zh = f"回收热量 {heat:.0f} kW，每年 {outputs['saving_gj']:.0f} GJ；凝结水降压闪蒸 {flash:.1f} %（{outputs['flash_kg_h']:.0f} kg/h）。"
    en = (
        f"{heat:.0f} kW come back, {outputs['saving_gj']:.0f} GJ a year; {flash:.1f} % of the condensate flashes "
        f"({outputs['flash_kg_h']:.0f} kg/h). "
    )
    if not used and flash > 0:
        zh += "闪蒸汽现在排空：先看就近有没有低压用汽（除氧、预热水）。"
        en += "The flash steam is vented: look for a low-pressure user near by (deaerator, preheating). "
    if share < RETURN_FAIR:
        zh += f"回收率 {100 * share:.0f} % 偏低（行业经验：能做到 {100 * RETURN_FAIR:.0f} % 以上），还白排 {lost:.0f} kW。"
        en += (
            f"{100 * share:.0f} % returned is low ({100 * RETURN_FAIR:.0f} % and more is usual, trade experience), "
            f"{lost:.0f} kW are still lost. "
        )
    zh += "先查疏水阀漏汽和染缸等直接加热的用点；回水要测电导和油，不合格不得进锅炉。"
    en += "Check leaking traps and direct-steam users first; test conductivity and oil before it goes to the boiler."
    return {"zh": zh, "en": en}
