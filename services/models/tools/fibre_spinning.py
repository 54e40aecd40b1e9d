"""Melt spinning of filament: metering, draw, doffing, and a process sheet against published windows."""

from __future__ import annotations

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive

METERING_PERCENT = 1.0
"""Difference between computed and measured metering at which to look for a cause; trade experience."""
DRAW_RATIO = (2.2, 2.65)
"""Draw ratios of PET FDY in four published papers."""
FDY_WINDOWS: dict[str, tuple[str, str, str, float, float]] = {
    "spinning_c": ("纺丝温度", "spinning temperature", "℃", 289, 292),
    "cross_air_m_s": ("侧吹风速", "cross air", "m/s", 0.35, 0.55),
    "radial_air_pa": ("环吹风压", "radial air", "Pa", 22, 40),
    "godet_1_c": ("第一热辊", "first godet", "℃", 90, 93),
    "godet_2_c": ("第二热辊", "second godet", "℃", 120, 132),
    "draw_ratio": ("牵伸倍数", "draw ratio", "", *DRAW_RATIO),
    "winding_m_min": ("卷绕速度", "winding speed", "m/min", 4200, 5000),
    "unevenness_percent": ("条干 U%", "unevenness U%", "%", 1.28, 1.43),
    "shrinkage_percent": ("沸水收缩率", "boiling shrinkage", "%", 7, 8),
}
"""Published windows of PET FDY (four papers, conventional polyester near 0.645 dL/g); other products differ."""
LESS_IS_BETTER = frozenset({"unevenness_percent"})
"""Results whose lower end is no limit."""
IV_OF_WINDOWS, IV_NEAR = 0.645, 0.03
"""Intrinsic viscosity of those papers (dL/g), and how far from it they still say something; trade experience."""


def pump_throughput(
    count_dtex: float, winding_m_min: float, oil_pick_up: float, ends: float, measured_g_min: float
) -> ToolAnswer:
    """Polymer that the metering pump must give: g/min = dtex v / 10000 (1 - oil pick-up).

    Arguments: count of the finished yarn (dtex), winding speed (m/min), oil pick-up (share), ends, measured metering
    (g/min an end without oil; 0 when not measured). Returns g_min_per_end, kg_h of all ends, the wound amount with oil
    (g/min) and the deviation of the measurement (%). Raises ValueError.
    Source: mass balance at the winder, textbook.
    """
    refuse_unless_positive(
        ("线密度", "the count", count_dtex),
        ("卷绕速度", "the winding speed", winding_m_min),
        ("头数", "the ends", ends),
    )
    refuse_if_negative(("实测泵供量", "the measured metering", measured_g_min))
    if not 0 <= oil_pick_up < 0.1:
        raise ValueError(
            f"含油率按小数填（0.6 % 填 0.006），现为 {oil_pick_up:g}"
            f" / the oil pick-up is a share (0.006 for 0.6 %), got {oil_pick_up:g}"
        )
    wound = count_dtex * winding_m_min / 10_000
    metered = wound * (1 - oil_pick_up)
    hourly = metered * 60 * ends / 1000
    outputs = {"g_min_per_end": rounded(metered), "kg_h": rounded(hourly), "wound_g_min": rounded(wound)}
    zh = f"每头泵供量 {metered:.1f} g/min（含油卷绕 {wound:.1f} g/min），{ends:g} 头合 {hourly:.1f} kg/h。"
    en = f"{metered:.1f} g/min an end ({wound:.1f} g/min wound with oil), {hourly:.1f} kg/h for {ends:g} ends. "
    if measured_g_min > 0:
        off = (measured_g_min / metered - 1) * 100
        outputs["measured_deviation_percent"] = rounded(off)
        if abs(off) > METERING_PERCENT:
            zh += (
                f"实测差 {off:+.1f} %，超过 {METERING_PERCENT:g} %（行业经验）：先查泵转速和泵磨损，再查卷绕速度显示。"
            )
            en += (
                f"The measurement is off by {off:+.1f} %, over {METERING_PERCENT:g} % (trade experience): check pump "
                "speed and wear, then the winding speed shown."
            )
        else:
            zh += f"实测差 {off:+.1f} %，在 {METERING_PERCENT:g} % 之内（行业经验）。"
            en += f"The measurement is off by {off:+.1f} %, within {METERING_PERCENT:g} % (trade experience)."
    return ToolAnswer(outputs, ({"zh": zh, "en": en.strip()},))


