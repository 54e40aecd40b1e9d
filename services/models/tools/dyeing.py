"""What goes into a dye bath."""

from __future__ import annotations

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive

BATH_OFF_PERCENT = 5.0
"""Difference between ordered and filled bath from which the shade of reactive dyes is at risk; trade experience."""


def dye_recipe(
    fabric_kg: float,
    liquor_ratio: float,
    dye_owf_percent: float,
    salt_g_l: float,
    alkali_g_l: float,
    filled_l: float,
) -> ToolAnswer:
    """Amounts for one lot: bath = fabric LR (L), dye = fabric owf 10 (g), salt and alkali by the litre.

    Arguments: dry fabric (kg), liquor ratio (L/kg), dye on weight of fabric (%), salt and alkali (g/L), water really
    filled (L; 0 when as ordered). Returns dye_g, bath_l, salt_kg, alkali_kg, dye_g_l and, with filled_l, the true
    liquor ratio and the salt's concentration (g/L) if it was weighed for the order. Raises ValueError.
    Source: arithmetic of exhaust dyeing, textbook.
    """
    refuse_unless_positive(
        ("布重", "the fabric", fabric_kg), ("浴比", "the liquor ratio", liquor_ratio),
        ("染料浓度", "the dye", dye_owf_percent),
    )  # fmt: skip
    refuse_if_negative(
        ("元明粉", "the salt", salt_g_l), ("纯碱", "the alkali", alkali_g_l), ("实际水量", "the filled bath", filled_l)
    )
    bath = fabric_kg * liquor_ratio
    dye = fabric_kg * dye_owf_percent * 10
    salt, alkali = bath * salt_g_l / 1000, bath * alkali_g_l / 1000
    outputs = {
        "dye_g": rounded(dye),
        "bath_l": rounded(bath),
        "salt_kg": rounded(salt),
        "alkali_kg": rounded(alkali),
        "dye_g_l": rounded(dye / bath),
    }
    zh = f"浴比 1:{liquor_ratio:g}，水 {bath:.0f} L；染料 {dye:.0f} g，元明粉 {salt:.1f} kg，纯碱 {alkali:.1f} kg。"
    en = f"Liquor ratio 1:{liquor_ratio:g}, {bath:.0f} L; dye {dye:.0f} g, salt {salt:.1f} kg, alkali {alkali:.1f} kg. "
    if filled_l > 0:
        ratio, salt_now = filled_l / fabric_kg, salt * 1000 / filled_l
        off = (filled_l / bath - 1) * 100
        outputs |= {"true_liquor_ratio": rounded(ratio), "true_salt_g_l": rounded(salt_now)}
        zh += f"实际加水 {filled_l:.0f} L 是 1:{ratio:.2f}（{off:+.0f} %），盐成了 {salt_now:.1f} g/L。"
        en += f"{filled_l:.0f} L filled is 1:{ratio:.2f} ({off:+.0f} %), the salt becomes {salt_now:.1f} g/L. "
        if abs(off) > BATH_OFF_PERCENT:
            zh += f"偏差超过 {BATH_OFF_PERCENT:g} %（行业经验）：活性染料上染会变，先校液位再补盐碱。"
            en += (
                f"More than {BATH_OFF_PERCENT:g} % off (trade experience): reactive dyes will exhaust differently, "
                "calibrate the level, then make up salt and alkali."
            )
    else:
        zh += "染料按布重、盐碱按水量：浴比一变盐碱就要重算，填上实际水量可核对。"
        en += "Dye follows the fabric, salt and alkali the water: give the filled litres to check a lot."
    return ToolAnswer(outputs, ({"zh": zh, "en": en.strip()},))
