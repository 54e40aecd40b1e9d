"""Acceptance sampling by attributes: single plans for normal inspection."""

from __future__ import annotations

from math import exp, lgamma, log, log1p

from services.models.tools.answer import ToolAnswer, rounded

LOT_ENDS = (8, 15, 25, 50, 90, 150, 280, 500, 1200, 3200, 10_000, 35_000, 150_000, 500_000)
"""Last lot size of each row of the table of code letters; the last row has no end."""
LETTERS_OF_LEVEL: dict[str, str] = {
    "S-1": "AAAABBBBCCCCDDD", "S-2": "AAABBBCCCDDDEEE", "S-3": "AABBCCDDEEFFGGH", "S-4": "AABCCDEEFGGHJJK",
    "I": "AABCCDEFGHJKLMN", "II": "ABCDEFGHJKLMNPQ", "III": "BCDEFGHJKLMNPQR",
}  # fmt: skip
LETTERS = "ABCDEFGHJKLMNPQR"
SAMPLE_SIZE: dict[str, int] = dict(
    zip(LETTERS, (2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800, 1250, 2000), strict=True)
)
ACCEPT: dict[str, dict[str, int]] = {
    "0.40": {"G": 0, "K": 1, "L": 2, "M": 3, "N": 5, "P": 7, "Q": 10, "R": 14},
    "0.65": {"F": 0, "J": 1, "K": 2, "L": 3, "M": 5, "N": 7, "P": 10, "Q": 14, "R": 21},
    "1.0": {"E": 0, "H": 1, "J": 2, "K": 3, "L": 5, "M": 7, "N": 10, "P": 14, "Q": 21},
    "1.5": {"D": 0, "G": 1, "H": 2, "J": 3, "K": 5, "L": 7, "M": 10, "N": 14, "P": 21},
    "2.5": {"C": 0, "F": 1, "G": 2, "H": 3, "J": 5, "K": 7, "L": 10, "M": 14, "N": 21},
    "4.0": {"B": 0, "E": 1, "F": 2, "G": 3, "H": 5, "J": 7, "K": 10, "L": 14, "M": 21},
    "6.5": {"A": 0, "D": 1, "E": 2, "F": 3, "G": 5, "H": 7, "J": 10, "K": 14, "L": 21},
}
"""AQL -> letter -> acceptance number of the plans that the table prints; the other cells are arrows."""
SWITCHING = {
    "zh": "正常检验转加严：连续 5 批或更少批里有 2 批初检不接收；加严转正常：连续 5 批接收；加严累计 5 批不接收：停，先改过程。",
    "en": "To tightened when 2 of 5 or fewer lots in a row are not accepted at first; back to normal after 5 accepted in a "
    "row; stop and mend the process after 5 not accepted under tightened inspection.",
}


def sampling_plan(lot_size: float, aql: str, level: str) -> ToolAnswer:
    """Single sampling plan for normal inspection: letter, sample, acceptance and rejection number.

    The lot and the level give the code letter. Where the table has an arrow, the plan it points to holds with that plan's
    own sample size: below the Ac 0 plan down to it; of the two letters between Ac 0 and Ac 1 the first up to Ac 0, the
    second down to Ac 1; beyond the last plan up to it. A sample that reaches the lot means that every piece is inspected.

    Arguments: lot size (whole, 2 or more), AQL (% nonconforming), level (I, II, III, S-1 to S-4). Returns sample_size,
    accept_number, reject_number, code_letter, plan_letter, and the share of nonconforming pieces that a lot has when it is
    accepted 95 times and 10 times in 100 (%), by the binomial distribution. Raises ValueError.
    Source: GB/T 2828.1 / ISO 2859-1.
    """
    if lot_size != round(lot_size) or lot_size < 2:
        raise ValueError(
            f"批量应为 2 以上的整数，现为 {lot_size:g} / the lot must be a whole number from 2, got {lot_size:g}"
        )
    lot = round(lot_size)
    letter = code_letter(lot, level)
    plan = plan_letter(letter, aql)
    sample, accept = SAMPLE_SIZE[plan], ACCEPT[aql][plan]
    is_whole_lot = sample >= lot
    outputs: dict[str, float | str] = {
        "sample_size": lot if is_whole_lot else sample,
        "accept_number": accept,
        "reject_number": accept + 1,
        "code_letter": letter,
        "plan_letter": plan,
    }
    notes = [_plan_note(lot, outputs, is_whole_lot)]
    if not is_whole_lot:
        often, seldom = (100 * quality_at(chance, sample, accept) for chance in (0.95, 0.10))
        outputs |= {"accepted_95_percent": rounded(often, 4), "accepted_10_percent": rounded(seldom, 4)}
        notes.append(_risk_note(aql, often, seldom))
    notes.append(SWITCHING)
    return ToolAnswer(outputs, tuple(notes))


