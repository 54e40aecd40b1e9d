"""Placing and soldering electronics: yield of a board, floor life of its parts, takt of its line."""

from __future__ import annotations

from math import exp, floor, log

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive, refuse_unless_share

USUAL_FIRST_PASS = (90.0, 99.5)
"""First-pass yield of boards (%); trade experience."""
USUAL_CPH_SHARE = (0.50, 0.80)
"""Real against nominal placements of an hour; trade experience."""
FLOOR_LIFE_H: dict[str, float | None] = {
    "1": None, "2": 8760.0, "2a": 672.0, "3": 168.0, "4": 72.0, "5": 48.0, "5a": 24.0, "6": None,
}  # fmt: skip
"""Floor life at 30 degC and 60 % (level 1 at 85 %) by moisture sensitivity level; none for 1, by the label for 6."""
FLOOR_TEMPERATURE_C, FLOOR_HUMIDITY, FLOOR_HUMIDITY_LEVEL_1 = 30.0, 60.0, 85.0
RESERVE = 0.2
"""Share of the floor life kept in hand; trade experience."""


def smt_yield(dpmo: float, opportunities: float, measured_percent: float, target_percent: float) -> ToolAnswer:
    """First-pass yield of a board from the defects of a million opportunities: exp(-DPMO opportunities / 10^6).

    Arguments: DPMO (ppm), opportunities of a board (joints, or joints and parts: as the DPMO was counted), yield measured
    (%; 0 when none), yield aimed at (%). Returns first_pass_percent, defects_per_board, dpmo_for_target and, from a
    measured yield, dpmo_measured. Raises ValueError. Source: Poisson distribution of independent defects, textbook.
    """
    refuse_if_negative(("DPMO", "the DPMO", dpmo), ("实测直通率", "the measured yield", measured_percent))
    refuse_unless_positive(("机会数", "the opportunities", opportunities), ("目标直通率", "the target", target_percent))
    for zh, en, value in (
        ("实测直通率", "the measured yield", measured_percent),
        ("目标直通率", "the target", target_percent),
    ):
        if value > 100:
            raise ValueError(f"{zh}不能超过 100 %，现为 {value:g} / {en} must not exceed 100 %, got {value:g}")
    defects = dpmo * opportunities / 1e6
    first_pass = 100 * exp(-defects)
    wanted = -log(target_percent / 100) * 1e6 / opportunities
    outputs = {
        "first_pass_percent": rounded(first_pass),
        "defects_per_board": rounded(defects),
        "dpmo_for_target": rounded(wanted),
    }
    low, high = USUAL_FIRST_PASS
    place = ("低于", "below") if first_pass < low else ("高于", "above") if first_pass > high else ("落在", "within")
    zh = f"直通率约 {first_pass:.1f} %，每百块板约 {100 * defects:.1f} 个缺陷；{place[0]}常见的 {low:g}–{high:g} %（行业经验）。"
    en = f"First-pass yield about {first_pass:.1f} %, {100 * defects:.1f} defects in a hundred boards; {place[1]} the usual "
    en += f"{low:g} to {high:g} % (trade experience). "
    if dpmo > wanted:
        zh += f"要到 {target_percent:g} %，DPMO 须从 {dpmo:g} 降到 {wanted:.1f}：先用帕累托挑出缺陷最多的位号和工序。"
        en += f"For {target_percent:g} % the DPMO must fall from {dpmo:g} to {wanted:.1f}: rank places and steps by defects first."
    else:
        zh += f"已达到目标 {target_percent:g} %。"
        en += f"The target of {target_percent:g} % is reached."
    notes = [{"zh": zh, "en": en}]
    if measured_percent > 0:
        measured = -log(measured_percent / 100) * 1e6 / opportunities
        outputs["dpmo_measured"] = rounded(measured)
        notes.append(_measured_note(measured_percent, first_pass, measured, dpmo))
    return ToolAnswer(outputs, tuple(notes))


def _measured_note(measured_percent: float, first_pass: float, measured: float, dpmo: float) -> dict[str, str]:
    zh = f"实测直通率 {measured_percent:g} % 折合 DPMO {measured:.1f}。"
    en = f"The measured {measured_percent:g} % stand for a DPMO of {measured:.1f}. "
    if measured_percent > first_pass + 1:
        zh += "实测比算的好：缺陷扎堆在少数板上，按坏板查比按点查快。"
        en += "That is better than computed: defects crowd on few boards, so trace boards rather than places."
    elif measured_percent < first_pass - 1:
        zh += f"实测比算的差：有缺陷没计入 DPMO（现填 {dpmo:g}），或误报当不良，先核对计数口径。"
        en += f"That is worse than computed: defects are missing in the DPMO of {dpmo:g}, or false calls counted; check how "
        en += "they are counted."
    else:
        zh += "与算的相符。"
        en += "As computed."
    return {"zh": zh, "en": en}


