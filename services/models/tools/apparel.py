"""Garment making: what a line sews in a day, and how a roll of cloth is graded."""

from __future__ import annotations

from math import ceil

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive

USUAL_EFFICIENCY = (0.60, 0.95)
"""Efficiency against standard minutes that sewing lines usually reach; trade experience."""
MOST_POINTS_PER_M = 4
"""However many faults lie in one metre."""
HUNDRED_SQUARE_YARDS_M2 = 100 * 0.9144**2


def sewing_capacity(
    sam_min: float, operators: float, shift_min: float, efficiency: float, wanted_pieces: float
) -> ToolAnswer:
    """Pieces that a line sews in a day: operators x minutes x efficiency / SAM.

    Arguments: standard allowed minutes of a piece (min), operators at the machines, working minutes of the day (min),
    efficiency against standard minutes (share), pieces wanted of a day (0 when none). Returns pieces_per_day, per operator
    and per hour, the time between two pieces (s) and, for wanted pieces, operators and efficiency needed. Raises
    ValueError. Source: industrial engineering, textbook; balancing losses are part of the efficiency.
    """
    refuse_unless_positive(
        ("标准工时", "the SAM", sam_min), ("人数", "the operators", operators), ("班分钟", "the minutes", shift_min)
    )
    refuse_if_negative(("目标日产", "the wanted pieces", wanted_pieces))
    if not 0 < efficiency <= 2:
        raise ValueError(
            f"效率按小数填（65 % 填 0.65），现为 {efficiency:g} / the efficiency is a share (0.65 for 65 %), got {efficiency:g}"
        )
    pieces = operators * shift_min * efficiency / sam_min
    outputs = {
        "pieces_per_day": rounded(pieces),
        "pieces_per_operator": rounded(pieces / operators),
        "pieces_per_hour": rounded(60 * pieces / shift_min),
        "interval_s": rounded(60 * shift_min / pieces),
    }
    five_points = operators * shift_min * 0.05 / sam_min
    zh = f"日产约 {pieces:.0f} 件，人均 {pieces / operators:.1f} 件，平均 {60 * shift_min / pieces:.0f} s 出一件；"
    en = f"About {pieces:.0f} pieces a day, {pieces / operators:.1f} for each operator, one every "
    en += f"{60 * shift_min / pieces:.0f} s; "
    zh += f"效率每提高 5 个百分点多 {five_points:.0f} 件。" + _efficiency_said(efficiency)[0]
    en += f"5 points of efficiency more are {five_points:.0f} pieces. " + _efficiency_said(efficiency)[1]
    notes = [{"zh": zh, "en": en}]
    if wanted_pieces > 0:
        needed = wanted_pieces * sam_min / (shift_min * efficiency)
        as_is = wanted_pieces * sam_min / (shift_min * operators)
        outputs |= {"operators_needed": rounded(needed), "efficiency_needed_percent": rounded(100 * as_is)}
        notes.append(_wanted_note(wanted_pieces, pieces, needed, as_is, operators))
    return ToolAnswer(outputs, tuple(notes))


def _efficiency_said(efficiency: float) -> tuple[str, str]:
    low, high = USUAL_EFFICIENCY
    if efficiency < low:
        return (
            f"效率低于常见的 {100 * low:.0f}–{100 * high:.0f} %（行业经验）：新款头几天正常，稳定后仍低就先做平衡和查待料。",
            f"Below the usual {100 * low:.0f} to {100 * high:.0f} % (trade experience): normal in the first days of a style, later look at "
            "balance and at waiting for parts.",
        )
    if efficiency > high:
        return (
            f"效率高于常见的 {100 * low:.0f}–{100 * high:.0f} %（行业经验）：多半是标准工时放宽了，先复测 SAM。",
            f"Above the usual {100 * low:.0f} to {100 * high:.0f} % (trade experience): the SAM is probably loose, time it again.",
        )
    return (
        f"效率在常见的 {100 * low:.0f}–{100 * high:.0f} % 之内（行业经验）。",
        f"Within the usual {100 * low:.0f} to {100 * high:.0f} % (trade experience).",
    )


