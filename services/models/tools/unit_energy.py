"""Energy and carbon dioxide of one unit of product."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.energy import CARRIERS, KJ_PER_KGCE
from services.models.tools.figures import written
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive

HEAT_KGCE_GJ = CARRIERS["heat_gj"].kgce
CALORIFIC_KGCE_KWH = CARRIERS["electricity_kwh"].kgce
STATUS = {"reference": "参考值 reference", "unverified": "待核实 to be verified", "own": "自填 own"}
TITLES: dict[str, tuple[str, str]] = {
    "electricity": ("电力", "electricity"), "gas": ("天然气", "natural gas"), "steam": ("蒸汽", "steam"),
    "heat": ("外购热", "heat"), "coal": ("原煤", "coal"), "diesel": ("柴油", "diesel"), "lpg": ("液化石油气", "LPG"),
}  # fmt: skip
FACTOR_UNITS = {"electricity": "kgCO₂/kWh", "gas": "kgCO₂/GJ", "steam": "kgCO₂/GJ", "heat": "kgCO₂/GJ"}


@dataclass(frozen=True)
class CarbonFactor:
    """Usual emission factor (kgCO2 per unit), of which year, and how sure."""

    kgco2: float
    year: str
    status: str


CARBON: dict[str, CarbonFactor] = {
    "electricity": CarbonFactor(0.5366, "2022", "reference"),
    "gas": CarbonFactor(55.53, "2017", "unverified"),
    "heat": CarbonFactor(110.0, "-", "unverified"),
    "coal": CarbonFactor(1.9003, "-", "unverified"),
    "diesel": CarbonFactor(3.0959, "-", "unverified"),
    "lpg": CarbonFactor(3.1013, "-", "unverified"),
}
"""Electricity per kWh (average of China for 2022), natural gas and heat per GJ, fuels per kg. 55.53 kgCO2/GJ is the
factor of 2.162 kgCO2/m3 at 38,931 kJ/m3. Coal, diesel and LPG as in the lists for provincial inventories."""


@dataclass(frozen=True)
class Part:
    """What one carrier adds."""

    name: str
    amount: float
    unit: str
    kgce: float
    kgco2: float
    factor: float
    year: str
    status: str


def unit_energy(
    output: float,
    electricity_kwh: float,
    natural_gas_m3: float,
    steam_t: float,
    heat_gj: float,
    raw_coal_kg: float,
    diesel_kg: float,
    lpg_kg: float,
    electricity_kgce_kwh: float,
    gas_kj_m3: float,
    steam_gj_t: float,
    electricity_kgco2_kwh: float,
    gas_kgco2_gj: float,
    heat_kgco2_gj: float,
    coal_kgco2_kg: float,
    diesel_kgco2_kg: float,
    lpg_kgco2_kg: float,
    baseline_kgce: float,
) -> ToolAnswer:
    """Energy and CO2 per unit of product: E = sum(e_i p_i) / output, CO2 = sum(e_i f_i).

    Arguments: output in the user's own unit; amounts in the units of their names; electricity to standard coal
    (kgce/kWh; 0.1229 is the calorific value), heating value of gas (kJ/m3), heat of a tonne of steam (GJ/t) above its
    feed water; emission factors; a baseline (kgce per unit of product; 0 for none). Returns kgce_per_unit,
    kgco2_per_unit, kgce, tce, tco2, kwh_per_unit, electricity_share_percent and, with a baseline, change_percent.
    Raises ValueError without output or without any energy.
    Source: GB/T 2589, method; gas and steam count by their heat, so that coal and CO2 rest on one figure.
    """
    amounts = {
        "electricity": electricity_kwh, "gas": natural_gas_m3, "steam": steam_t, "heat": heat_gj, "coal": raw_coal_kg,
        "diesel": diesel_kg, "lpg": lpg_kg,
    }  # fmt: skip
    factors = {
        "electricity": electricity_kgco2_kwh, "gas": gas_kgco2_gj, "heat": heat_kgco2_gj, "coal": coal_kgco2_kg,
        "diesel": diesel_kgco2_kg, "lpg": lpg_kgco2_kg,
    }  # fmt: skip
    refuse_unless_positive(
        ("产量", "the output", output),
        ("天然气低位热值", "the heating value of gas", gas_kj_m3),
        ("每吨汽热量", "the heat of a tonne of steam", steam_gj_t),
        ("电力折标系数", "the coefficient of electricity", electricity_kgce_kwh),
    )
    _refuse_negatives(amounts, factors, baseline_kgce)
    used = [part for part in _parts(amounts, factors, electricity_kgce_kwh, gas_kj_m3, steam_gj_t) if part.amount > 0]
    if not used:
        raise ValueError("至少填一种能源的用量 / give the amount of at least one energy carrier")
    coal, carbon = sum(part.kgce for part in used), sum(part.kgco2 for part in used)
    outputs = {
        "kgce_per_unit": rounded(coal / output), "kgco2_per_unit": rounded(carbon / output), "kgce": rounded(coal),
        "tce": rounded(coal / 1000), "tco2": rounded(carbon / 1000), "kwh_per_unit": rounded(electricity_kwh / output),
        "electricity_share_percent": rounded(100 * electricity_kwh * electricity_kgce_kwh / coal),
    }  # fmt: skip
    if baseline_kgce > 0:
        outputs["change_percent"] = rounded((coal / output / baseline_kgce - 1) * 100)
    notes = (_energy_note(outputs, used, electricity_kgce_kwh), _carbon_note(used))
    return ToolAnswer(outputs, notes, tables=(_table(used, coal),))


def _refuse_negatives(amounts: Mapping[str, float], factors: Mapping[str, float], baseline: float) -> None:
    refuse_if_negative(("基准", "the baseline", baseline))
    refuse_if_negative(*((*TITLES[name], amount) for name, amount in amounts.items()))
    refuse_if_negative(
        *(
            (f"{TITLES[name][0]}排放因子", f"the emission factor of {TITLES[name][1]}", each)
            for name, each in factors.items()
        )
    )


def _parts(
    amounts: Mapping[str, float], factors: Mapping[str, float], kgce_kwh: float, gas_kj_m3: float, steam_gj_t: float
) -> Iterator[Part]:
    gas_gj, steam_gj = amounts["gas"] * gas_kj_m3 / 1e6, amounts["steam"] * steam_gj_t
    counted = {
        "electricity": (amounts["electricity"], amounts["electricity"] * kgce_kwh, "kWh"),
        "gas": (gas_gj, gas_gj * 1e6 / KJ_PER_KGCE, "m³"),
        "steam": (steam_gj, steam_gj * HEAT_KGCE_GJ, "t"),
        "heat": (amounts["heat"], amounts["heat"] * HEAT_KGCE_GJ, "GJ"),
    }
    for name in ("coal", "diesel", "lpg"):
        coefficient = CARRIERS["raw_coal_kg" if name == "coal" else f"{name}_kg"].kgce
        counted[name] = (amounts[name], amounts[name] * coefficient, "kg")
    for name, (basis, kgce, unit) in counted.items():
        key = "heat" if name == "steam" else name
        factor = factors[key]
        known = CARBON[key]
        status, year = (known.status, known.year) if factor == known.kgco2 else ("own", "-")
        yield Part(name, amounts[name], unit, kgce, basis * factor, factor, year, status)


def _energy_note(outputs: Mapping[str, float], used: Sequence[Part], electricity: float) -> dict[str, str]:
    largest = max(used, key=lambda part: part.kgce)
    share = 100 * largest.kgce / outputs["kgce"]
    zh = (
        f"单位产品 {written(outputs['kgce_per_unit'])} kgce、{written(outputs['kgco2_per_unit'])} kgCO₂；"
        f"{TITLES[largest.name][0]}占 {share:.0f} %。"
    )
    en = (
        f"{written(outputs['kgce_per_unit'])} kgce and {written(outputs['kgco2_per_unit'])} kgCO₂ per unit of product; "
        f"{TITLES[largest.name][1]} makes {share:.0f} %. "
    )
    change = outputs.get("change_percent")
    if change is not None:
        zh += (
            f"比基准{'高' if change > 0 else '低'} {abs(change):.1f} %：先核对产量口径、产品结构和计量时段，再谈节能。"
        )
        en += (
            f"{abs(change):.1f} % {'above' if change > 0 else 'below'} the baseline: check output, product "
            "mix and metered "
            "hours before calling it a saving. "
        )
    if any(part.name == "electricity" for part in used):
        if electricity == CALORIFIC_KGCE_KWH:
            zh += "电力按当量值 0.1229 kgce/kWh 折算；要等价值请填当年系数。"
            en += (
                "Electricity counts by its calorific value of 0.1229 kgce/kWh; enter the year's equivalent "
                "value if asked."
            )
        else:
            zh += f"电力按自填的 {electricity:g} kgce/kWh 折算，报表写明是等价值及年份。"
            en += f"Electricity counts with your {electricity:g} kgce/kWh: state it and its year in reports."
    return {"zh": zh, "en": en.strip()}


def _carbon_note(used: Sequence[Part]) -> dict[str, str]:
    unsure = [part.name for part in used if part.status == "unverified"]
    zh, en = "排放因子的年份和状态见表，可改；", "Years and status of the emission factors are in the table; "
    if unsure:
        zh += f"{'、'.join(TITLES[name][0] for name in unsure)}的因子待核实，"
        en += f"those of {', '.join(TITLES[name][1] for name in unsure)} are to be verified; "
    zh += "正式报告用核算指南当年的值。这里只是能源活动，不含工艺排放和外购材料。"
    en += "reports take the year's own. Energy only, without process emissions and bought material."
    return {"zh": zh, "en": en}


def _table(used: Sequence[Part], coal: float) -> dict[str, Any]:
    names = (
        ("carrier", "能源", "Carrier", ""), ("amount", "用量", "Amount", ""), ("unit", "单位", "Unit", ""),
        ("kgce", "折标煤", "Standard coal", "kgce"), ("share", "占比", "Share", "%"), ("kgco2", "排放", "CO₂", "kgCO₂"),
        ("factor", "排放因子", "Emission factor", ""), ("factor_unit", "因子单位", "Unit of factor", ""),
        ("year", "因子年份", "Year of factor", ""), ("status", "状态", "Status", ""),
    )  # fmt: skip
    rows = [
        [
            " ".join(TITLES[part.name]),
            part.amount,
            part.unit,
            rounded(part.kgce, 2),
            rounded(100 * part.kgce / coal, 2),
            rounded(part.kgco2, 2),
            part.factor,
            FACTOR_UNITS.get(part.name, "kgCO₂/kg"),
            part.year,
            STATUS[part.status],
        ]
        for part in used
    ]
    columns = [{"name": name, "title_zh": zh, "title_en": en, "unit": unit} for name, zh, en, unit in names]
    return {"title_zh": "分能源", "title_en": "By carrier", "columns": columns, "rows": rows}