def draw_ratio(first_m_min: float, second_m_min: float, winding_m_min: float) -> ToolAnswer:
    """Draw ratio between two godets, and the overfeed to the winder: DR = v2 / v1.

    Arguments: speeds of the first and second heated godet and of winding (m/min; winding 0 when not wanted). Returns
    draw_ratio, the second speed per 0.01 of ratio (m/min) and overfeed_percent. Raises ValueError.
    Source: definition; the window of 2.2 to 2.65 is that of four published PET FDY papers.
    """
    refuse_unless_positive(("第一热辊速度", "the first godet", first_m_min))
    refuse_if_negative(("卷绕速度", "the winding speed", winding_m_min))
    if second_m_min <= first_m_min:
        raise ValueError(
            f"第二热辊 {second_m_min:g} 应快于第一热辊 {first_m_min:g} m/min"
            f" / the second godet ({second_m_min:g}) must run faster than the first ({first_m_min:g} m/min)"
        )
    ratio = second_m_min / first_m_min
    low, high = DRAW_RATIO
    outputs = {"draw_ratio": rounded(ratio), "m_min_per_hundredth": rounded(first_m_min / 100)}
    zh, en = f"牵伸倍数 {ratio:.3f}，", f"Draw ratio {ratio:.3f}, "
    if ratio > high:
        zh += f"高于涤纶 FDY 论文里的 {low:g} 到 {high:g}：强度高、伸长低，毛丝会多。"
        en += f"above the published {low:g} to {high:g} of PET FDY: strong, little elongation, more broken filaments."
    elif ratio < low:
        zh += f"低于涤纶 FDY 论文里的 {low:g} 到 {high:g}：伸长偏大、染色易不匀。"
        en += f"below the published {low:g} to {high:g} of PET FDY: much elongation, dyeing tends to be uneven."
    else:
        zh += f"在涤纶 FDY 论文里的 {low:g} 到 {high:g} 之内。"
        en += f"within the published {low:g} to {high:g} of PET FDY."
    zh += "一次只动 0.02，等一个完整卷装再取样。"
    en += " Change it by 0.02 at a time and sample a whole package later."
    if winding_m_min > 0:
        overfeed = (second_m_min - winding_m_min) / second_m_min * 100
        outputs["overfeed_percent"] = rounded(overfeed)
        zh += f"第二热辊到卷绕超喂 {overfeed:.1f} %。" + (
            "卷绕快于热辊，丝还在受拉，核对设定。" if overfeed < 0 else ""
        )
        en += f" Overfeed to the winder {overfeed:.1f} %." + (
            " The winder is faster: check it." if overfeed < 0 else ""
        )
    return ToolAnswer(outputs, ({"zh": zh, "en": en.strip()},))


def package_doffing(package_kg: float, wound_g_min: float, packages: float, packages_per_doff: float) -> ToolAnswer:
    """Time to a full package and the doffing work of a day: min = kg 1000 / (g/min).

    Arguments: yarn on a full package (kg), wound amount with oil (g/min a package), packages wound at once, packages
    taken off together. Returns minutes_per_package, packages_per_day, doffs_per_day and the mean minutes between two
    doffs. Raises ValueError.
    Source: mass balance; breaks and waste are not in it.
    """
    refuse_unless_positive(
        ("卷重", "the package", package_kg), ("卷绕量", "the wound amount", wound_g_min),
        ("卷装数", "the packages", packages), ("每次落筒数", "the packages of a doff", packages_per_doff),
    )  # fmt: skip
    if packages_per_doff > packages:
        raise ValueError(
            f"每次落筒 {packages_per_doff:g} 个不能多于卷装数 {packages:g}"
            f" / a doff of {packages_per_doff:g} cannot exceed the {packages:g} packages"
        )
    minutes = package_kg * 1000 / wound_g_min
    daily = packages * 1440 / minutes
    doffs = daily / packages_per_doff
    outputs = {
        "minutes_per_package": rounded(minutes),
        "packages_per_day": rounded(daily),
        "doffs_per_day": rounded(doffs),
        "minutes_between_doffs": rounded(1440 / doffs),
    }
    note = {
        "zh": f"满卷 {minutes:.0f} min，一天约 {daily:.0f} 个、落筒 {doffs:.0f} 次，平均每 {1440 / doffs:.1f} min 一次。"
        "落筒工和机器人按这个间隔排；各位错开启动，避免同时满卷。断头和废丝另计。",
        "en": f"A package is full in {minutes:.0f} min: about {daily:.0f} a day in {doffs:.0f} doffs, one every "
        f"{1440 / doffs:.1f} min on average. Plan people and robots by that and start positions at different times. "
        "Breaks and waste come on top.",
    }
    return ToolAnswer(outputs, (note,))


