"""Basic charge of an electricity contract and compensation of reactive power."""

from __future__ import annotations

from math import acos, sqrt, tan
from typing import Any

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive

STANDARD_POWER_FACTOR = 0.90
"""Power factor that tariffs usually ask of industry (0.85 for others); by the local contract."""
OVER = 0.98
"""Power factor above which compensation may turn leading at low load; trade experience."""
EVEN = 0.005
"""Difference of the two charges, as a share, below which they count as equal."""


def electricity_demand_charge(
    transformer_kva: float,
    peak_kw: float,
    capacity_yuan_kva: float,
    demand_yuan_kw: float,
    power_kw: float,
    power_factor: float,
    target_power_factor: float,
) -> ToolAnswer:
    """Basic charge by capacity and by highest demand, and the capacitors for a power factor.

    capacity cost = kVA yuan/kVA; demand cost = kW yuan/kW; kvar = P (tan phi1 - tan phi2), 0 when the target is met

    Arguments: transformers (kVA), highest demand of the month (kW), monthly prices (yuan/kVA, yuan/kW), average active
    power (kW), power factor now and wanted. Returns saving_yuan (the difference a month), capacity_yuan, demand_yuan,
    better (容量, 需量 or 相同), break_even_kw, load_percent and kvar; a demand above the capacity is said. Raises
    ValueError. Source: two-part tariff, textbook; prices are local and can be changed.
    """
    refuse_unless_positive(
        ("变压器容量", "the transformers", transformer_kva), ("需量电价", "the demand price", demand_yuan_kw)
    )
    refuse_if_negative(
        ("最大需量", "the highest demand", peak_kw), ("容量电价", "the capacity price", capacity_yuan_kva),
        ("有功功率", "the active power", power_kw),
    )  # fmt: skip
    capacity, demand = transformer_kva * capacity_yuan_kva, peak_kw * demand_yuan_kw
    gap = abs(capacity - demand)
    even = gap <= EVEN * max(capacity, demand)
    better = "相同" if even else "需量" if demand < capacity else "容量"
    outputs: dict[str, Any] = {
        "saving_yuan": rounded(0.0 if even else gap, 2),
        "better": better,
        "capacity_yuan": rounded(capacity, 2),
        "demand_yuan": rounded(demand, 2),
        "break_even_kw": rounded(capacity / demand_yuan_kw),
        "load_percent": rounded(100 * peak_kw / transformer_kva),
        "kvar": rounded(_kvar(power_kw, power_factor, target_power_factor)),
    }
    return ToolAnswer(outputs, _charge_notes(outputs, power_factor, target_power_factor))


def _kvar(power_kw: float, before: float, after: float) -> float:
    _check_factors(before, after)
    return max(0.0, power_kw * (tan(acos(before)) - tan(acos(after))))


def _check_factors(before: float, after: float) -> None:
    for zh, en, value in (("现功率因数", "the present power factor", before), ("目标功率因数", "the target", after)):
        if not 0.1 <= value <= 1:
            raise ValueError(
                f"{zh}按小数填，应在 0.1 到 1 之间，现为 {value:g} / {en} is a share between 0.1 and 1, got {value:g}"
            )


def _charge_notes(outputs: dict[str, Any], before: float, after: float) -> tuple[dict[str, str], ...]:
    gap, even_kw = outputs["saving_yuan"], outputs["break_even_kw"]
    if outputs["better"] == "相同":
        zh, en = "两种方式基本一样：", "Both ways cost about the same: "
    elif outputs["better"] == "需量":
        zh, en = f"按需量每月少 {gap:.0f} 元：", f"By demand it is {gap:.0f} yuan a month less: "
    else:
        zh, en = f"按容量每月少 {gap:.0f} 元：", f"By capacity it is {gap:.0f} yuan a month less: "
    zh += f"平衡点 {even_kw:.0f} kW，最大需量低于它选需量。按 12 个月的最大需量算，再看当地多久才能改一次。"
    en += (
        f"they meet at {even_kw:.0f} kW, demand is better below. Compute it for the twelve months and see "
        "how often the "
        "local rules allow a change."
    )
    if outputs["load_percent"] > 100:
        zh += f"最大需量是变压器容量的 {outputs['load_percent']:.0f} %：先核对互感器倍率，属实就是变压器超载。"
        en += (
            f" The demand is {outputs['load_percent']:.0f} % of the transformers: check the meter's factor "
            "first, if true they "
            "are overloaded."
        )
    first = {"zh": zh, "en": en}
    kvar = outputs["kvar"]
    if before < STANDARD_POWER_FACTOR:
        zh = f"功率因数 {before:.2f} 低于常用考核值 {STANDARD_POWER_FACTOR:.2f}（部分用户 0.85，以合同为准），可能加收力调电费；"
        en = (
            f"A power factor of {before:.2f} is below the usual {STANDARD_POWER_FACTOR:.2f} (0.85 for "
            "some, by the contract) "
            "and may be charged; "
        )
    else:
        zh, en = (
            f"功率因数 {before:.2f} 不低于常用考核值 {STANDARD_POWER_FACTOR:.2f}；",
            f"A power factor of {before:.2f} meets the usual {STANDARD_POWER_FACTOR:.2f}; ",
        )
    if before >= after:
        zh, en = zh + "已达目标，不需补偿。", en + "the target is met, no capacitors are needed."
    else:
        zh += f"提到 {after:.2f} 需补偿 {kvar:.0f} kvar。"
        en += f"{after:.2f} takes {kvar:.0f} kvar."
    return first, {"zh": zh, "en": en}


