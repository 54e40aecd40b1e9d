"""Bearings and vibration."""

from __future__ import annotations

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive

EXPONENTS: dict[str, tuple[str, float]] = {"球轴承": ("ball bearings", 3.0), "滚子轴承": ("roller bearings", 10 / 3)}
RELIABILITY: dict[str, float] = {"90": 1.0, "95": 0.64, "96": 0.55, "97": 0.47, "98": 0.37, "99": 0.25}
"""Reliability (%) -> a1, ISO 281."""
LOAD_HEAVY = 0.5
"""P over C above which ISO 281 does not hold."""
LOAD_LIGHT = {"球轴承": 0.01, "滚子轴承": 0.02}
"""P over C below which rolling elements may skid; makers' rule, trade experience."""
SHORT_H = 20_000.0
"""Life that general machines in two shifts usually ask for; trade experience."""

ZONES: dict[str, tuple[str, tuple[float, float, float]]] = {
    "2组刚性": ("group 2, rigid", (1.4, 2.8, 4.5)), "2组柔性": ("group 2, flexible", (2.3, 4.5, 7.1)),
    "1组刚性": ("group 1, rigid", (2.3, 4.5, 7.1)), "1组柔性": ("group 1, flexible", (3.5, 7.1, 11.0)),
}  # fmt: skip
"""Machine group and support -> English, boundaries A/B, B/C, C/D in mm/s r.m.s.; ISO 20816-3 (from ISO 10816-3)."""
CHANGE = 0.25
"""Share of the B/C boundary from which a change of vibration counts, whatever the zone; ISO 20816-3."""


def bearing_life(
    dynamic_rating_kn: float,
    load_kn: float,
    speed_rpm: float,
    bearing: str,
    reliability_percent: str,
    a_iso: float,
    hours_per_year: float,
    wanted_h: float,
) -> ToolAnswer:
    """Life of a rolling bearing: L10 = (C/P)^p million turns, L10h = 10^6 L10 / (60 n), Lnmh = a1 aISO L10h.

    Arguments: basic dynamic rating (kN), equivalent load (kN), speed (r/min), kind (ball p = 3, roller p = 10/3),
    reliability (%), life modification factor for lubrication and dirt, hours run a year, life wanted (h). Returns
    lnmh_h, l10_mrev, l10h_h, a1, years, load_ratio and needed_rating_kn. Raises ValueError for P above C. Source: ISO
    281, rating life and a1; the lower load limits are makers' rules.
    """
    refuse_unless_positive(
        ("额定动载荷", "the rating", dynamic_rating_kn), ("当量动载荷", "the load", load_kn), ("转速", "the speed", speed_rpm),
        ("修正系数", "the modification factor", a_iso), ("年运行时间", "the hours", hours_per_year),
        ("要求寿命", "the life wanted", wanted_h),
    )  # fmt: skip
    if load_kn > dynamic_rating_kn:
        raise ValueError(
            f"当量动载荷应不大于额定动载荷 {dynamic_rating_kn:g} kN，现为 {load_kn:g}：换大规格"
            f" / the load must not exceed the rating of {dynamic_rating_kn:g} kN, got {load_kn:g}: take a "
            "larger bearing"
        )
    _, exponent = EXPONENTS[bearing]
    a1 = RELIABILITY[reliability_percent]
    million = (dynamic_rating_kn / load_kn) ** exponent
    basic = 1e6 * million / (60 * speed_rpm)
    life = a1 * a_iso * basic
    needed = load_kn * (wanted_h * 60 * speed_rpm / 1e6 / (a1 * a_iso)) ** (1 / exponent)
    outputs = {
        "lnmh_h": rounded(life, 3), "l10h_h": rounded(basic, 3), "l10_mrev": rounded(million),
        "years": rounded(life / hours_per_year), "a1": a1, "load_ratio": rounded(load_kn / dynamic_rating_kn),
        "needed_rating_kn": rounded(needed),
    }  # fmt: skip
    return ToolAnswer(outputs, (_life_note(outputs, bearing, reliability_percent, wanted_h),))


