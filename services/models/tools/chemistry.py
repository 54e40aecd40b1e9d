"""Mole balance of a batch."""

from __future__ import annotations

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_if_negative, refuse_unless_positive

UNACCOUNTED_PERCENT = 3.0
"""Share of the charge that may be missing before the balance itself is doubted; trade experience."""


def batch_yield(charged_mol: float, left_mol: float, product_mol: float, mol_per_mol_product: float) -> ToolAnswer:
    """Conversion, selectivity and yield of a batch, on the limiting reactant.

    conversion = (in - left) / in; yield = product nu / in; selectivity = yield / conversion

    Arguments: limiting reactant charged and found left (mol), product (mol), moles of that reactant that one mole of
    product takes (nu). Returns yield_percent, conversion_percent, selectivity_percent and what went elsewhere (mol and
    % of the charge). Raises ValueError for balances that cannot be.
    Source: definitions of reaction engineering, textbook.
    """
    refuse_unless_positive(("投料量", "the charge", charged_mol), ("计量系数", "the ratio", mol_per_mol_product))
    refuse_if_negative(("剩余量", "what is left", left_mol), ("产物量", "the product", product_mol))
    if left_mol >= charged_mol:
        raise ValueError(
            f"剩余 {left_mol:g} mol 应小于投料 {charged_mol:g} mol"
            f" / {left_mol:g} mol left must be less than {charged_mol:g} charged"
        )
    bound = product_mol * mol_per_mol_product
    if bound > charged_mol:
        raise ValueError(
            f"产物折合原料 {bound:.4g} mol，多于投料 {charged_mol:g} mol：核对计量系数、纯度和单位"
            f" / the product holds {bound:.4g} mol of reactant, more than the {charged_mol:g} charged: "
            "check ratio, purity, units"
        )
    conversion = (charged_mol - left_mol) / charged_mol
    gained = bound / charged_mol
    selectivity = gained / conversion
    elsewhere = charged_mol - left_mol - bound
    outputs = {
        "yield_percent": rounded(gained * 100),
        "conversion_percent": rounded(conversion * 100),
        "selectivity_percent": rounded(selectivity * 100),
        "elsewhere_mol": rounded(elsewhere),
        "elsewhere_percent": rounded(elsewhere / charged_mol * 100),
    }
    zh = f"转化率 {conversion * 100:.1f} %，选择性 {selectivity * 100:.1f} %，收率 {gained * 100:.1f} %。"
    en = f"Conversion {conversion * 100:.1f} %, selectivity {selectivity * 100:.1f} %, yield {gained * 100:.1f} %. "
    share = elsewhere / charged_mol * 100
    if selectivity > 1:
        zh += f"选择性超过 100 %，产物比消耗多 {-elsewhere:.3g} mol：多半是含量分析或称量偏差，先复测。"
        en += f"More product than reactant used up, by {-elsewhere:.3g} mol: check assay and weighing first."
    elif share > UNACCOUNTED_PERCENT:
        zh += f"有 {share:.1f} % 的原料去了别处，超过 {UNACCOUNTED_PERCENT:g} %（行业经验）：查副产物、挥发和釜残。"
        en += (
            f"{share:.1f} % of the charge went elsewhere, over {UNACCOUNTED_PERCENT:g} % (trade experience): look for "
            "by-products, vapour losses and heels."
        )
    else:
        zh += f"去向不明 {share:.1f} %，物料基本对得上。"
        en += f"{share:.1f} % went elsewhere: the balance closes."
    if conversion < selectivity:
        zh += "损失主要在未反应：看反应时间、温度、催化剂，或回收原料。"
        en += " Most is lost unreacted: time, temperature, catalyst, or recover the reactant."
    elif selectivity < 1:
        zh += "损失主要在副反应：看温度、加料速度和杂质。"
        en += " Most is lost to side reactions: temperature, feed rate, impurities."
    return ToolAnswer(outputs, ({"zh": zh, "en": en.strip()},))
