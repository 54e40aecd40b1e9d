"""Yarn, weaving and cutting: counts, output, weight, use of the fabric."""

from __future__ import annotations

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive, refuse_unless_share

NE_TEX = 590.54
"""English cotton count times tex: 840 yd to the pound."""
FINEST_NE = 120.0
"""Cotton counts above this are rare, so that a denier may have been typed; trade experience."""
LOOM_EFFICIENCY_PERCENT = (75.0, 95.0)
"""Efficiency of looms commonly met; trade experience."""
CUTTING_PERCENT = (78.0, 90.0)
"""Use of fabric in cutting commonly met; trade experience."""
FABRIC, YARN = "fabric_length", "yarn_length"


def yarn_count(count: float, system: str, filaments: float) -> ToolAnswer:
    """One yarn count in all systems: Ne = 590.54 / tex, Nm = 1000 / tex, den = 9 tex, dtex = 10 tex.

    Arguments: the count, its system (tex, dtex, den, Ne for English cotton, Nm), filaments of the yarn (0 for spun
    yarn). Returns tex, dtex, den, ne, nm, metres per kilogram and dtex per filament. Raises ValueError.
    Source: definitions of the systems.
    """
    refuse_unless_positive(("纱线支数", "the count", count))
    refuse_if_negative(("孔数", "the filaments", filaments))
    of_system = {"tex": count, "dtex": count / 10, "den": count / 9, "Ne": NE_TEX / count, "Nm": 1000 / count}
    tex = of_system[system]
    outputs = {
        "tex": rounded(tex),
        "dtex": rounded(10 * tex),
        "den": rounded(9 * tex),
        "ne": rounded(NE_TEX / tex),
        "nm": rounded(1000 / tex),
        "metres_per_kg": rounded(1e6 / tex),
    }
    zh = f"{tex:.2f} tex = {10 * tex:.1f} dtex = {9 * tex:.1f} den = 英支 {NE_TEX / tex:.1f} = 公支 {1000 / tex:.1f}。"
    en = f"{tex:.2f} tex = {10 * tex:.1f} dtex = {9 * tex:.1f} den = Ne {NE_TEX / tex:.1f} = Nm {1000 / tex:.1f}. "
    if filaments >= 1:
        single = 10 * tex / filaments
        outputs["dtex_per_filament"] = rounded(single)
        zh += f"单丝 {single:.2f} dtex" + ("，按超细纤维对待（常以 1 dtex 为界）。" if single < 1 else "。")
        en += f"{single:.2f} dtex per filament" + (", a microfibre (commonly below 1 dtex). " if single < 1 else ". ")
    if system == "Ne" and count > FINEST_NE:
        zh += f"{count:g} 英支很少见（{FINEST_NE:g} 以上，行业经验），请核对是不是把旦数填成了英支。"
        en += f"Ne {count:g} is rare (above {FINEST_NE:g}, trade experience): was a denier typed? "
    zh += "英支指棉纱英制支数，不要和麻、毛的英支混用；股线请填合股后的支数。"
    en += "Ne is the English cotton count, not that of linen or worsted; for plied yarn give the resultant count."
    return ToolAnswer(outputs, ({"zh": zh, "en": en.strip()},))


