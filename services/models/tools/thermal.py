"""Heat balances of drying machines."""

from __future__ import annotations

from services.models.tools.answer import ToolAnswer, rounded

EVAPORATION_KJ_KG = 2501.0
"""Enthalpy of evaporation of water at 0 degC (kJ/kg)."""
VAPOUR_KJ_KG_K = 1.86
WATER_KJ_KG_K = 4.187
AIR_KJ_KG_K = 1.006
FABRIC_KJ_KG_K = 1.4
HUMIDITY_TARGET = (0.10, 0.16)
"""Water per dry exhaust air (kg/kg) at which stenters are usually run economically; trade experience."""


def stenter_heat_balance(
    fabric_kg_h: float,
    moisture_in: float,
    moisture_out: float,
    exhaust_kg_h: float,
    exhaust_temperature_c: float,
    ambient_temperature_c: float,
    loss_factor: float,
) -> ToolAnswer:
    """Heat demand of a stenter from its mass and heat balance.

    water = fabric (w_in - w_out)                                                        [kg/h]
    heat  = loss (water (2501 + 1.86 T - 4.187 T0) + exhaust 1.006 (T - T0) + fabric 1.4 (T - T0)) / 3600   [kW]

    Arguments: dry fabric (kg/h), moisture in and out (kg water per kg dry fabric), dry exhaust air (kg/h), exhaust and
    ambient temperature (degC), loss factor for walls (1.1 = 10 % more). Returns heat_kw, water_kg_h, the three shares
    in kW and the exhaust humidity (kg/kg). Raises ValueError when no water is to be dried.
    Source: mass and energy balance with standard property values; textbook.
    """
    if moisture_in <= moisture_out:
        raise ValueError("入布带液率应大于出布含水 / moisture in must exceed moisture out")
    if exhaust_temperature_c <= ambient_temperature_c:
        raise ValueError("排风温度应高于环境温度 / the exhaust must be warmer than the surroundings")
    water = fabric_kg_h * (moisture_in - moisture_out)
    rise = exhaust_temperature_c - ambient_temperature_c
    per_kg = EVAPORATION_KJ_KG + VAPOUR_KJ_KG_K * exhaust_temperature_c - WATER_KJ_KG_K * ambient_temperature_c
    evaporation = water * per_kg / 3600
    air = exhaust_kg_h * AIR_KJ_KG_K * rise / 3600
    fabric = fabric_kg_h * FABRIC_KJ_KG_K * rise / 3600
    heat = loss_factor * (evaporation + air + fabric)
    humidity = water / exhaust_kg_h
    outputs = {
        "heat_kw": rounded(heat),
        "water_kg_h": rounded(water),
        "evaporation_kw": rounded(evaporation),
        "exhaust_air_kw": rounded(air),
        "fabric_kw": rounded(fabric),
        "loss_kw": rounded(heat - evaporation - air - fabric),
        "exhaust_humidity": rounded(humidity),
        "kwh_per_kg_fabric": rounded(heat / fabric_kg_h),
    }
    return ToolAnswer(outputs, (_humidity_note(humidity, water, exhaust_kg_h, rise, loss_factor),))


def _humidity_note(humidity: float, water: float, exhaust: float, rise: float, loss: float) -> dict[str, str]:
    low, high = HUMIDITY_TARGET
    if humidity < low:
        wanted = water / low
        saved = loss * (exhaust - wanted) * AIR_KJ_KG_K * rise / 3600
        return {
            "zh": f"排风含湿 {humidity:.4f} kg/kg，低于常用的 {low:.2f}–{high:.2f}：排风偏干，风量可以减。"
            f"减到 {wanted:.0f} kg/h（含湿 {low:.2f}）约少用 {saved:.0f} kW；先确认油烟和安全排风要求。",
            "en": f"Exhaust humidity {humidity:.4f} kg/kg is below the usual {low:.2f} to {high:.2f}: the exhaust is "
            f"too dry and the air flow can be cut. At {wanted:.0f} kg/h (humidity {low:.2f}) about {saved:.0f} kW less "
            "is needed; check fume and safety ventilation first.",
        }
    if humidity > high:
        return {
            "zh": f"排风含湿 {humidity:.4f} kg/kg，高于常用的 {low:.2f}–{high:.2f}：注意烘干能力和冷凝滴油。",
            "en": f"Exhaust humidity {humidity:.4f} kg/kg is above the usual {low:.2f} to {high:.2f}: mind drying "
            "capacity and condensation.",
        }
    return {
        "zh": f"排风含湿 {humidity:.4f} kg/kg，在常用的 {low:.2f}–{high:.2f} 之内。",
        "en": f"Exhaust humidity {humidity:.4f} kg/kg lies within the usual {low:.2f} to {high:.2f}.",
    }
