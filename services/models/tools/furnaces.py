"""Electricity of heat-treatment furnaces."""

from __future__ import annotations

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive, refuse_unless_share

USUAL_KWH_KG = (0.4, 0.8)
"""Electricity of heat treatment of fasteners; trade experience."""


def furnace_energy(
    charge_kg: float,
    start_c: float,
    end_c: float,
    heat_capacity: float,
    efficiency: float,
    fixture_kg: float,
    measured_kwh: float,
) -> ToolAnswer:
    """Electricity that heats a charge: m cp dT / 3600 / efficiency (kWh); with a metered figure the real efficiency.

    Arguments: parts (kg), temperatures before and after (degC), mean heat capacity (kJ/(kg K)), efficiency (share),
    baskets and fixtures heated along (kg, as steel), electricity metered for this charge (kWh; 0 for none). Returns
    kwh, kwh_per_kg (of parts), useful_kwh, fixture_percent and, when metered, measured_kwh_kg and
    measured_efficiency_percent. Raises ValueError, also when the meter shows less than the heat that is in the steel.
    Source: heat content, textbook; 0.4 to 0.8 kWh/kg is trade experience.
    """
    refuse_unless_positive(("装炉量", "the charge", charge_kg), ("比热", "the heat capacity", heat_capacity))
    refuse_unless_share(("热效率", "the efficiency", efficiency))
    refuse_if_negative(("工装", "the fixtures", fixture_kg), ("实测电量", "the metered electricity", measured_kwh))
    if end_c <= start_c:
        raise ValueError(
            f"终温应高于入炉温度 {start_c:g} ℃，现为 {end_c:g} / the end must be above the start of {start_c:g} °C, got {end_c:g}"
        )
    rise_k = end_c - start_c
    useful = charge_kg * heat_capacity * rise_k / 3600
    heated = (charge_kg + fixture_kg) * heat_capacity * rise_k / 3600
    need = heated / efficiency
    if 0 < measured_kwh < heated:
        raise ValueError(
            f"实测 {measured_kwh:g} kWh 少于钢料本身要的 {heated:.0f} kWh：查电表倍率、时段和装炉量"
            f" / the metered {measured_kwh:g} kWh are less than the {heated:.0f} kWh in the steel: check "
            "meter factor, hours and charge"
        )
    outputs = {
        "kwh": rounded(need),
        "kwh_per_kg": rounded(need / charge_kg),
        "useful_kwh": rounded(useful),
        "fixture_percent": rounded(100 * fixture_kg / (charge_kg + fixture_kg)),
    }
    if measured_kwh > 0:
        outputs["measured_kwh_kg"] = rounded(measured_kwh / charge_kg)
        outputs["measured_efficiency_percent"] = rounded(100 * heated / measured_kwh)
    return ToolAnswer(outputs, (_furnace_note(outputs, efficiency),))


def _furnace_note(outputs: dict[str, float], efficiency: float) -> dict[str, str]:
    low, high = USUAL_KWH_KG
    figure = outputs.get("measured_kwh_kg", outputs["kwh_per_kg"])
    if "measured_kwh_kg" in outputs:
        zh = (
            f"实测 {figure:.3f} kWh/kg，热效率 {outputs['measured_efficiency_percent']:.0f} %（估算时用的是 "
            f"{100 * efficiency:.0f} %）。"
        )
        en = (
            f"Metered {figure:.3f} kWh/kg, an efficiency of {outputs['measured_efficiency_percent']:.0f} % "
            "(assumed were "
            f"{100 * efficiency:.0f} %). "
        )
    else:
        zh = f"估算 {figure:.3f} kWh/kg，一炉 {outputs['kwh']:.0f} kWh。"
        en = f"About {figure:.3f} kWh/kg, {outputs['kwh']:.0f} kWh a charge. "
    if figure > high:
        zh += f"高于热处理常见的 {low:g} 到 {high:g} kWh/kg（行业经验）：先查装炉量不足、空炉保温和炉衬炉门，再查工装重量。"
        en += (
            f"Above the usual {low:g} to {high:g} kWh/kg (trade experience): light charges, idle holding, "
            "lining and doors first, then fixtures."
        )
    elif figure < low:
        zh += f"低于常见的 {low:g} 到 {high:g} kWh/kg（行业经验）：只算升温，保温、回火、清洗和气氛没有在内。"
        en += (
            f"Below the usual {low:g} to {high:g} kWh/kg (trade experience): heating alone, without holding, "
            "tempering, washing and atmosphere."
        )
    else:
        zh += f"在常见的 {low:g} 到 {high:g} kWh/kg 之内（行业经验）。"
        en += f"Within the usual {low:g} to {high:g} kWh/kg (trade experience). "
    if outputs["fixture_percent"] > 0:
        zh += f"工装占加热重量 {outputs['fixture_percent']:.0f} %，换轻料筐直接省。"
        en += f" Fixtures are {outputs['fixture_percent']:.0f} % of what is heated: lighter baskets save at once."
    zh += "跨相变点的比热取平均值 0.65 左右；逐炉记电表才看得出差别。"
    en += " The mean heat capacity through the transformation is about 0.65; only a meter by charge shows differences."
    return {"zh": zh, "en": en.replace("  ", " ")}
