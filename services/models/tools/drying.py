"""Steam of dyeing and drying, and heat brought back from exhaust air."""

from __future__ import annotations

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive, refuse_unless_share
from services.models.tools.thermal import WATER_KJ_KG_K

FOULING_C = 70.0
"""Temperature of cooled stenter exhaust below which oil and fibre settle on the exchanger; trade experience."""
AIR_KG_M3 = 1.2
FAN_EFFICIENCY = 0.6
"""Of fan, motor and drive together; trade experience."""
USUAL_EFFECTIVENESS = (0.4, 0.7)
"""Of plate and tube exchangers in dirty exhaust; trade experience."""
USUAL_RATIO = 1.4
"""Steam over water from which a dryer section is worth a look; trade experience."""


def dye_bath_steam(
    bath_l: float,
    start_c: float,
    end_c: float,
    latent_kj_kg: float,
    efficiency: float,
    fabric_kg: float,
    batches_per_day: float,
) -> ToolAnswer:
    """Steam that heats a dye bath: V 4.187 (t2 - t1) / (r efficiency).

    Arguments: water in the machine (L), temperatures before and after (degC), latent heat of the steam (kJ/kg),
    efficiency (share; walls, fabric and losses), fabric (kg; 0 when not wanted), batches a day. Returns steam_kg,
    heat_kwh, t_per_day and, with the fabric, kg_per_kg, liquor_ratio and saved_kg_per_ratio (steam of one less in the
    ratio). Raises ValueError. Source: heat balance, textbook; the fabric's own heat and the holding time are not in it.
    """
    refuse_unless_positive(
        ("水量", "the bath", bath_l),
        ("潜热", "the latent heat", latent_kj_kg),
        ("批次", "the batches", batches_per_day),
    )
    refuse_unless_share(("效率", "the efficiency", efficiency))
    refuse_if_negative(("布重", "the fabric", fabric_kg))
    if end_c <= start_c:
        raise ValueError(
            f"终温应高于初温 {start_c:g} ℃，现为 {end_c:g} / the end must be above the start of {start_c:g} °C, got {end_c:g}"
        )
    heat = bath_l * WATER_KJ_KG_K * (end_c - start_c)
    steam = heat / (latent_kj_kg * efficiency)
    outputs = {
        "steam_kg": rounded(steam),
        "heat_kwh": rounded(heat / 3600),
        "t_per_day": rounded(steam * batches_per_day / 1000),
    }
    zh = f"升温一次用汽 {steam:.0f} kg，一天 {batches_per_day:g} 次 {steam * batches_per_day / 1000:.1f} t。"
    en = (
        f"{steam:.0f} kg of steam heat it once, {steam * batches_per_day / 1000:.1f} t in {batches_per_day:g} "
        "batches a day. "
    )
    if fabric_kg > 0:
        ratio, less = bath_l / fabric_kg, steam / bath_l * fabric_kg
        outputs |= {
            "kg_per_kg": rounded(steam / fabric_kg),
            "liquor_ratio": rounded(ratio),
            "saved_kg_per_ratio": rounded(less),
        }
        zh += f"浴比 1:{ratio:.1f}，每公斤布 {steam / fabric_kg:.2f} kg 汽；浴比每降 1 少用 {less:.0f} kg，减半则这部分减半。"
        en += (
            f"Liquor ratio 1:{ratio:.1f}, {steam / fabric_kg:.2f} kg of steam per kg; each 1 less saves "
            f"{less:.0f} kg, half the "
            "ratio halves this part. "
        )
    zh += "布、缸体、保温时间散热未另计，含在效率里；热回用（冷却水、残液换热）先于换设备。"
    en += (
        "Fabric, machine and holding count in the efficiency; use heat of cooling and spent water before "
        "buying machines."
    )
    return ToolAnswer(outputs, ({"zh": zh, "en": en},))


