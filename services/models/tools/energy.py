"""Energy in standard coal."""

from __future__ import annotations

from dataclasses import dataclass

from services.models.tools.answer import ToolAnswer, rounded

KJ_PER_KGCE = 29_307.6


@dataclass(frozen=True)
class Carrier:
    """Coefficient to standard coal and how sure it is."""

    zh: str
    kgce: float
    per: str
    status: str


CARRIERS: dict[str, Carrier] = {
    "electricity_kwh": Carrier("电力（当量值）", 0.1229, "kWh", "sourced"),
    "natural_gas_m3": Carrier("天然气（气田）", 1.2143, "m³", "sourced"),
    "steam_kg": Carrier("低压蒸汽", 0.1286, "kg", "unverified"),
    "heat_gj": Carrier("热力（当量值）", 34.12, "GJ", "sourced"),
    "raw_coal_kg": Carrier("原煤", 0.7143, "kg", "sourced"),
    "diesel_kg": Carrier("柴油", 1.4571, "kg", "experience"),
    "lpg_kg": Carrier("液化石油气", 1.7143, "kg", "experience"),
    "fresh_water_t": Carrier("新水（2020 版系数）", 0.2571, "t", "unverified"),
    "compressed_air_m3": Carrier("压缩空气", 0.0400, "m³", "unverified"),
}
"""Reference coefficients of GB/T 2589; unverified ones are to be checked against the edition in force."""


def coal_equivalent(
    electricity_kwh: float,
    natural_gas_m3: float,
    steam_kg: float,
    heat_gj: float,
    raw_coal_kg: float,
    diesel_kg: float,
    lpg_kg: float,
    fresh_water_t: float,
    compressed_air_m3: float,
    electricity_kgce_per_kwh: float,
) -> ToolAnswer:
    """Consumption converted to standard coal: sum of amount times coefficient (kgce).

    Amounts in the units of their names. `electricity_kgce_per_kwh` is 0.1229 for the calorific value (当量值); the
    equivalent value (等价值) of the year goes here when a report asks for it. 1 kgce = 29,307.6 kJ.
    Source: GB/T 2589, method and reference coefficients.
    """
    amounts = {
        "electricity_kwh": electricity_kwh, "natural_gas_m3": natural_gas_m3, "steam_kg": steam_kg, "heat_gj": heat_gj,
        "raw_coal_kg": raw_coal_kg, "diesel_kg": diesel_kg, "lpg_kg": lpg_kg, "fresh_water_t": fresh_water_t,
        "compressed_air_m3": compressed_air_m3,
    }  # fmt: skip
    parts = {name: amount * CARRIERS[name].kgce for name, amount in amounts.items()}
    parts["electricity_kwh"] = electricity_kwh * electricity_kgce_per_kwh
    total = sum(parts.values())
    if total <= 0:
        raise ValueError("至少填一种能源的用量 / give the amount of at least one energy carrier")
    outputs = {"total_kgce": rounded(total), "total_tce": rounded(total / 1000)}
    outputs |= {f"{name.rsplit('_', 1)[0]}_kgce": rounded(value) for name, value in parts.items()}
    unsure = [CARRIERS[name].zh for name, amount in amounts.items() if amount and CARRIERS[name].status == "unverified"]
    notes = []
    if unsure:
        notes.append(
            {
                "zh": f"{'、'.join(unsure)} 的系数待核实：低压蒸汽系数含锅炉损失，新水系数随版次不同；"
                "有焓值时请按热力填写。",
                "en": f"The coefficient of {', '.join(unsure)} is to be verified; with enthalpies at hand enter heat.",
            }
        )
    return ToolAnswer(outputs, tuple(notes))
