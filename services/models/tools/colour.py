"""Colour: differences between standard and sample, and depth of shade from reflectance."""

from __future__ import annotations

from math import atan2, cos, degrees, exp, hypot, radians, sin, sqrt

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive

DEEP_REFLECTANCE = 0.03
"""Below this the reflectance at the peak hardly changes with more dye; trade experience."""

Lab = tuple[float, float, float]


def delta_e_76(standard: Lab, sample: Lab) -> float:
    """CIE 1976 colour difference. Source: ISO/CIE 11664-4."""
    return sqrt(sum((one - other) ** 2 for one, other in zip(standard, sample, strict=True)))


def delta_e_cmc(standard: Lab, sample: Lab, lightness: float = 2.0, chroma: float = 1.0) -> float:
    """CMC(l:c) difference; the ellipsoid is that of the standard. Source: ISO 105-J03."""
    l1, a1, b1 = standard
    c1, c2 = hypot(a1, b1), hypot(sample[1], sample[2])
    hue = degrees(atan2(b1, a1)) % 360
    t = 0.56 + abs(0.2 * cos(radians(hue + 168))) if 164 <= hue <= 345 else 0.36 + abs(0.4 * cos(radians(hue + 35)))
    f = sqrt(c1**4 / (c1**4 + 1900))
    s_l = 0.511 if l1 < 16 else 0.040975 * l1 / (1 + 0.01765 * l1)
    s_c = 0.0638 * c1 / (1 + 0.0131 * c1) + 0.638
    s_h = s_c * (f * t + 1 - f)
    light, chromatic = sample[0] - l1, c2 - c1
    hue_squared = _hue_squared(standard, sample)
    return sqrt((light / (lightness * s_l)) ** 2 + (chromatic / (chroma * s_c)) ** 2 + hue_squared / s_h**2)


def delta_e_2000(standard: Lab, sample: Lab) -> float:
    """CIEDE2000 with kL = kC = kH = 1. Source: ISO/CIE 11664-6."""
    (l1, a1, b1), (l2, a2, b2) = standard, sample
    mean_c7 = ((hypot(a1, b1) + hypot(a2, b2)) / 2) ** 7
    stretch = 1 + 0.5 * (1 - sqrt(mean_c7 / (mean_c7 + 25**7)))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = hypot(a1, b1), hypot(a2, b2)
    h1, h2 = degrees(atan2(b1, a1)) % 360, degrees(atan2(b2, a2)) % 360
    grey = c1 * c2 == 0
    turn = 0.0 if grey else (h2 - h1 + 180) % 360 - 180
    if not grey and turn == -180 and h2 > h1:
        turn = 180.0
    light, chroma = l2 - l1, c2 - c1
    hue = 2 * sqrt(c1 * c2) * sin(radians(turn / 2))
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    if grey:
        mean_h = h1 + h2
    elif abs(h1 - h2) <= 180:
        mean_h = (h1 + h2) / 2
    else:
        mean_h = (h1 + h2 + (360 if h1 + h2 < 360 else -360)) / 2
    t = (
        1 - 0.17 * cos(radians(mean_h - 30)) + 0.24 * cos(radians(2 * mean_h))
        + 0.32 * cos(radians(3 * mean_h + 6)) - 0.20 * cos(radians(4 * mean_h - 63))
    )  # fmt: skip
    s_l = 1 + 0.015 * (mean_l - 50) ** 2 / sqrt(20 + (mean_l - 50) ** 2)
    s_c, s_h = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    twist = 2 * sqrt(mean_c**7 / (mean_c**7 + 25**7)) * sin(radians(60 * exp(-(((mean_h - 275) / 25) ** 2))))
    parts = (light / s_l, chroma / s_c, hue / s_h)
    return sqrt(max(0.0, sum(part**2 for part in parts) - twist * parts[1] * parts[2]))


