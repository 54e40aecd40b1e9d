"""Paper machine and box: output, profile, compression."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, sqrt
from statistics import fmean
from typing import Any

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive, refuse_unless_share

EFFICIENCY_PERCENT = (92.0, 99.0)
"""Share of the machine's output that becomes paper commonly met; trade experience."""
LARGEST = 1e9
"""Readings beyond this are no measurements."""
FEWEST_SCANS, ENOUGH_SCANS, FEWEST_POSITIONS = 5, 30, 3
MCKEE = 5.874
"""Factor of McKee's short formula in N and m."""
LOWEST_HEIGHT = 1 / 7
"""Box height over perimeter from which the formula holds."""
GRAVITY = 9.80665


def paper_output(
    gsm: float, speed_m_min: float, trimmed_width_m: float, efficiency: float, hours_per_day: float
) -> ToolAnswer:
    """Output of a paper machine: t/h = gsm v w 60 / 10^6, times efficiency for net.

    Arguments: basis weight at the reel (g/m2), speed (m/min), trimmed width (m), efficiency (share), hours run a day.
    Returns net_t_h, gross_t_h, net_t_day and what a point of efficiency is worth (t/day). Raises ValueError.
    Source: mass balance at the reel, textbook.
    """
    refuse_unless_positive(
        ("定量", "the basis weight", gsm), ("车速", "the speed", speed_m_min), ("净纸宽", "the width", trimmed_width_m)
    )
    refuse_unless_share(("抄造率", "the efficiency", efficiency))
    if not 0 < hours_per_day <= 24:
        raise ValueError(
            f"日运转时间应在 0 到 24 h 之间，现为 {hours_per_day:g}"
            f" / hours a day lie between 0 and 24, got {hours_per_day:g}"
        )
    gross = gsm * speed_m_min * trimmed_width_m * 60 / 1e6
    net = gross * efficiency
    point = gross * hours_per_day / 100
    outputs = {
        "net_t_h": rounded(net),
        "gross_t_h": rounded(gross),
        "net_t_day": rounded(net * hours_per_day),
        "t_day_per_point": rounded(point),
    }
    low, high = EFFICIENCY_PERCENT
    zh = f"毛产 {gross:.2f} t/h，净产 {net:.2f} t/h，一天 {net * hours_per_day:.0f} t；抄造率每差 1 个点，一天差 {point:.1f} t。"
    en = (
        f"Gross {gross:.2f} t/h, net {net:.2f} t/h, {net * hours_per_day:.0f} t a day; one point is "
        f"{point:.1f} t a day. "
    )
    if efficiency * 100 < low:
        zh += f"抄造率低于常见的 {low:.0f} 到 {high:.0f} %（行业经验）：先看断纸次数和每次引纸时间。"
        en += f"Below the usual {low:.0f} to {high:.0f} % (trade experience): look at breaks and threading time first."
    else:
        zh += "入库吨数对不上时，核对卷纸机定量、净纸宽和水分。"
        en += "If the warehouse differs, check basis weight, trimmed width and moisture at the reel."
    return ToolAnswer(outputs, ({"zh": zh, "en": en.strip()},))


def cd_profile(scans: Sequence[float], positions: float) -> ToolAnswer:
    """Variation of a scanned sheet split into cross direction, machine direction and residual.

    Two-way variance components: residual = MS_res, CD = (MS_cd - MS_res) / scans, MD = (MS_md - MS_res) / positions,
    none below nought; total = their sum. Arguments: readings scan after scan, each with the same positions; number of
    positions. Returns two_sigma_percent of the mean for total, CD, MD and residual, the sigmas in the readings' unit
    and the mean. Raises ValueError for readings that do not fill whole scans.
    Source: analysis of variance, textbook; 2 sigma as per cent of the mean is the practice of scanner reports.
    """
    rows = _scans(scans, positions)
    count, width = len(rows), len(rows[0])
    mean = fmean(scans)
    if mean <= 0:
        raise ValueError(f"均值应大于 0，现为 {mean:g} / the mean must be above 0, got {mean:g}")
    across = [fmean(row[place] for row in rows) for place in range(width)]
    along = [fmean(row) for row in rows]
    ms_cd = count * sum((value - mean) ** 2 for value in across) / (width - 1)
    ms_md = width * sum((value - mean) ** 2 for value in along) / (count - 1)
    rest = sum(
        (row[place] - along[index] - across[place] + mean) ** 2
        for index, row in enumerate(rows)
        for place in range(width)
    )
    residual = rest / ((count - 1) * (width - 1))
    parts = {"cd": max(0.0, (ms_cd - residual) / count), "md": max(0.0, (ms_md - residual) / width), "res": residual}
    total = sum(parts.values())
    outputs: dict[str, Any] = {"two_sigma_percent": rounded(200 * sqrt(total) / mean)}
    outputs |= {f"two_sigma_{name}_percent": rounded(200 * sqrt(part) / mean) for name, part in parts.items()}
    outputs["sigma_total"] = rounded(sqrt(total))
    outputs |= {f"sigma_{name}": rounded(sqrt(part)) for name, part in parts.items()}
    outputs |= {"mean": rounded(mean), "scans_used": count}
    charts = (
        _means("横幅平均（逐位置）", "Mean by position", across, mean, 3 * sqrt(residual / count)),
        _means("纵向平均（逐次扫描）", "Mean by scan", along, mean, 3 * sqrt(residual / width)),
    )
    return ToolAnswer(outputs, (_profile_note(parts, total, mean, count),), charts)


