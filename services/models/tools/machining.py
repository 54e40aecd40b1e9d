"""Turning: how long an edge lasts, what the cut takes, how rough the surface becomes."""

from __future__ import annotations

from math import floor, sqrt

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive, refuse_unless_share

USUAL_LIFE_MIN = (15.0, 60.0)
"""Edge life at which indexable inserts are usually run; catalogue speeds mostly stand for 15 min. Trade experience."""
THIN_FEED_MM_R = 0.05
"""Below this feed the edge rubs and ploughs and the geometric roughness is not reached; trade experience."""


def tool_life(
    cutting_speed_m_min: float, taylor_exponent: float, taylor_constant_m_min: float, cutting_min_per_part: float
) -> ToolAnswer:
    """Life of a cutting edge by Taylor's equation: v T^n = C, so T = (C / v)^(1 / n).

    Arguments: cutting speed (m/min), exponent n, constant C (m/min, the speed of one minute's life), time in cut per
    part (min; 0 when parts need not be counted). Returns life_min, the life ten per cent faster and slower (min), the
    speed that lasts 15 min (m/min) and the parts per edge. Raises ValueError.
    Source: ISO 3685 (test of tool life, from which n and C are taken).
    """
    refuse_unless_positive(
        ("切削速度", "the cutting speed", cutting_speed_m_min), ("常数 C", "the constant C", taylor_constant_m_min)
    )
    refuse_if_negative(("单件切削时间", "the time in cut per part", cutting_min_per_part))
    if not 0 < taylor_exponent < 1:
        raise ValueError(
            f"指数 n 应在 0 到 1 之间（硬质合金约 0.2 到 0.3），现为 {taylor_exponent:g}"
            f" / the exponent n lies between 0 and 1 (carbide about 0.2 to 0.3), got {taylor_exponent:g}"
        )
    life, faster, slower = (
        _life(cutting_speed_m_min * factor, taylor_exponent, taylor_constant_m_min) for factor in (1, 1.1, 0.9)
    )
    speed_15 = taylor_constant_m_min / 15**taylor_exponent
    outputs = {
        "life_min": rounded(life),
        "life_10_percent_faster_min": rounded(faster),
        "life_10_percent_slower_min": rounded(slower),
        "speed_for_15_min_m_min": rounded(speed_15),
    }
    notes = [_life_note(life, faster, slower, speed_15)]
    if cutting_min_per_part > 0:
        parts = floor(life / cutting_min_per_part)
        outputs["parts_per_edge"] = parts
        notes.append(_parts_note(parts, cutting_min_per_part))
    return ToolAnswer(outputs, tuple(notes))


def _life(speed: float, exponent: float, constant: float) -> float:
    try:
        life: float = (constant / speed) ** (1 / exponent)
    except OverflowError:
        raise ValueError(
            f"寿命大得算不出：核对速度 {speed:g}、常数 {constant:g} 和指数 {exponent:g}"
            f" / the life is beyond any figure: check speed {speed:g}, constant {constant:g}, exponent {exponent:g}"
        ) from None
    return life


def _life_note(life: float, faster: float, slower: float, speed_15: float) -> dict[str, str]:
    low, high = USUAL_LIFE_MIN
    zh = f"刀尖寿命约 {life:.1f} min；提速 10 % 只剩 {faster:.1f} min，降速 10 % 有 {slower:.1f} min。"
    en = f"Edge life about {life:.1f} min; 10 % faster leaves {faster:.1f} min, 10 % slower gives {slower:.1f} min. "
    if life < low:
        zh += f"低于常用的 {low:.0f} 到 {high:.0f} min（行业经验）：换刀太勤，先把速度降到 {speed_15:.0f} m/min 左右。"
        en += (
            f"Below the usual {low:.0f} to {high:.0f} min (trade experience): edges are changed too often, "
            f"try about {speed_15:.0f} m/min."
        )
    elif life > high:
        zh += f"高于常用的 {low:.0f} 到 {high:.0f} min（行业经验）：换刀不是瓶颈，可先加进给，再试着提速。"
        en += (
            f"Above the usual {low:.0f} to {high:.0f} min (trade experience): there is room, raise the feed first, "
            "then the speed."
        )
    else:
        zh += f"在常用的 {low:.0f} 到 {high:.0f} min 之内（行业经验）。"
        en += f"Within the usual {low:.0f} to {high:.0f} min (trade experience)."
    return {"zh": zh, "en": en.strip()}


def _parts_note(parts: int, minutes: float) -> dict[str, str]:
    if parts == 0:
        return {
            "zh": f"单件切削 {minutes:g} min，一个刀尖做不完一件：降速或换更耐磨的牌号。",
            "en": f"One part takes {minutes:g} min in cut, more than one edge lasts: go slower or use a harder grade.",
        }
    return {
        "zh": f"一个刀尖约做 {parts} 件。换刀件数先设在 {max(1, floor(parts * 0.8))} 件（留两成，行业经验），"
        "再按实测后刀面磨损调整。",
        "en": f"One edge makes about {parts} parts. Set the change at {max(1, floor(parts * 0.8))} parts to begin with "
        "(a fifth in hand, trade experience), then follow the measured flank wear.",
    }