def _life_note(outputs: dict[str, float], bearing: str, reliability: str, wanted_h: float) -> dict[str, str]:
    life, ratio, english = outputs["lnmh_h"], outputs["load_ratio"], EXPONENTS[bearing][0]
    zh = f"{reliability} % 的轴承能用到 {life:.0f} h（约 {outputs['years']:.1f} 年），"
    en = f"{reliability} % of the {english} reach {life:.0f} h (about {outputs['years']:.1f} years), "
    if life < wanted_h:
        zh += f"不到要求的 {wanted_h:.0f} h：要动载荷 {outputs['needed_rating_kn']:.1f} kN 的轴承，或先降载、改润滑和密封。"
        en += (
            f"less than the {wanted_h:.0f} h wanted: take a rating of {outputs['needed_rating_kn']:.1f} "
            "kN, or cut the load and "
            "mend lubrication and seals first."
        )
    else:
        zh += f"达到要求的 {wanted_h:.0f} h；按剩余寿命排更换，别等异响。"
        en += f"enough for the {wanted_h:.0f} h wanted; plan the change, do not wait for noise."
    if ratio > LOAD_HEAVY:
        zh += f"P/C = {ratio:.2f} 超过 {LOAD_HEAVY:g}：寿命公式不适用，问轴承厂。"
        en += f" P/C = {ratio:.2f} is above {LOAD_HEAVY:g}: the formula does not hold, ask the maker."
    elif ratio < LOAD_LIGHT[bearing]:
        zh += f"P/C = {ratio:.3f} 低于 {LOAD_LIGHT[bearing]:g}：载荷太轻，滚动体会打滑擦伤（行业经验）。"
        en += (
            f" P/C = {ratio:.3f} is below {LOAD_LIGHT[bearing]:g}: too light, the elements may skid (trade experience)."
        )
    zh += "这是疲劳寿命，装配不当、缺油、进灰、过电流的早坏不在内；修正系数按润滑和清洁度由轴承厂查取。"
    en += (
        " This is fatigue: bad fitting, dry running, dirt and current damage come earlier; the maker "
        "gives the modification "
        "factor."
    )
    return {"zh": zh, "en": en}


def vibration_zone(velocity_mm_s: float, machine: str, baseline_mm_s: float, speed_rpm: float) -> ToolAnswer:
    """Zone of vibration severity: A, B, C or D by the boundaries; alarm and trip as the standard suggests.

    Arguments: highest r.m.s. velocity on the bearing housings (mm/s), machine group and support, baseline of this
    machine (mm/s; 0 for none), speed (r/min; sets the measuring band). Returns zone, velocity_mm_s, boundaries,
    alarm_mm_s (baseline + 25 % of B/C, at most 1.25 B/C; B/C without baseline), trip_mm_s (1.25 C/D) and, with a
    baseline, change_mm_s. Raises ValueError. Source: ISO 20816-3 (from ISO 10816-3), boundaries of groups 1 and 2.
    """
    refuse_if_negative(("振动速度", "the velocity", velocity_mm_s), ("基线", "the baseline", baseline_mm_s))
    refuse_unless_positive(("转速", "the speed", speed_rpm))
    ab, bc, cd = ZONES[machine][1]
    zone = "A" if velocity_mm_s < ab else "B" if velocity_mm_s < bc else "C" if velocity_mm_s < cd else "D"
    limit = bc if baseline_mm_s == 0 else min(baseline_mm_s + CHANGE * bc, 1.25 * bc)
    outputs: dict[str, float | str] = {
        "zone": zone, "velocity_mm_s": rounded(velocity_mm_s), "ab_mm_s": ab, "bc_mm_s": bc, "cd_mm_s": cd,
        "alarm_mm_s": rounded(limit), "trip_mm_s": rounded(1.25 * cd),
    }  # fmt: skip
    change = velocity_mm_s - baseline_mm_s
    if baseline_mm_s > 0:
        outputs["change_mm_s"] = rounded(change)
    moved = baseline_mm_s > 0 and abs(change) > CHANGE * bc
    return ToolAnswer(outputs, (_zone_note(zone, velocity_mm_s, machine, change, moved, speed_rpm),))


_ADVICE = {
    "A": ("新投运机器的水平，按周期测即可。", "as newly commissioned machines, keep the rounds."),
    "B": ("可长期运行，按周期测。", "fit for long operation, keep the rounds."),
    "C": ("不宜长期运行：缩短测量周期，查不平衡、对中、地脚松动和轴承，安排检修。",
          "not for long operation: measure more often, check balance, alignment, feet and bearings, plan the repair."),
    "D": ("会损坏机器：尽快停机检修，先确认测点和传感器没松。",
          "damaging: stop and repair soon, after checking that sensor and place are firm."),
}  # fmt: skip


def _zone_note(
    zone: str, velocity: float, machine: str, change: float, moved: bool, speed_rpm: float
) -> dict[str, str]:
    english = ZONES[machine][0]
    zh = f"{machine}，{velocity:g} mm/s 属 {zone} 区：{_ADVICE[zone][0]}"
    en = f"{english.capitalize()}: {velocity:g} mm/s is zone {zone}, {_ADVICE[zone][1]}"
    if moved:
        way_zh, way_en = ("升", "rose") if change > 0 else ("降", "fell")
        zh += f"比基线{way_zh}了 {abs(change):.2f} mm/s，超过 B/C 界限的 25 %：即使区别没变也要查原因。"
        en += f" It {way_en} by {abs(change):.2f} mm/s, more than 25 % of B/C: find the cause whatever the zone."
    band = "2–1000 Hz" if speed_rpm < 600 else "10–1000 Hz"
    zh += f"取各轴承座、各方向有效值的最大者，频带 {band}；往复机、锤和冲床不适用，滚动轴承早期损伤看高频或包络。"
    en += (
        f" Take the largest r.m.s. value of all housings and directions, {band.replace('–', ' to ')}; not "
        "for reciprocating "
        "machines, hammers and presses; early bearing damage shows at high frequency or in the envelope."
    )
    return {"zh": zh, "en": en}