def loom_output(
    speed_r_min: float, picks_per_10_cm: float, efficiency: float, looms: float, hours_per_day: float
) -> ToolAnswer:
    """Cloth woven: m/h = rpm 60 efficiency / (picks per 10 cm times 10).

    Arguments: loom speed (r/min, one pick a turn), picks per 10 cm on the loom, efficiency (share), number of looms,
    hours run a day. Returns metres_per_day, metres_per_hour_loom, picks_per_day_loom and what one point of efficiency
    is worth (m/day). Raises ValueError.
    Source: arithmetic of weaving, textbook.
    """
    refuse_unless_positive(
        ("车速", "the speed", speed_r_min), ("纬密", "the pick density", picks_per_10_cm), ("台数", "the looms", looms)
    )
    refuse_unless_share(("效率", "the efficiency", efficiency))
    if not 0 < hours_per_day <= 24:
        raise ValueError(
            f"日运转时间应在 0 到 24 h 之间，现为 {hours_per_day:g}"
            f" / hours a day lie between 0 and 24, got {hours_per_day:g}"
        )
    per_hour = speed_r_min * 60 * efficiency / (picks_per_10_cm * 10)
    per_day = per_hour * hours_per_day * looms
    point = per_day / efficiency / 100
    low, high = LOOM_EFFICIENCY_PERCENT
    zh = f"每台 {per_hour:.1f} m/h，{looms:g} 台一天约 {per_day:.0f} m；效率每差 1 个点，一天差 {point:.0f} m。"
    en = f"{per_hour:.1f} m/h a loom, about {per_day:.0f} m a day; one point of efficiency is {point:.0f} m a day. "
    if efficiency * 100 < low:
        zh += f"效率低于常见的 {low:.0f} 到 {high:.0f} %（行业经验）：先把停台按断经、断纬、等工分开记，治最多的一类。"
        en += (
            f"Below the usual {low:.0f} to {high:.0f} % (trade experience): sort the stops by cause, cure the largest."
        )
    elif efficiency * 100 > high:
        zh += f"效率高于常见的 {low:.0f} 到 {high:.0f} %（行业经验）：核对是否漏计换轴和了机时间。"
        en += f"Above the usual {low:.0f} to {high:.0f} % (trade experience): check that warp changes are counted."
    else:
        zh += f"效率在常见的 {low:.0f} 到 {high:.0f} % 之内（行业经验）。"
        en += f"Within the usual {low:.0f} to {high:.0f} % (trade experience)."
    outputs = {
        "metres_per_day": rounded(per_day),
        "metres_per_hour_loom": rounded(per_hour),
        "picks_per_day_loom": rounded(speed_r_min * 60 * efficiency * hours_per_day),
        "metres_per_point": rounded(point),
    }
    return ToolAnswer(outputs, ({"zh": zh, "en": en.strip()},))


def fabric_weight(
    ends_per_10_cm: float,
    picks_per_10_cm: float,
    warp_tex: float,
    weft_tex: float,
    warp_crimp: float,
    weft_crimp: float,
    crimp_of: str,
    width_m: float,
) -> ToolAnswer:
    """Weight of grey cloth from its make: g/m² = 0.01 (ends tex_w (1 + c_w) + picks tex_f (1 + c_f)), per 10 cm.

    Arguments: ends and picks per 10 cm, yarn counts (tex), crimps (share), what the crimp is related to (fabric_length
    as in ISO, or yarn_length, 缩率, which enters as 1 / (1 - a)), width (m; 0 when not wanted). Returns gsm, its warp
    and weft parts and g per running metre. Raises ValueError.
    Source: mass balance of the cloth, textbook. Size, finish and shrinkage are not in it.
    """
    refuse_unless_positive(
        ("经密", "the end density", ends_per_10_cm), ("纬密", "the pick density", picks_per_10_cm),
        ("经纱线密度", "the warp count", warp_tex), ("纬纱线密度", "the weft count", weft_tex),
    )  # fmt: skip
    refuse_if_negative(("门幅", "the width", width_m))
    for zh, en, crimp in (("经缩", "warp crimp", warp_crimp), ("纬缩", "weft crimp", weft_crimp)):
        if not 0 <= crimp < 1:
            raise ValueError(
                f"{zh}按小数填，应在 0 到 1 之间（7 % 填 0.07），现为 {crimp:g}"
                f" / {en} is a share between 0 and 1 (0.07 for 7 %), got {crimp:g}"
            )
    longer = [1 + crimp if crimp_of == FABRIC else 1 / (1 - crimp) for crimp in (warp_crimp, weft_crimp)]
    warp = 0.01 * ends_per_10_cm * warp_tex * longer[0]
    weft = 0.01 * picks_per_10_cm * weft_tex * longer[1]
    gsm = warp + weft
    outputs = {"gsm": rounded(gsm), "warp_gsm": rounded(warp), "weft_gsm": rounded(weft)}
    zh = f"坯布约 {gsm:.1f} g/m²，经纱占 {warp / gsm * 100:.0f} %。"
    en = f"Grey cloth about {gsm:.1f} g/m², {warp / gsm * 100:.0f} % of it warp. "
    if width_m > 0:
        outputs["g_per_metre"] = rounded(gsm * width_m)
        zh += f"门幅 {width_m:g} m，每米 {gsm * width_m:.0f} g，一千米用纱约 {gsm * width_m:.0f} kg。"
        en += f"At {width_m:g} m width {gsm * width_m:.0f} g a metre, {gsm * width_m:.0f} kg of yarn for 1000 m. "
    zh += "不含上浆、回丝和后整理缩率；与实称差 3 % 以上（行业经验）先核对下机纬密和纱支。"
    en += (
        "Size, waste and finishing are not in it; if the scales differ by over 3 % (trade experience) check "
        "picks and count."
    )
    return ToolAnswer(outputs, ({"zh": zh, "en": en.strip()},))