def cutting_power(
    specific_force_n_mm2: float,
    depth_mm: float,
    feed_mm_r: float,
    cutting_speed_m_min: float,
    drive_efficiency: float,
    rated_motor_kw: float,
) -> ToolAnswer:
    """Power of longitudinal turning: P = kc ap f vc / 60000.

    Arguments: specific cutting force (N/mm2), depth of cut (mm), feed (mm/r), cutting speed (m/min), efficiency from
    motor to spindle (share), rated motor power of the lathe (kW; 0 when not known). Returns cutting_kw, motor_kw,
    force_n, removal_cm3_min and load_percent when the rated power was given. Raises ValueError.
    Source: textbook; kc is that of the chip thickness in use.
    """
    refuse_unless_positive(
        ("单位切削力", "the specific cutting force", specific_force_n_mm2),
        ("切深", "the depth of cut", depth_mm),
        ("进给", "the feed", feed_mm_r),
        ("切削速度", "the cutting speed", cutting_speed_m_min),
    )
    refuse_unless_share(("传动效率", "the drive efficiency", drive_efficiency))
    refuse_if_negative(("电机额定功率", "the rated motor power", rated_motor_kw))
    force = specific_force_n_mm2 * depth_mm * feed_mm_r
    power = force * cutting_speed_m_min / 60_000
    motor = power / drive_efficiency
    outputs = {
        "cutting_kw": rounded(power),
        "motor_kw": rounded(motor),
        "force_n": rounded(force),
        "removal_cm3_min": rounded(depth_mm * feed_mm_r * cutting_speed_m_min),
    }
    zh = f"切削功率约 {power:.2f} kW，电机侧约 {motor:.2f} kW，主切削力约 {force:.0f} N。"
    en = f"The cut takes about {power:.2f} kW, the motor {motor:.2f} kW, the main force is about {force:.0f} N. "
    if rated_motor_kw > 0:
        load = motor / rated_motor_kw * 100
        outputs["load_percent"] = rounded(load)
        zh += f"占额定的 {load:.0f} %。"
        en += f"That is {load:.0f} % of the rating. "
        if load > 100:
            zh += f"超出电机额定，先减切深或进给到现在的 {1e4 / load:.0f} % 以下。"
            en += f"More than the motor gives: cut depth or feed to below {1e4 / load:.0f} % of now."
        elif load > 80:
            zh += "超过八成（行业经验线）：刀钝时力会再大两三成，留不出余量。"
            en += "Above 80 % (trade experience): a worn edge takes a fifth to a third more."
        else:
            zh += "有余量，可加切深或进给。"
            en += "There is room for more depth or feed."
    else:
        zh += "填上电机额定功率就能看余量；刀钝时力会大两三成（行业经验）。"
        en += (
            "Give the motor rating to see the room left; a worn edge takes a fifth to a third more (trade experience)."
        )
    return ToolAnswer(outputs, ({"zh": zh, "en": en.strip()},))


def surface_roughness(feed_mm_r: float, nose_radius_mm: float, wanted_ra_um: float) -> ToolAnswer:
    """Roughness that feed and nose radius leave behind in turning: Rz = f^2 / (8 r), Ra about Rz / 4.

    Arguments: feed (mm/r), nose radius (mm), Ra asked for (um; 0 when none). Returns rz_um, ra_um and the largest feed
    (mm/r) that geometry allows for the wanted Ra. Raises ValueError where the feed leaves the arc of the nose.
    Source: geometry of the turned surface, textbook; the factor 4 between Rz and Ra is an order of magnitude.
    """
    refuse_unless_positive(("进给", "the feed", feed_mm_r), ("刀尖半径", "the nose radius", nose_radius_mm))
    refuse_if_negative(("要求的 Ra", "the wanted Ra", wanted_ra_um))
    if feed_mm_r > nose_radius_mm:
        raise ValueError(
            f"进给 {feed_mm_r:g} mm/r 大于刀尖半径 {nose_radius_mm:g} mm，圆弧公式不成立；应小于刀尖半径"
            f" / the feed {feed_mm_r:g} mm/r exceeds the nose radius {nose_radius_mm:g} mm: it must stay below"
        )
    rz = feed_mm_r**2 / (8 * nose_radius_mm) * 1000
    outputs = {"rz_um": rounded(rz), "ra_um": rounded(rz / 4)}
    zh = f"理论 Rz {rz:.2f} μm，Ra 约 {rz / 4:.2f} μm（量级）。实际表面常比理论粗两成到一倍（行业经验）。"
    en = (
        f"Geometric Rz {rz:.2f} μm, Ra about {rz / 4:.2f} μm (order of magnitude). Real surfaces are commonly a fifth "
        "to twice as rough (trade experience). "
    )
    if wanted_ra_um > 0:
        largest = sqrt(8 * nose_radius_mm * wanted_ra_um * 4 / 1000)
        outputs["largest_feed_mm_r"] = rounded(largest)
        if rz / 4 > wanted_ra_um:
            zh += f"几何上就达不到 Ra {wanted_ra_um:g} μm：进给降到 {largest:.3f} mm/r 以下，或换大刀尖半径。"
            en += (
                f"Ra {wanted_ra_um:g} μm is out of reach by geometry: feed below {largest:.3f} mm/r or a larger nose. "
            )
        else:
            zh += f"Ra {wanted_ra_um:g} μm 几何上够得着（进给上限 {largest:.3f} mm/r）；达不到就查振动、积屑瘤和刀尖磨损。"
            en += (
                f"Ra {wanted_ra_um:g} μm is within reach (feed up to {largest:.3f} mm/r); if it is missed look for "
                "chatter, built-up edge and nose wear. "
            )
    if feed_mm_r < THIN_FEED_MM_R:
        zh += f"进给低于 {THIN_FEED_MM_R:g} mm/r 时刀刃挤压多于切削，公式偏乐观。"
        en += f"Below {THIN_FEED_MM_R:g} mm/r the edge ploughs more than it cuts and the formula is optimistic."
    return ToolAnswer(outputs, ({"zh": zh, "en": en.strip()},))
