"""Stock: how much to hold against uncertain demand, and how much to order at once."""

from __future__ import annotations

from math import ceil, floor, sqrt
from statistics import NormalDist

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive

DAYS_A_YEAR = 365.0
INTERMITTENT = {
    "zh": "需求标准差大于均值：多半是间断需求，正态公式不准，按单备料或按最大一次领用定更稳。",
    "en": "The deviation of demand exceeds its mean: demand is probably intermittent, where this formula misleads; buy to "
    "order or hold the largest single issue.",
}


def safety_stock(
    service_factor: float,
    demand_deviation: float,
    lead_days: float,
    daily_demand: float,
    lead_deviation_days: float,
) -> ToolAnswer:
    """Safety stock and reorder point: SS = z sqrt(L s_d^2 + d^2 s_L^2), ROP = d L + SS.

    Arguments: service factor z, standard deviation of the demand of a day (pieces), mean lead time (d), mean demand
    (pieces/d), standard deviation of the lead time (d). Returns safety_pieces, reorder_pieces, cover_days, the cycle
    service level (%) that z means and the share of the variance that comes from the lead time (%). Raises ValueError.
    Source: textbook; demand of different days is taken as independent and normal, lead time as independent of it.
    """
    refuse_unless_positive(
        ("服务水平系数 z", "the service factor z", service_factor), ("提前期", "the lead time", lead_days)
    )
    refuse_if_negative(
        ("日需求标准差", "the deviation of demand", demand_deviation),
        ("日均需求", "the daily demand", daily_demand),
        ("提前期标准差", "the deviation of the lead time", lead_deviation_days),
    )
    if service_factor > 6:
        raise ValueError(
            f"z 是系数不是百分比（95 % 服务水平填 1.65），现为 {service_factor:g}"
            f" / z is a factor, no per cent (1.65 for 95 %), got {service_factor:g}"
        )
    of_demand = lead_days * demand_deviation**2
    of_lead = (daily_demand * lead_deviation_days) ** 2
    stock = service_factor * sqrt(of_demand + of_lead)
    reorder = daily_demand * lead_days + stock
    level = 100 * NormalDist().cdf(service_factor)
    share = 100 * of_lead / (of_demand + of_lead) if of_demand + of_lead else 0.0
    outputs = {
        "safety_pieces": rounded(stock),
        "reorder_pieces": rounded(reorder),
        "service_percent": rounded(level),
        "lead_share_percent": rounded(share),
    }
    if daily_demand > 0:
        outputs["cover_days"] = rounded(stock / daily_demand)
    notes = [
        {
            "zh": f"库存加在途降到 {ceil(reorder - 1e-9)} 件就下单，其中安全库存 {ceil(stock - 1e-9)} 件；"
            f"每次补货前不断货的把握约 {level:.1f} %。",
            "en": f"Order when stock on hand and on order falls to {ceil(reorder - 1e-9)} pieces, {ceil(stock - 1e-9)} of "
            f"them safety stock; about {level:.1f} % of the replenishments then see no shortage.",
        }
    ]
    if stock > 0:
        notes.append(_cause_note(service_factor, of_demand, of_lead, stock))
    if demand_deviation > daily_demand:
        notes.append(INTERMITTENT)
    return ToolAnswer(outputs, tuple(notes))


def _cause_note(factor: float, of_demand: float, of_lead: float, stock: float) -> dict[str, str]:
    if of_lead > of_demand:
        saved = stock - factor * sqrt(of_demand + of_lead / 4)
        return {
            "zh": f"主要原因是交期不准：提前期标准差减一半，安全库存可少约 {saved:.0f} 件。先和供应商谈准时，再谈备货。",
            "en": "Uncertain delivery is the main cause: half the deviation of the lead time saves about "
            f"{saved:.0f} pieces. Talk to the supplier about punctuality before building stock.",
        }
    saved = stock - factor * sqrt(of_demand / 2 + of_lead)
    return {
        "zh": f"主要原因是需求波动：提前期缩短一半，安全库存可少约 {saved:.0f} 件。",
        "en": f"Varying demand is the main cause: half the lead time saves about {saved:.0f} pieces.",
    }