def marker_utilisation(
    piece_area_m2: float, marker_length_m: float, fabric_width_m: float, layers: float, wanted_percent: float
) -> ToolAnswer:
    """Use of fabric (or panel) in cutting: piece area / (length times width).

    Arguments: area of all pieces in one marker (m2), length of the marker and usable width (m), layers spread, wanted
    use (%). Returns utilisation_percent, waste (m2), fabric spread (m) and the metres that the wanted use would save
    over all layers. Raises ValueError when the pieces are larger than the marker.
    Source: ratio of areas. End loss, splices and faults are not in it.
    """
    refuse_unless_positive(
        ("裁片面积", "the piece area", piece_area_m2), ("段长", "the marker length", marker_length_m),
        ("门幅", "the width", fabric_width_m), ("层数", "the layers", layers),
    )  # fmt: skip
    if not 0 < wanted_percent <= 100:
        raise ValueError(
            f"目标利用率应在 0 到 100 % 之间，现为 {wanted_percent:g}"
            f" / the wanted use lies between 0 and 100 %, got {wanted_percent:g}"
        )
    marker = marker_length_m * fabric_width_m
    if piece_area_m2 > marker:
        raise ValueError(
            f"裁片面积 {piece_area_m2:g} m² 大于排料面积 {marker:.2f} m²，请核对单位和件数"
            f" / the pieces ({piece_area_m2:g} m²) are larger than the marker ({marker:.2f} m²): check units and number"
        )
    percent = piece_area_m2 / marker * 100
    saved = max(0.0, marker_length_m - piece_area_m2 / fabric_width_m / (wanted_percent / 100)) * layers
    outputs = {
        "utilisation_percent": rounded(percent),
        "waste_m2": rounded((marker - piece_area_m2) * layers),
        "spread_m": rounded(marker_length_m * layers),
        "saved_m": rounded(saved),
    }
    low, high = CUTTING_PERCENT
    zh = f"利用率 {percent:.1f} %，服装裁剪常见 {low:.0f} 到 {high:.0f} %（行业经验，随款式和门幅变）。"
    en = (
        f"Use {percent:.1f} %; in cutting {low:.0f} to {high:.0f} % is common (trade experience, depends on "
        "the style). "
    )
    if saved > 0:
        zh += f"做到 {wanted_percent:g} %，这一床少用 {saved:.1f} m：先试套排多个尺码、放开毛向限制、核实可用门幅。"
        en += (
            f"At {wanted_percent:g} % this spread takes {saved:.1f} m less: mix sizes, free the nap where "
            "allowed, check the usable width."
        )
    else:
        zh += f"已达到目标 {wanted_percent:g} %。"
        en += f"The wanted {wanted_percent:g} % is reached."
    return ToolAnswer(outputs, ({"zh": zh, "en": en.strip()},))