def _scans(scans: Sequence[float], positions: float) -> list[list[float]]:
    width = round(positions)
    if width != positions or width < FEWEST_POSITIONS:
        raise ValueError(
            f"位置数应为不小于 {FEWEST_POSITIONS} 的整数，现为 {positions:g}"
            f" / positions must be a whole number from {FEWEST_POSITIONS}, got {positions:g}"
        )
    largest = max(map(abs, scans), default=0.0)
    if largest > LARGEST:
        raise ValueError(f"读数 {largest:g} 不像测量值，请核对 / a reading of {largest:g} is no measurement: check it")
    count, left = divmod(len(scans), width)
    if left:
        raise ValueError(
            f"{len(scans)} 个读数不能按每次 {width} 个位置分完，多 {left} 个"
            f" / {len(scans)} readings do not fill scans of {width} positions, {left} are left over"
        )
    if count < FEWEST_SCANS:
        raise ValueError(f"至少 {FEWEST_SCANS} 次扫描，现有 {count} 次 / at least {FEWEST_SCANS} scans, got {count}")
    return [list(scans[start : start + width]) for start in range(0, len(scans), width)]


def _means(zh: str, en: str, points: Sequence[float], mean: float, half: float) -> dict[str, Any]:
    """Points beyond the limits differ by more than the residual explains."""
    return {
        "title_zh": zh,
        "title_en": en,
        "points": [rounded(point) for point in points],
        "centre": rounded(mean),
        "upper": rounded(mean + half),
        "lower": rounded(mean - half),
    }


def _profile_note(parts: dict[str, float], total: float, mean: float, count: int) -> dict[str, str]:
    named = {
        "cd": (
            "横向",
            "cross direction",
            "看唇板、喷嘴、压榨和毛毯的固定条道",
            "look for streaks from slice, nozzles, press, felts",
        ),
        "md": (
            "纵向",
            "machine direction",
            "先查浓度和流量回路有没有振荡",
            "look for oscillating consistency and flow loops",
        ),
        "res": ("残差", "residual", "先校扫描架零点，再停扫描定点测", "check the scanner, then measure at one point"),
    }
    if total <= 0:
        return {"zh": "读数没有波动，请核对数据。", "en": "The readings do not vary: check the data."}
    largest = max(parts, key=lambda name: parts[name])
    share = parts[largest] / total
    zh = (
        f"2σ 合计为均值的 {200 * sqrt(total) / mean:.2f} %；"
        f"方差里{named[largest][0]}占 {share * 100:.0f} %，最大：{named[largest][2]}。"
    )
    en = (
        f"2 sigma is {200 * sqrt(total) / mean:.2f} % of the mean; {share * 100:.0f} % of the variance is "
        f"{named[largest][1]}: {named[largest][3]}."
    )
    if count < ENOUGH_SCANS:
        zh += f"只有 {count} 次扫描，纵向和横向的分法还不稳，建议 {ENOUGH_SCANS} 次以上。"
        en += f" With {count} scans the split is uncertain, take {ENOUGH_SCANS} or more."
    return {"zh": zh, "en": en.strip()}


def box_compression(
    edge_crush_n_m: float,
    caliper_mm: float,
    perimeter_m: float,
    height_m: float,
    safety_factor: float,
    box_kg: float,
) -> ToolAnswer:
    """Compression strength of a box by McKee's short formula: BCT = 5.874 ECT sqrt(h Z), in N and m.

    Arguments: edge crush (N/m), board caliper (mm), perimeter and height of the box (m; height 0 when not to be
    checked), safety factor for stacking, gross mass of a box (kg; 0 when layers are not wanted). Returns bct_n,
    stacking_n and, where the formula holds, the layers a stack may have. Raises ValueError.
    Source: McKee 1963, for regular slotted boxes not flatter than a seventh of their perimeter.
    """
    refuse_unless_positive(
        ("边压强度", "the edge crush", edge_crush_n_m), ("纸板厚", "the caliper", caliper_mm),
        ("周长", "the perimeter", perimeter_m),
    )  # fmt: skip
    refuse_if_negative(("箱高", "the height", height_m), ("每箱毛重", "the gross mass", box_kg))
    if safety_factor < 1:
        raise ValueError(
            f"安全系数应不小于 1（常用 3 到 5），现为 {safety_factor:g}"
            f" / the safety factor must be 1 or more (3 to 5 are usual), got {safety_factor:g}"
        )
    strength = MCKEE * edge_crush_n_m * sqrt(caliper_mm / 1000 * perimeter_m)
    stacking = strength / safety_factor
    outputs = {"bct_n": rounded(strength), "stacking_n": rounded(stacking)}
    zh = f"空箱抗压约 {strength:.0f} N，除安全系数 {safety_factor:g} 后底箱可受 {stacking:.0f} N。"
    en = (
        f"Box compression about {strength:.0f} N; with a safety factor of {safety_factor:g} the lowest box may "
        f"carry {stacking:.0f} N. "
    )
    flat = 0 < height_m < LOWEST_HEIGHT * perimeter_m
    if box_kg > 0 and not flat:
        layers = floor(stacking / (box_kg * GRAVITY)) + 1
        outputs["layers"] = layers
        zh += f"每箱 {box_kg:g} kg 可堆 {layers} 层。"
        en += f"Boxes of {box_kg:g} kg may stand {layers} high. "
    if flat:
        zh += f"箱高 {height_m:g} m 不到周长的 1/7，这条公式不适用，以压力机实测为准。"
        en += (
            f"A height of {height_m:g} m is below a seventh of the perimeter: the formula does not hold, test the box. "
        )
    zh += "安全系数 3 到 5（行业经验，潮湿、久存、错缝取大）；不够时先查厚度有没有被压溃，再考虑加克重。"
    en += (
        "Safety factors of 3 to 5 are trade experience (damp, long, uneven: large). If short, check crushed "
        "caliper before grammage."
    )
    return ToolAnswer(outputs, ({"zh": zh, "en": en.strip()},))