def order_quantity(
    annual_demand: float, order_yuan: float, holding_yuan: float, pack_pieces: float, present_pieces: float
) -> ToolAnswer:
    """Economic order quantity: Q = sqrt(2 D S / H), yearly cost C(Q) = D S / Q + H Q / 2.

    Arguments: demand of a year (pieces), cost of one order (yuan), cost of holding one piece for a year (yuan), pieces of
    a pack that can only be bought whole (1 when any number can), present order (pieces; 0 when none). Returns
    quantity_pieces, the cheapest number of whole packs, orders_per_year, days_between, the yearly cost of ordering and
    holding (yuan) and what the present order costs more. Raises ValueError. Source: Harris and Wilson, textbook; steady
    demand, no discount, delivery at once.
    """
    refuse_unless_positive(
        ("年需求", "the yearly demand", annual_demand),
        ("每次订货费", "the cost of an order", order_yuan),
        ("单位年持有费", "the holding cost", holding_yuan),
        ("包装数", "the pack", pack_pieces),
    )
    refuse_if_negative(("现在的批量", "the present order", present_pieces))

    def cost(quantity: float) -> float:
        return annual_demand * order_yuan / quantity + holding_yuan * quantity / 2

    best = sqrt(2 * annual_demand * order_yuan / holding_yuan)
    packs = max(1, floor(best / pack_pieces))
    whole = min(packs * pack_pieces, (packs + 1) * pack_pieces, key=cost)
    outputs = {
        "quantity_pieces": rounded(best),
        "whole_packs_pieces": rounded(whole),
        "orders_per_year": rounded(annual_demand / best),
        "days_between": rounded(DAYS_A_YEAR * best / annual_demand),
        "cost_yuan": rounded(cost(best), 2),
    }
    low, high = best / 1.25, best * 1.25
    packed = (f"（整包 {whole:.0f} 件）", f" ({whole:.0f} in whole packs)") if pack_pieces > 1 else ("", "")
    notes = [
        {
            "zh": f"每次订 {best:.0f} 件左右{packed[0]}，约 {DAYS_A_YEAR * best / annual_demand:.0f} 天一次。"
            f"曲线很平：{low:.0f} 到 {high:.0f} 件之间，订货加持有的费用最多高 2.5 %，按整托、整车凑即可。",
            "en": f"Order about {best:.0f} pieces{packed[1]}, every {DAYS_A_YEAR * best / annual_demand:.0f} "
            f"days or so. The curve is flat: from {low:.0f} to {high:.0f} pieces ordering and holding cost at most 2.5 % "
            "more, so round to pallets or trucks.",
        }
    ]
    if present_pieces > 0:
        more = cost(present_pieces) - cost(best)
        outputs["present_excess_yuan"] = rounded(more, 2)
        notes.append(_present_note(present_pieces, best, more, more / cost(best)))
    if best > annual_demand:
        notes.append(
            {
                "zh": "算出的批量超过一年需求：看保质期和改版风险，一次最多订一年用量。",
                "en": "The quantity exceeds a year's demand: mind shelf life and revisions, and order a year's use at most.",
            }
        )
    return ToolAnswer(outputs, tuple(notes))


def _present_note(present: float, best: float, more: float, share: float) -> dict[str, str]:
    if share < 0.025:
        return {
            "zh": f"现在每次 {present:.0f} 件，比最省的只多 {100 * share:.1f} %，不用改。",
            "en": f"The present {present:.0f} pieces cost only {100 * share:.1f} % more than the least: leave it.",
        }
    side = ("订得太大，钱压在库存里", "too large, money lies in stock") if present > best else (
        "订得太碎，订货和收货太勤", "too small, orders and receipts are too many"
    )  # fmt: skip
    return {
        "zh": f"现在每次 {present:.0f} 件：{side[0]}，订货加持有一年多花约 {more:.0f} 元（{100 * share:.0f} %）。",
        "en": f"The present {present:.0f} pieces are {side[1]}: ordering and holding cost about {more:.0f} yuan a year "
        f"more ({100 * share:.0f} %).",
    }