def msl_exposure(
    level: str, exposed_h: float, planned_h: float, temperature_c: float, humidity_percent: float, label_h: float
) -> ToolAnswer:
    """How much of the floor life of a moisture-sensitive part is used up, and whether it must be baked.

    Arguments: level (1 to 6), hours out of the dry pack in all (h), hours that the next run takes (h), highest shop
    temperature (degC) and humidity (%) in that time, floor life on the label (h; for level 6). Returns used_percent,
    must_bake (1 or 0), floor_life_h and remaining_h (left out for level 1, which has no end) and enough_for_run.
    Raises ValueError where the shop was warmer or damper than the table holds for. Source: IPC/JEDEC J-STD-033.
    """
    refuse_if_negative(("已暴露时间", "the exposure", exposed_h), ("下一批用时", "the next run", planned_h))
    highest = FLOOR_HUMIDITY_LEVEL_1 if level == "1" else FLOOR_HUMIDITY
    if temperature_c > FLOOR_TEMPERATURE_C or humidity_percent > highest:
        raise ValueError(
            f"车间寿命只对不超过 30 ℃、{highest:g} %RH 有效，现为 {temperature_c:g} ℃、{humidity_percent:g} %：按 J-STD-033 降额表算，"
            f"或按已用完烘烤 / floor life holds up to 30 °C and {highest:g} %RH, got {temperature_c:g} and "
            f"{humidity_percent:g}: derate by J-STD-033, or bake"
        )
    if level == "1":
        zh = "1 级没有车间寿命限制（不超过 30 ℃、85 %RH），不用计时，也不用烘烤。"
        en = "Level 1 has no floor life up to 30 °C and 85 %RH: neither clock nor baking."
        return ToolAnswer({"used_percent": 0.0, "must_bake": 0, "enough_for_run": 1}, ({"zh": zh, "en": en},))
    life = FLOOR_LIFE_H[level] or label_h
    if life <= 0:
        raise ValueError(
            "6 级用前必须烘烤，并在标签上的时间内回流：请填标签时间 / "
            "level 6 is baked before use and reflowed within the time on its label: give that time"
        )
    remaining = life - exposed_h
    must_bake = exposed_h >= life
    is_enough = not must_bake and planned_h <= remaining
    outputs = {
        "used_percent": rounded(100 * exposed_h / life), "must_bake": int(must_bake), "floor_life_h": life,
        "remaining_h": rounded(max(0.0, remaining)), "enough_for_run": int(is_enough),
    }  # fmt: skip
    return ToolAnswer(outputs, (_exposure_note(level, life, exposed_h, planned_h),))


def _exposure_note(level: str, life: float, exposed: float, planned: float) -> dict[str, str]:
    remaining = life - exposed
    zh = f"{level} 级车间寿命 {life:g} h，已用 {exposed:g} h（{100 * exposed / life:.0f} %）。"
    en = f"Level {level} has a floor life of {life:g} h, {exposed:g} h of it used ({100 * exposed / life:.0f} %). "
    if remaining <= 0:
        zh += "已到期：隔离，按器件规格书和 J-STD-033 烘烤后重新计时，没烘之前不能过回流。"
        en += "Over: hold the parts, bake as data sheet and J-STD-033 say and start the clock anew; no reflow before."
    elif planned > remaining:
        zh += f"剩 {remaining:g} h，不够下一批的 {planned:g} h：换新包，或先烘烤，别卡着点上线。"
        en += f"{remaining:g} h are left, not enough for the {planned:g} h of the next run: take a new pack or bake first."
    elif remaining < RESERVE * life:
        zh += f"只剩 {remaining:g} h，不到两成（行业经验留的余量）：排到最前先用。"
        en += f"Only {remaining:g} h are left, less than the fifth kept in hand (trade experience): use these first."
    else:
        zh += f"还剩 {remaining:g} h，可以用；二次回流和返修也要在这个时间里做完。"
        en += f"{remaining:g} h are left; second reflow and rework must fall within them too."
    if level == "6":
        zh += "6 级每次用前都要先烘烤，时间从烘烤后算。"
        en += " Level 6 is baked before every use; its hours count from then."
    return {"zh": zh, "en": en.strip()}