def dryer_steam(
    dryness_in: float, dryness_out: float, steam_ratio: float, paper_t_h: float, steam_yuan_t: float
) -> ToolAnswer:
    """Water evaporated and steam used in a dryer section: w = d_out / d_in - 1 (kg/kg of paper), steam = w k.

    Arguments: dryness into the dryers and out (shares of solids), steam per water (kg/kg), paper (t/h; 0 for figures
    per kg), price of steam (yuan/t). Returns water_kg_kg, steam_kg_kg, per_point_percent (steam that one point more
    press dryness saves), with paper water_t_h, steam_t_h and yuan_h. Raises ValueError. Source: mass balance, textbook.
    """
    refuse_unless_share(("入干度", "the dryness in", dryness_in), ("出干度", "the dryness out", dryness_out))
    refuse_if_negative(("产量", "the paper", paper_t_h), ("蒸汽价", "the price of steam", steam_yuan_t))
    if dryness_out <= dryness_in:
        raise ValueError(
            f"出干度应高于入干度 {dryness_in:g}，现为 {dryness_out:g}"
            f" / the dryness out must exceed {dryness_in:g}, got {dryness_out:g}"
        )
    if steam_ratio < 1:
        raise ValueError(
            f"汽水比不能小于 1（蒸发 1 kg 水至少约 1 kg 汽），现为 {steam_ratio:g}"
            f" / the steam ratio cannot be below 1 (about a kg of steam per kg of water), got {steam_ratio:g}"
        )
    water = dryness_out / dryness_in - 1
    drier = dryness_out / (dryness_in + 0.01) - 1
    point = (1 - drier / water) * 100 if drier > 0 else 100.0
    outputs = {
        "water_kg_kg": rounded(water),
        "steam_kg_kg": rounded(water * steam_ratio),
        "per_point_percent": rounded(point),
    }
    zh = f"每公斤纸蒸发 {water:.3f} kg 水、用汽 {water * steam_ratio:.2f} kg。出压榨干度每提高 1 个点，烘缸用汽约少 {point:.1f} %。"
    en = (
        f"{water:.3f} kg of water and {water * steam_ratio:.2f} kg of steam per kg of paper. Each point of "
        "press dryness saves "
        f"about {point:.1f} % of the dryer steam. "
    )
    if paper_t_h > 0:
        outputs |= {
            "water_t_h": rounded(water * paper_t_h), "steam_t_h": rounded(water * steam_ratio * paper_t_h),
            "yuan_h": rounded(water * steam_ratio * paper_t_h * steam_yuan_t, 2),
        }  # fmt: skip
        zh += f"{paper_t_h:g} t/h 时用汽 {outputs['steam_t_h']:.2f} t/h。"
        en += f"At {paper_t_h:g} t/h that is {outputs['steam_t_h']:.2f} t/h. "
    if steam_ratio > USUAL_RATIO:
        zh += f"汽水比 {steam_ratio:g} 高于 {USUAL_RATIO:g}（行业经验）：查缸内积水、虹吸、疏水阀、封闭罩排风和漏汽。"
        en += (
            f"A ratio above {USUAL_RATIO:g} (trade experience): look at flooded dryers, siphons, traps, hood "
            "air and leaks."
        )
    else:
        zh += "先稳住压榨干度和断纸率，再看通汽罩排风；过干到出干度上限以上也白用汽。"
        en += (
            "Keep press dryness and breaks steady first, then look at the hood; drying beyond the target wastes steam."
        )
    return ToolAnswer(outputs, ({"zh": zh, "en": en},))