def fdy_window(
    viscosity_dl_g: float,
    spinning_c: float,
    cross_air_m_s: float,
    radial_air_pa: float,
    godet_1_c: float,
    godet_2_c: float,
    draw_ratio: float,
    winding_m_min: float,
    unevenness_percent: float,
    shrinkage_percent: float,
) -> ToolAnswer:
    """A PET FDY process sheet against the windows of four published papers.

    Arguments: intrinsic viscosity of the chips (dL/g), then the settings and results in the units of their names; 0
    leaves one out. Returns how many lie outside (an unevenness below its window does not), how many were looked at, and
    each one's place in its window (%; 0 at the lower, 100 at the upper end). Raises ValueError when nothing was given.
    Source: four papers on PET FDY (windows are of their machines, a start and no acceptance limit).
    """
    refuse_unless_positive(("特性黏度", "the intrinsic viscosity", viscosity_dl_g))
    given = {
        "spinning_c": spinning_c, "cross_air_m_s": cross_air_m_s, "radial_air_pa": radial_air_pa,
        "godet_1_c": godet_1_c, "godet_2_c": godet_2_c, "draw_ratio": draw_ratio, "winding_m_min": winding_m_min,
        "unevenness_percent": unevenness_percent, "shrinkage_percent": shrinkage_percent,
    }  # fmt: skip
    given = {name: value for name, value in given.items() if value}
    if not given:
        raise ValueError("至少填一项工艺参数 / give at least one setting or result")
    places: dict[str, float] = {}
    outside_zh, outside_en = [], []
    for name, value in given.items():
        zh, en, unit, low, high = FDY_WINDOWS[name]
        places[name] = (value - low) / (high - low) * 100
        if value > high or (value < low and name not in LESS_IS_BETTER):
            outside_zh.append(f"{zh} {value:g}（{low:g} 到 {high:g}{' ' + unit if unit else ''}）")
            outside_en.append(f"{en} {value:g} ({low:g} to {high:g}{' ' + unit if unit else ''})")
    outputs: dict[str, float] = {"outside": len(outside_zh), "looked_at": len(given)}
    outputs |= {f"{name}_place": rounded(place) for name, place in places.items()}
    if outside_zh:
        zh, en = f"窗口外：{'、'.join(outside_zh)}。", f"Outside: {', '.join(outside_en)}. "
        zh += "一次只动一项：先核线密度，再调牵伸，再调第二热辊，最后调吹风。"
        en += "Change one at a time: the count first, then draw, second godet, and quench last."
    else:
        zh = f"{len(given)} 项都在论文窗口内；产品指标仍不好，就查组件、油剂和吹风均匀性。"
        en = (
            f"All {len(given)} lie in the published windows; if the yarn is still poor look at packs, finish "
            "and air evenness."
        )
    notes = [{"zh": zh, "en": en.strip()}]
    if abs(viscosity_dl_g - IV_OF_WINDOWS) > IV_NEAR:
        notes.append(
            {
                "zh": f"特性黏度 {viscosity_dl_g:g} 离 {IV_OF_WINDOWS:g} dL/g 较远（差 {IV_NEAR:g} 以上，行业经验），"
                "这些窗口只作参考。",
                "en": f"An intrinsic viscosity of {viscosity_dl_g:g} is far from {IV_OF_WINDOWS:g} dL/g (over "
                f"{IV_NEAR:g}, trade experience): take the windows as a hint only.",
            }
        )
    return ToolAnswer(outputs, tuple(notes))