def _wanted_note(wanted: float, pieces: float, needed: float, as_is: float, operators: float) -> dict[str, str]:
    if wanted <= pieces:
        return {
            "zh": f"目标 {wanted:.0f} 件够做：照现在的效率 {ceil(needed - 1e-9)} 人即可，现有 {operators:g} 人。",
            "en": f"The {wanted:.0f} pieces can be made: {ceil(needed - 1e-9)} operators suffice at this efficiency, there are "
            f"{operators:g}.",
        }
    return {
        "zh": f"目标 {wanted:.0f} 件还差 {wanted - pieces:.0f} 件：照现在的效率要 {ceil(needed - 1e-9)} 人，人不变则效率要到 "
        f"{100 * as_is:.0f} %，否则加班或分线。",
        "en": f"{wanted - pieces:.0f} of the {wanted:.0f} pieces are missing: {ceil(needed - 1e-9)} operators at this efficiency, "
        f"or {100 * as_is:.0f} % with those there are, else overtime or a second line.",
    }


def four_point_grade(points: float, length_m: float, width_m: float, limit: float) -> ToolAnswer:
    """Points per hundred square metres of a roll: points x 100 / (length x width).

    Arguments: points given in all (faults up to 75 mm 1, to 150 mm 2, to 230 mm 3, above 4; at most 4 to a metre), length
    and usable width (m), limit by contract (points/100 m2; 0 when none). Returns points_per_100m2, the same per hundred
    square yards, the points that the limit allows and those to spare. Raises ValueError for more points than the length
    can have. Source: ASTM D5430.
    """
    refuse_unless_positive(("匹长", "the length", length_m), ("幅宽", "the width", width_m))
    refuse_if_negative(("总扣分", "the points", points), ("判等界限", "the limit", limit))
    most = MOST_POINTS_PER_M * ceil(length_m - 1e-9)
    if points > most:
        raise ValueError(
            f"每米最多扣 4 分，{length_m:g} m 最多 {most} 分，现为 {points:g}：同一米里的不要重复累加 / "
            f"at most 4 points to a metre, so {most} in {length_m:g} m, got {points:g}"
        )
    area = length_m * width_m
    graded = 100 * points / area
    outputs = {
        "points_per_100m2": rounded(graded),
        "points_per_100yd2": rounded(graded * HUNDRED_SQUARE_YARDS_M2 / 100),
        "points_per_100m": rounded(100 * points / length_m),
    }
    zh = f"每百平方米 {graded:.1f} 分（每百平方码 {graded * HUNDRED_SQUARE_YARDS_M2 / 100:.1f} 分）。"
    en = f"{graded:.1f} points per 100 m2 ({graded * HUNDRED_SQUARE_YARDS_M2 / 100:.1f} per 100 square yards). "
    if limit <= 0:
        zh += "判等界限标准不定，由合同定；先看合同按平方米还是平方码、按单匹还是整批平均。"
        en += "The limit is a matter of the contract, not of the standard: see whether it counts square metres or yards, one "
        en += "roll or the mean of the lot."
        return ToolAnswer(outputs, ({"zh": zh, "en": en},))
    allowed = limit * area / 100
    outputs |= {"allowed_points": rounded(allowed), "spare_points": rounded(allowed - points)}
    if graded <= limit:
        zh += f"不超过界限 {limit:g}，这匹最多可扣 {allowed:.1f} 分，还余 {allowed - points:.1f} 分。"
        en += (
            f"Within the limit of {limit:g}; this roll may have {allowed:.1f} points, {allowed - points:.1f} are left."
        )
    else:
        zh += f"超过界限 {limit:g}：这匹最多可扣 {allowed:.1f} 分，多了 {points - allowed:.1f} 分。先复验幅宽和码长，再按疵点位置查机台，"
        zh += "看开剪哪一段能救回。"
        en += f"Over the limit of {limit:g}: this roll may have {allowed:.1f} points, it has {points - allowed:.1f} more. Measure "
        en += "width and length again, trace the faults to their machine, and see which stretch to cut out."
    return ToolAnswer(outputs, ({"zh": zh, "en": en},))