def exhaust_heat_recovery(
    exhaust_kg_h: float,
    heat_capacity: float,
    exhaust_c: float,
    fresh_c: float,
    effectiveness: float,
    hours: float,
    heat_price_yuan_gj: float,
    pressure_drop_pa: float,
    price_yuan_kwh: float,
) -> ToolAnswer:
    """Heat brought back from exhaust air: Q = eps m cp (t_hot - t_cold) / 3600 (kW).

    Arguments: exhaust (kg/h), its heat capacity (kJ/(kg K)), temperature of exhaust and fresh air (degC), effectiveness
    of the exchanger on the smaller flow, hours a year, heat price (yuan/GJ), pressure drop it adds (Pa; 0 to leave the
    fans out), electricity price (yuan/kWh). Returns heat_kw, heat_gj, saving_yuan (after the fans), gross_yuan, fan_kw
    and exhaust_after_c. Raises ValueError. Source: effectiveness, textbook; fans at 0.6 efficiency and 1.2 kg/m3.
    """
    refuse_unless_positive(
        ("风量", "the exhaust", exhaust_kg_h),
        ("比热", "the heat capacity", heat_capacity),
        ("年时间", "the hours", hours),
    )
    refuse_unless_share(("换热效能", "the effectiveness", effectiveness))
    refuse_if_negative(
        ("热价", "the heat price", heat_price_yuan_gj), ("阻力", "the pressure drop", pressure_drop_pa),
        ("电价", "the electricity price", price_yuan_kwh),
    )  # fmt: skip
    if exhaust_c <= fresh_c:
        raise ValueError(
            f"排风温度应高于新风 {fresh_c:g} ℃，现为 {exhaust_c:g}"
            f" / the exhaust must be warmer than the fresh air of {fresh_c:g} °C, got {exhaust_c:g}"
        )
    heat = effectiveness * exhaust_kg_h * heat_capacity * (exhaust_c - fresh_c) / 3600
    gigajoules = heat * hours * 0.0036
    gross = gigajoules * heat_price_yuan_gj
    fan = exhaust_kg_h / AIR_KG_M3 / 3600 * pressure_drop_pa / 1000 / FAN_EFFICIENCY
    net = gross - fan * hours * price_yuan_kwh
    after = exhaust_c - effectiveness * (exhaust_c - fresh_c)
    outputs = {
        "heat_kw": rounded(heat), "heat_gj": rounded(gigajoules), "saving_yuan": rounded(net, 2),
        "gross_yuan": rounded(gross, 2), "fan_kw": rounded(fan), "exhaust_after_c": rounded(after),
    }  # fmt: skip
    return ToolAnswer(outputs, (_recovery_note(outputs, effectiveness, pressure_drop_pa),))


def _recovery_note(outputs: dict[str, float], effectiveness: float, drop_pa: float) -> dict[str, str]:
    after, (low, high) = outputs["exhaust_after_c"], USUAL_EFFECTIVENESS
    zh = (
        f"回收 {outputs['heat_kw']:.0f} kW，每年 {outputs['heat_gj']:.0f} GJ，净省 {outputs['saving_yuan']:.0f} 元；"
        f"排风降到约 {after:.0f} ℃。"
    )
    en = (
        f"{outputs['heat_kw']:.0f} kW come back, {outputs['heat_gj']:.0f} GJ and "
        f"{outputs['saving_yuan']:.0f} yuan net a year; the "
        f"exhaust leaves at about {after:.0f} °C. "
    )
    if drop_pa == 0:
        zh += "风机多耗的电还没扣，填上换热器阻力再看。"
        en += "The fans are not counted yet: give the pressure drop. "
    elif outputs["saving_yuan"] <= 0:
        zh += "风机多耗的电超过省下的热，不值得做。"
        en += "The fans take more than the heat is worth, it does not pay. "
    if after < FOULING_C:
        zh += f"低于约 {FOULING_C:.0f} ℃（定型排风，行业经验）油烟和纤维会凝结，换热器要能清洗，注意着火。"
        en += (
            f"Below about {FOULING_C:.0f} °C (stenters, trade experience) oil and fibre settle: it must be "
            "cleaned, mind fire. "
        )
    if effectiveness > high:
        zh += f"效能 {effectiveness:g} 高于含尘含油排风常见的 {low:g} 到 {high:g}（行业经验），结垢后达不到。"
        en += (
            f"An effectiveness of {effectiveness:g} is above the usual {low:g} to {high:g} of dirty exhaust "
            "(trade experience). "
        )
    zh += "只有热量同时用得上才算省：先减排风量，再谈回收。"
    en += "It saves only when the heat is used at the same time: cut the exhaust first, then recover."
    return {"zh": zh, "en": en}