def smt_takt(
    nominal_cph: float,
    points: float,
    efficiency: float,
    shift_h: float,
    changeovers: float,
    changeover_min: float,
    wanted_boards: float,
) -> ToolAnswer:
    """Seconds of a board on a placing machine, and boards of an hour and a shift with changeovers.

    s = points 3600 / (cph efficiency); boards of a shift = (shift - changeovers x time) / s

    Arguments: nominal placements (1/h), placements of a board, real against nominal speed (share), shift (h),
    changeovers of a shift and minutes of each (min), boards wanted of a shift (0 when none). Returns seconds_per_board,
    boards_per_h_running, boards_per_h, boards_per_shift, changeover_percent and, for wanted boards, takt_s.
    Raises ValueError. Source: arithmetic; the slowest machine of a line counts.
    """
    refuse_unless_positive(
        ("标称速度", "the nominal speed", nominal_cph),
        ("点数", "the placements", points),
        ("班时间", "the shift", shift_h),
    )
    refuse_unless_share(("效率", "the efficiency", efficiency))
    refuse_if_negative(
        ("换线次数", "the changeovers", changeovers), ("每次换线时间", "the changeover", changeover_min),
        ("目标产量", "the wanted boards", wanted_boards),
    )  # fmt: skip
    lost_h = changeovers * changeover_min / 60
    if lost_h >= shift_h:
        raise ValueError(
            f"换线共 {lost_h:g} h，不少于班时间 {shift_h:g} h / changeovers take {lost_h:g} h, all of the shift of {shift_h:g} h"
        )
    seconds = points * 3600 / (nominal_cph * efficiency)
    # The last board of each lot is finished or not begun: a shift makes whole boards.
    boards = floor((shift_h - lost_h) * 3600 / seconds + 1e-9)
    outputs = {
        "seconds_per_board": rounded(seconds), "boards_per_h_running": rounded(3600 / seconds),
        "boards_per_h": rounded(boards / shift_h), "boards_per_shift": boards,
        "changeover_percent": rounded(100 * lost_h / shift_h),
    }  # fmt: skip
    notes = [_pace_note(seconds, boards, shift_h, lost_h, efficiency)]
    if wanted_boards > 0:
        takt = (shift_h - lost_h) * 3600 / wanted_boards
        outputs["takt_s"] = rounded(takt)
        notes.append(_wanted_note(wanted_boards, boards, takt, seconds, shift_h - wanted_boards * seconds / 3600))
    return ToolAnswer(outputs, tuple(notes))


def _pace_note(seconds: float, boards: int, shift_h: float, lost_h: float, efficiency: float) -> dict[str, str]:
    low, high = USUAL_CPH_SHARE
    zh = f"每块 {seconds:.1f} s，一班 {boards} 块，换线占 {100 * lost_h / shift_h:.0f} %。"
    en = f"{seconds:.1f} s a board, {boards} a shift, changeovers take {100 * lost_h / shift_h:.0f} %. "
    if lost_h > 0:
        more = floor(lost_h / 2 * 3600 / seconds)
        zh += f"换线时间减半多 {more} 块（离线备料架、按共用料分组排产）。"
        en += f"Half the changeover time is {more} boards more (feeders set up off line, products grouped by common parts). "
    if efficiency < low:
        zh += f"速度不到标称的 {100 * low:.0f} %（常见 {100 * low:.0f}–{100 * high:.0f} %，行业经验）：查抛料、吸嘴、供料和程序优化。"
        en += f"Less than {100 * low:.0f} % of nominal (usual {100 * low:.0f} to {100 * high:.0f} %, trade experience): look at rejects, nozzles, "
        en += "feeding and the programme."
    elif efficiency > high:
        zh += f"速度高于标称的 {100 * high:.0f} %（常见 {100 * low:.0f}–{100 * high:.0f} %，行业经验）：核对是不是把停机剔除了。"
        en += f"More than {100 * high:.0f} % of nominal (usual {100 * low:.0f} to {100 * high:.0f} %, trade experience): check that stops are counted."
    return {"zh": zh, "en": en.strip()}


def _wanted_note(wanted: float, boards: int, takt: float, seconds: float, free_h: float) -> dict[str, str]:
    if wanted <= boards:
        return {
            "zh": f"目标 {wanted:.0f} 块做得到：节拍允许 {takt:.1f} s，实际 {seconds:.1f} s，换线最多可用 {free_h:.1f} h。",
            "en": f"The {wanted:.0f} boards can be made: the takt allows {takt:.1f} s, a board takes {seconds:.1f} s; changeovers may "
            f"take {free_h:.1f} h.",
        }
    zh = f"目标 {wanted:.0f} 块差 {wanted - boards:.0f} 块：节拍要 {takt:.1f} s，实际 {seconds:.1f} s。"
    en = f"{wanted - boards:.0f} of the {wanted:.0f} boards are missing: the takt is {takt:.1f} s, a board takes {seconds:.1f} s. "
    if free_h > 0:
        zh += f"把换线总时间压到 {free_h:.1f} h 以内就够，不用加机。"
        en += f"Changeovers within {free_h:.1f} h in all would do, without another machine."
    else:
        zh += "换线全省掉也不够：提速、分流到另一台或加班。"
        en += "Even without changeovers it is not enough: raise the speed, share with another machine or work longer."
    return {"zh": zh, "en": en}