def power_factor_correction(
    power_kw: float,
    power_factor: float,
    target_power_factor: float,
    voltage_v: float,
    capacitor_v: float,
) -> ToolAnswer:
    """Capacitors for a power factor: Q = P (tan phi1 - tan phi2), at the capacitors' own voltage Q (Uc / U)^2.

    Arguments: active power (kW), power factor before and after, voltage of the net and rated voltage of the capacitors
    (V). Returns kvar, rated_kvar, current_before_a, current_after_a (three phases), loss_less_percent (of the lines)
    and released_kva. Raises ValueError. Source: power triangle, textbook (general engineering).
    """
    refuse_unless_positive(
        ("有功功率", "the active power", power_kw), ("电压", "the voltage", voltage_v),
        ("电容额定电压", "the rated voltage of the capacitors", capacitor_v),
    )  # fmt: skip
    _check_factors(power_factor, target_power_factor)
    if target_power_factor <= power_factor:
        raise ValueError(
            f"目标功率因数应高于现在的 {power_factor:g}，现为 {target_power_factor:g}"
            f" / the target must exceed the present {power_factor:g}, got {target_power_factor:g}"
        )
    if capacitor_v < voltage_v:
        raise ValueError(
            f"电容额定电压应不低于网压 {voltage_v:g} V，现为 {capacitor_v:g}"
            f" / capacitors must be rated for the {voltage_v:g} V of the net at least, got {capacitor_v:g}"
        )
    kvar = _kvar(power_kw, power_factor, target_power_factor)
    before, after = power_kw / power_factor, power_kw / target_power_factor
    outputs = {
        "kvar": rounded(kvar),
        "rated_kvar": rounded(kvar * (capacitor_v / voltage_v) ** 2),
        "current_before_a": rounded(before * 1000 / (sqrt(3) * voltage_v)),
        "current_after_a": rounded(after * 1000 / (sqrt(3) * voltage_v)),
        "loss_less_percent": rounded((1 - (power_factor / target_power_factor) ** 2) * 100),
        "released_kva": rounded(before - after),
    }
    zh = (
        f"补 {kvar:.0f} kvar，按 {capacitor_v:g} V 电容铭牌要 {outputs['rated_kvar']:.0f} kvar；电流从 "
        f"{outputs['current_before_a']:.0f} "
        f"降到 {outputs['current_after_a']:.0f} A，补偿点以上线损少 {outputs['loss_less_percent']:.0f} %，腾出 "
        f"{outputs['released_kva']:.0f} kVA。"
    )
    en = (
        f"{kvar:.0f} kvar, {outputs['rated_kvar']:.0f} kvar on the plates of {capacitor_v:g} V capacitors; "
        "the current falls from "
        f"{outputs['current_before_a']:.0f} to {outputs['current_after_a']:.0f} A, line losses upstream by "
        f"{outputs['loss_less_percent']:.0f} %, {outputs['released_kva']:.0f} kVA are released. "
    )
    if target_power_factor > OVER:
        zh += f"目标高于 {OVER:g}：轻载时容易过补偿（行业经验），定 0.95 左右并分组投切。"
        en += f"Above {OVER:g} it turns leading at low load (trade experience): take about 0.95 and switch in steps. "
    zh += "有变频器、整流器的先测谐波，需要时配电抗器；不能直接接在变频器输出侧。"
    en += (
        "With converters or rectifiers measure harmonics first and add reactors; never connect them behind a converter."
    )
    return ToolAnswer(outputs, ({"zh": zh, "en": en},))