def code_letter(lot: int, level: str) -> str:
    row = next((place for place, end in enumerate(LOT_ENDS) if lot <= end), len(LOT_ENDS))
    return LETTERS_OF_LEVEL[level][row]


def plan_letter(letter: str, aql: str) -> str:
    """The letter whose plan holds, after the table's arrow if it has one there."""
    plans = ACCEPT[aql]
    if letter in plans:
        return letter
    place = LETTERS.index(letter)
    before = [each for each in plans if LETTERS.index(each) < place]
    after = [each for each in plans if LETTERS.index(each) > place]
    if not before:
        return after[0]
    if not after:
        return before[-1]
    is_first_between = LETTERS.index(before[-1]) == place - 1
    return before[-1] if is_first_between else after[0]


def acceptance(share: float, sample: int, accept: int) -> float:
    """Probability that a sample of a long series with that share of nonconforming pieces has at most `accept`."""
    if share <= 0 or share >= 1:
        return 1.0 if share <= 0 else float(accept >= sample)
    return sum(
        exp(
            lgamma(sample + 1) - lgamma(count + 1) - lgamma(sample - count + 1)
            + count * log(share) + (sample - count) * log1p(-share)
        )
        for count in range(min(accept, sample) + 1)
    )  # fmt: skip


def quality_at(chance: float, sample: int, accept: int) -> float:
    """The share of nonconforming pieces at which a lot is accepted with that chance, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if acceptance(middle, sample, accept) > chance:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _plan_note(lot: int, outputs: dict[str, float | str], is_whole_lot: bool) -> dict[str, str]:
    letter, plan = outputs["code_letter"], outputs["plan_letter"]
    accept, reject = outputs["accept_number"], outputs["reject_number"]
    arrow = ("", "")
    if letter != plan:
        arrow = (
            f"，按箭头改用字码 {plan}，样本量也随之改变",
            f", by the arrow that of {plan} with its own sample size",
        )
    if is_whole_lot:
        return {
            "zh": f"字码 {letter}{arrow[0]}；样本量 {SAMPLE_SIZE[str(plan)]} 不小于批量 {lot}：全检，不合格 {accept} 个及以下接收。",
            "en": f"Code letter {letter}{arrow[1]}; its sample of {SAMPLE_SIZE[str(plan)]} reaches the lot of {lot}: inspect "
            f"every piece, accept at {accept} or fewer.",
        }
    return {
        "zh": f"字码 {letter}{arrow[0]}：随机抽 {outputs['sample_size']} 个，不合格 {accept} 个及以下接收，{reject} 个及以上不接收。",
        "en": f"Code letter {letter}{arrow[1]}: draw {outputs['sample_size']} at random, accept at {accept} or fewer, do not "
        f"accept at {reject} or more.",
    }


def _risk_note(aql: str, often: float, seldom: float) -> dict[str, str]:
    return {
        "zh": f"不良率 {often:.2f} % 的批约 95 % 会接收，{seldom:.1f} % 的批仍有约 10 % 会放过：AQL {aql} 不是“不良不超过 "
        f"{aql} %”的保证，安全和法规特性不要用抽样。",
        "en": f"Lots with {often:.2f} % nonconforming are accepted about 95 times in 100, those with {seldom:.1f} % still about "
        f"10 times: AQL {aql} does not promise at most {aql} %; do not sample for safety or legal characteristics.",
    }