def _hue_squared(standard: Lab, sample: Lab) -> float:
    """Square of the hue difference in CIELAB: what lightness and chroma leave of the whole."""
    chroma = hypot(sample[1], sample[2]) - hypot(standard[1], standard[2])
    return max(0.0, (sample[1] - standard[1]) ** 2 + (sample[2] - standard[2]) ** 2 - chroma**2)


def colour_difference(
    standard_l: float,
    standard_a: float,
    standard_b: float,
    sample_l: float,
    sample_a: float,
    sample_b: float,
    limit: float,
) -> ToolAnswer:
    """CMC(2:1), CIEDE2000 and CIELAB difference of a sample from its standard, and where it lies.

    Arguments: L*, a*, b* of standard and sample under one illuminant and observer, limit of CMC(2:1). Returns de_cmc,
    de_2000, de_76 and the differences dl, da, db, dc, dh (sample minus standard). Raises ValueError.
    Source: ISO 105-J03 (CMC), ISO/CIE 11664-6 (CIEDE2000), ISO/CIE 11664-4 (CIELAB).
    """
    refuse_unless_positive(("接收线", "the limit", limit))
    for zh, en, value in (("标样 L*", "L* of the standard", standard_l), ("试样 L*", "L* of the sample", sample_l)):
        if not 0 <= value <= 100:
            raise ValueError(f"{zh} 应在 0 到 100 之间，现为 {value:g} / {en} lies between 0 and 100, got {value:g}")
    standard, sample = (standard_l, standard_a, standard_b), (sample_l, sample_a, sample_b)
    cmc = delta_e_cmc(standard, sample)
    light, red, yellow = (other - one for one, other in zip(standard, sample, strict=True))
    chroma = hypot(sample_a, sample_b) - hypot(standard_a, standard_b)
    turn = standard_a * sample_b - standard_b * sample_a
    hue = sqrt(_hue_squared(standard, sample)) * (1 if turn >= 0 else -1)
    outputs = {
        "de_cmc": rounded(cmc), "de_2000": rounded(delta_e_2000(standard, sample)),
        "de_76": rounded(delta_e_76(standard, sample)), "dl": rounded(light), "da": rounded(red),
        "db": rounded(yellow), "dc": rounded(chroma), "dh": rounded(hue),
    }  # fmt: skip
    return ToolAnswer(outputs, (_difference_note(cmc, limit, light, red, yellow, chroma),))


def _difference_note(
    cmc: float, limit: float, light: float, red: float, yellow: float, chroma: float
) -> dict[str, str]:
    sides = (
        (light, "偏浅", "lighter", "偏深", "darker"),
        (red, "偏红", "redder", "偏绿", "greener"),
        (yellow, "偏黄", "yellower", "偏蓝", "bluer"),
        (chroma, "偏艳", "brighter", "偏暗", "duller"),
    )
    seen = [side for side in sides if abs(side[0]) >= 0.2]
    zh_side = "、".join(side[1] if side[0] > 0 else side[3] for side in seen) or "看不出方向"
    en_side = ", ".join(side[2] if side[0] > 0 else side[4] for side in seen) or "no clear direction"
    zh = f"ΔE CMC(2:1) = {cmc:.2f}，接收线 {limit:g}；试样{zh_side}。"
    en = f"CMC(2:1) difference {cmc:.2f}, limit {limit:g}; the sample is {en_side}. "
    if cmc > limit:
        zh += "超线：先确认布样回潮、光源和仪器重复性，再按方向加料或回修。"
        en += "Over the limit: check conditioning, light and repeatability first, then correct by the direction."
    elif cmc > 0.8 * limit:
        zh += "合格但贴线：同一仪器复测一次，批间留意漂移。"
        en += "Inside, but close: measure once more and watch the drift between lots."
    else:
        zh += "合格。"
        en += "Inside."
    zh += "接收线 1.0、严的 0.8 是行业经验，以合同为准；还要在第二光源下看同色异谱。"
    en += (
        " Limits of 1.0, or 0.8 where strict, are trade experience: the contract decides. Look under a second "
        "light too."
    )
    return {"zh": zh, "en": en.strip()}


