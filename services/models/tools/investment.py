"""What a retrofit pays back."""

from __future__ import annotations

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive

EQUIPMENT_RATE, TECHNOLOGY_RATE, GRANT_CAP_YUAN = 0.10, 0.20, 15_000_000.0
"""Grant of a recognised demonstration project: shares of equipment and of technology and IT spending, and the most.
Jiaxing three-year action plan for intelligent retrofit, 2019 to 2021."""
RECOGNISED = "是"
MOST_YEARS = 100


def retrofit_payback(
    equipment_yuan: float,
    technology_yuan: float,
    annual_benefit_yuan: float,
    discount_rate: float,
    years: float,
    recognised: str,
) -> ToolAnswer:
    """Net present value, payback and internal rate of return of a retrofit after its grant.

    grant = min(0.1 equipment + 0.2 technology, 15 million) when recognised, else 0; net = equipment + technology - grant
    payback = net / benefit; NPV = -net + sum over t = 1..n of benefit / (1 + r)^t; IRR = the r at which NPV is 0

    Arguments: equipment investment, technology and IT spending, yearly net benefit (yuan), discount rate (share), years
    of use (whole), whether the project is recognised as a demonstration project (是 or 否). Returns npv_yuan, grant_yuan,
    net_investment_yuan and, where there is a benefit, payback_years, discounted_payback_years (only within the years)
    and irr_percent. Raises ValueError.
    Source: textbook; grant by the Jiaxing action plan 2019 to 2021.
    """
    refuse_if_negative(
        ("设备投资", "the equipment", equipment_yuan),
        ("技术与信息化投入", "the technology spending", technology_yuan),
        ("年净收益", "the yearly benefit", annual_benefit_yuan),
    )
    refuse_unless_positive(("总投资", "the whole investment", equipment_yuan + technology_yuan))
    if not 0 <= discount_rate < 1:
        raise ValueError(
            f"折现率按小数填（8 % 填 0.08），现为 {discount_rate:g}"
            f" / the discount rate is a share (0.08 for 8 %), got {discount_rate:g}"
        )
    if years != round(years) or not 1 <= years <= MOST_YEARS:
        raise ValueError(
            f"年限应为 1 到 {MOST_YEARS} 的整数，现为 {years:g} / years must be a whole number from 1 to {MOST_YEARS}, got {years:g}"
        )
    count = round(years)
    grant = 0.0
    if recognised == RECOGNISED:
        grant = min(EQUIPMENT_RATE * equipment_yuan + TECHNOLOGY_RATE * technology_yuan, GRANT_CAP_YUAN)
    net = equipment_yuan + technology_yuan - grant
    value = annual_benefit_yuan * annuity(discount_rate, count) - net
    outputs = {
        "npv_yuan": rounded(value, 2), "grant_yuan": rounded(grant, 2), "net_investment_yuan": rounded(net, 2),
        "benefit_needed_yuan": rounded(net / annuity(discount_rate, count), 2),
    }  # fmt: skip
    if annual_benefit_yuan > 0:
        outputs["payback_years"] = rounded(net / annual_benefit_yuan)
        rate = internal_rate(net / annual_benefit_yuan, count)
        if rate is not None:
            outputs["irr_percent"] = rounded(100 * rate, 4)
        discounted = _discounted_payback(net / annual_benefit_yuan, discount_rate, count)
        if discounted is not None:
            outputs["discounted_payback_years"] = rounded(discounted)
    return ToolAnswer(outputs, (_payback_note(outputs, count, discount_rate), _grant_note(grant)))


def annuity(rate: float, years: int) -> float:
    """Present value of 1 at the end of each year."""
    return sum((1 + rate) ** -year for year in range(1, years + 1))


def internal_rate(payback_years: float, years: int) -> float | None:
    """The rate at which the annuity is worth the payback time, by bisection; below 0 when the years do not suffice, None
    when nearly all is lost."""
    low, high = -0.99, max(1.0, 1 / payback_years)
    if annuity(low, years) < payback_years:
        return None
    # For ever, the rate would be 1 / payback; within years it is less, so the root lies between.
    for _ in range(200):
        middle = (low + high) / 2
        if annuity(middle, years) > payback_years:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _discounted_payback(payback_years: float, rate: float, years: int) -> float | None:
    left = payback_years
    for year in range(1, years + 1):
        gained = (1 + rate) ** -year
        if left <= gained:
            return year - 1 + left / gained
        left -= gained
    return None


def _payback_note(outputs: dict[str, float], years: int, rate: float) -> dict[str, str]:
    needed = outputs["benefit_needed_yuan"] / 1e4
    if "payback_years" not in outputs:
        return {
            "zh": f"没有年净收益就收不回投资。{years} 年内保本（折现率 {100 * rate:g} %）每年至少要 {needed:.1f} 万元净收益。",
            "en": f"Without a yearly benefit nothing is paid back. To break even in {years} years at {100 * rate:g} % takes at "
            f"least {needed * 1e4:.0f} yuan a year.",
        }
    payback, value = outputs["payback_years"], outputs["npv_yuan"] / 1e4
    zh = f"静态回收期 {payback:.2f} 年，{years} 年净现值 {value:.1f} 万元"
    en = f"Payback in {payback:.2f} years, net present value over {years} years {value * 1e4:.0f} yuan"
    if "irr_percent" in outputs:
        zh += f"，内部收益率 {outputs['irr_percent']:.1f} %"
        en += f", internal rate of return {outputs['irr_percent']:.1f} %"
    zh, en = zh + "。", en + ". "
    if value < 0:
        zh += f"按 {100 * rate:g} % 折现不划算：每年净收益要到 {needed:.1f} 万元才保本，先做最省钱的那几项。"
        en += f"At {100 * rate:g} % it does not pay: {needed * 1e4:.0f} yuan a year are needed; do the cheapest measures first."
    else:
        zh += f"年净收益降到 {needed:.1f} 万元仍保本：拿这个数去核对最坏情况，收益要扣掉维护、能耗和人工的增加。"
        en += f"It still breaks even at {needed * 1e4:.0f} yuan a year: hold the worst case against that, with more upkeep, "
        en += "energy and labour deducted."
    return {"zh": zh, "en": en.strip()}


def _grant_note(grant: float) -> dict[str, str]:
    if grant <= 0:
        return {
            "zh": "没有计入补助。补助能不能拿到看认定结果，先按没有补助也能收回来决定投不投。",
            "en": "No grant is counted. Whether there is one depends on recognition: decide as if there were none.",
        }
    zh = f"补助 {grant / 1e4:.1f} 万元按嘉兴 2019–2021 年行动计划测算（设备 10 %、技术与信息化 20 %、最高 1500 万元），"
    en = f"The grant of {grant:.0f} yuan follows the Jiaxing action plan of 2019 to 2021 (10 % of equipment, 20 % of "
    en += "technology and IT, 15 million at most), whose term has ended: "
    return {
        "zh": zh + "该计划期限已过，现行政策、含税口径以主管部门为准，不是承诺。",
        "en": en + "ask the authority for the rules in force and whether tax counts. It is no promise.",
    }