def k_over_s(reflectance: float) -> float:
    """Kubelka-Munk: (1 - R)^2 / (2 R) of an opaque layer."""
    return (1 - reflectance) ** 2 / (2 * reflectance)


def kubelka_munk(
    reflectance: float, substrate_reflectance: float, reference_reflectance: float, reference_owf_percent: float
) -> ToolAnswer:
    """K/S of a dyeing, its strength against a reference and the single dye's concentration.

    K/S = (1 - R)^2 / (2 R); owf = owf_ref (K/S - K/S_cloth) / (K/S_ref - K/S_cloth)

    Arguments: reflectance of the sample (share, at the wavelength of strongest absorption), of the undyed cloth (0 to
    leave its K/S out), of a reference dyeing (0 when none) and the reference's dye on weight of fabric (%; 0 when not
    known). Returns k_over_s, strength_percent and owf_percent as far as the reference allows. Raises ValueError.
    Source: Kubelka-Munk for opaque layers; K/S adds up by concentration (light and medium depths).
    """
    named = (
        ("试样反射率", "the sample's reflectance", reflectance, True),
        ("坯布反射率", "the cloth's reflectance", substrate_reflectance, False),
        ("参照反射率", "the reference's reflectance", reference_reflectance, False),
    )
    for zh, en, value, needed in named:
        if (needed or value != 0) and not 0 < value < 1:
            raise ValueError(
                f"{zh}按小数填，应在 0 到 1 之间（20 % 填 0.2），现为 {value:g}"
                f" / {en} is a share between 0 and 1 (0.2 for 20 %), got {value:g}"
            )
    refuse_if_negative(("参照染料浓度", "the reference's dye", reference_owf_percent))
    cloth = k_over_s(substrate_reflectance) if substrate_reflectance else 0.0
    total = k_over_s(reflectance)
    outputs = {"k_over_s": rounded(total), "k_over_s_of_dye": rounded(total - cloth)}
    if total < cloth:
        raise ValueError(
            f"试样反射率 {reflectance:g} 高于坯布 {substrate_reflectance:g}，没有上色，请核对"
            f" / the sample ({reflectance:g}) reflects more than the cloth ({substrate_reflectance:g}): check both"
        )
    zh, en = f"K/S = {total:.3f}，", f"K/S = {total:.3f}, {total - cloth:.3f} of it by dye. "
    zh += f"其中染料 {total - cloth:.3f}。"
    if reference_reflectance:
        reference = k_over_s(reference_reflectance) - cloth
        if reference <= 0:
            raise ValueError(
                f"参照反射率 {reference_reflectance:g} 应低于坯布 {substrate_reflectance:g}"
                f" / the reference ({reference_reflectance:g}) must reflect less than the cloth"
            )
        strength = (total - cloth) / reference
        outputs["strength_percent"] = rounded(strength * 100)
        zh += f"相对参照力份 {strength * 100:.0f} %。"
        en += f"Strength {strength * 100:.0f} % of the reference. "
        if reference_owf_percent > 0:
            outputs["owf_percent"] = rounded(strength * reference_owf_percent)
            zh += f"按线性估算染料 {strength * reference_owf_percent:.2f} % owf。"
            en += f"About {strength * reference_owf_percent:.2f} % owf by the linear rule. "
        if not 0.5 <= strength <= 2:
            zh += "离参照太远（不到一半或超过一倍，行业经验）：换浓度更近的参照样再估。"
            en += "Far from the reference (under half or over twice, trade experience): take a nearer one. "
    if reflectance < DEEP_REFLECTANCE:
        zh += f"反射率低于 {DEEP_REFLECTANCE:g}：已近饱和，浓度估算不准。"
        en += f"Below {DEEP_REFLECTANCE:g} the shade is near saturation and the estimate is poor. "
    zh += "取最大吸收波长处的反射率；只适用于单一染料、不透明的样。"
    en += "Use the wavelength of strongest absorption, one dye, opaque samples."
    return ToolAnswer(outputs, ({"zh": zh, "en": en.strip()},))
