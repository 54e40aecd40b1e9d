"""Repeatability and reproducibility of a gauge, by average and range and by analysis of variance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, floor, lgamma, log, log1p, sqrt
from statistics import fmean
from typing import Any

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.spc import CONSTANTS

ONE_RANGE = {
    2: 1.41421, 3: 1.91155, 4: 2.23887, 5: 2.48124, 6: 2.67253, 7: 2.82981, 8: 2.96288, 9: 3.07794, 10: 3.17905,
    11: 3.26909, 12: 3.35016, 13: 3.42378, 14: 3.49116, 15: 3.55323, 16: 3.61071, 17: 3.66422, 18: 3.71424, 19: 3.76118,
    20: 3.80537,
}  # fmt: skip
"""d2* of a single range of so many values: sqrt(E[range^2]) of a standard normal sample. Its reciprocals are K2 and K3."""
POOL_ABOVE = 0.25
"""Probability above which the interaction is added to the repeatability (AIAG MSA)."""
GOOD_PERCENT, BAD_PERCENT, FEWEST_CATEGORIES = 10.0, 30.0, 5
ENOUGH_RANGES = 15
"""Parts times operators above which d2 serves for the mean of so many ranges."""


@dataclass(frozen=True)
class Study:
    """The parts of the variation, as standard deviations."""

    repeatability: float
    reproducibility: float
    interaction: float
    parts: float

    @property
    def gauge(self) -> float:
        return sqrt(self.repeatability**2 + self.reproducibility**2 + self.interaction**2)

    @property
    def total(self) -> float:
        return sqrt(self.gauge**2 + self.parts**2)

    @property
    def categories(self) -> int:
        """Classes of parts that the gauge tells apart: 1.41 PV / GRR without its fraction, at least 1."""
        return max(1, floor(1.41 * self.parts / self.gauge))


def gage_rr(
    measurements: Sequence[float], parts: float, operators: float, trials: float, tolerance: float, method: str
) -> ToolAnswer:
    """Share of the gauge in the variation that it shows.

    Average and range: EV = Rbar / d2(trials), AV = sqrt((Xdiff K2)^2 - EV^2 / (parts trials)), PV = Rp K3. ANOVA: mean
    squares of parts, operators, their interaction and repeats; an interaction with P > 0.25 is pooled with the repeats.
    GRR^2 = EV^2 + AV^2 (+ interaction), TV^2 = GRR^2 + PV^2, per cent = 100 GRR / TV, of tolerance 600 GRR / tolerance.

    Arguments: measurements ordered by part, then operator, then trial; numbers of parts (2 to 20), operators (2 to 20) and
    trials (2 to 10); tolerance in the unit of the measurements (0 when unknown); method (anova or average-range) of the
    figures; the table has both. Returns grr_percent, tolerance_percent, ndc and EV, AV, interaction, GRR, PV, TV as
    standard deviations. Raises ValueError. Source: AIAG MSA.
    """
    counts = _counts(len(measurements), parts, operators, trials)
    if tolerance < 0:
        raise ValueError(f"公差不能小于 0，现为 {tolerance:g} / the tolerance must not be below 0, got {tolerance:g}")
    cells = _cells(measurements, *counts)
    if not any(max(cell) > min(cell) for part in cells for cell in part):
        raise ValueError(
            "同一零件的重复读数全都相同：量具分辨力不够或抄了读数，多读一位再做 / "
            "all repeats are equal: the gauge reads too coarsely or readings were copied; read one digit more"
        )
    studies = {"anova": _anova(cells), "average-range": _average_range(cells)}
    chosen = studies[method]
    if chosen.total <= 0:
        raise ValueError(
            "所有读数相同，量具分辨力不够 / all readings are equal: the resolution of the gauge is too coarse"
        )
    share = 100 * chosen.gauge / chosen.total
    outputs = {
        "grr_percent": rounded(share), "ndc": chosen.categories, "repeatability": rounded(chosen.repeatability),
        "reproducibility": rounded(chosen.reproducibility), "interaction": rounded(chosen.interaction),
        "gauge": rounded(chosen.gauge), "part_variation": rounded(chosen.parts), "total_variation": rounded(chosen.total),
    }  # fmt: skip
    notes = [_verdict(share, chosen)]
    if tolerance > 0:
        of_tolerance = 600 * chosen.gauge / tolerance
        outputs["tolerance_percent"] = rounded(of_tolerance)
        notes.append(_tolerance_note(of_tolerance, share))
    if method == "average-range" and counts[0] * counts[1] <= ENOUGH_RANGES:
        notes.append(
            {
                "zh": f"零件数乘人数只有 {counts[0] * counts[1]}，极差法的系数按 15 个以上极差取，偏乐观，请看 ANOVA。",
                "en": f"Parts times operators is only {counts[0] * counts[1]}; the factors of the range method are for more than "
                "15 ranges: look at ANOVA.",
            }
        )
    return ToolAnswer(outputs, tuple(notes), (), (_table(studies, tolerance),))


def _counts(held: int, parts: float, operators: float, trials: float) -> tuple[int, int, int]:
    limits = (("零件数", "parts", parts, 20), ("人数", "operators", operators, 20), ("次数", "trials", trials, 10))
    for zh, en, value, most in limits:
        if value != round(value) or not 2 <= value <= most:
            raise ValueError(
                f"{zh}应为 2 到 {most} 的整数，现为 {value:g} / {en} must be a whole number from 2 to {most}, got {value:g}"
            )
    wanted = round(parts * operators * trials)
    if held != wanted:
        raise ValueError(
            f"应有 {parts:g}×{operators:g}×{trials:g} = {wanted} 个读数，收到 {held} 个；顺序为零件、人、次"
            f" / {wanted} readings are wanted, by part, operator, trial; got {held}"
        )
    return round(parts), round(operators), round(trials)


Cells = list[list[list[float]]]
"""By part, operator and trial."""


def _cells(values: Sequence[float], parts: int, operators: int, trials: int) -> Cells:
    return [
        [[values[(part * operators + one) * trials + trial] for trial in range(trials)] for one in range(operators)]
        for part in range(parts)
    ]


def _average_range(cells: Cells) -> Study:
    parts, operators, trials = len(cells), len(cells[0]), len(cells[0][0])
    repeatability = fmean(max(cell) - min(cell) for part in cells for cell in part) / CONSTANTS[trials][3]
    of_operator = [fmean(value for part in cells for value in part[one]) for one in range(operators)]
    of_part = [fmean(value for cell in part for value in cell) for part in cells]
    between = (max(of_operator) - min(of_operator)) / ONE_RANGE[operators]
    reproducibility = sqrt(max(0.0, between**2 - repeatability**2 / (parts * trials)))
    return Study(repeatability, reproducibility, 0.0, (max(of_part) - min(of_part)) / ONE_RANGE[parts])


def _anova(cells: Cells) -> Study:
    parts, operators, trials = len(cells), len(cells[0]), len(cells[0][0])
    of_cell = [[fmean(cell) for cell in part] for part in cells]
    of_part = [fmean(row) for row in of_cell]
    of_operator = [fmean(row[one] for row in of_cell) for one in range(operators)]
    mean = fmean(of_part)
    part_squares = operators * trials * sum((each - mean) ** 2 for each in of_part) / (parts - 1)
    operator_squares = parts * trials * sum((each - mean) ** 2 for each in of_operator) / (operators - 1)
    crossed = trials * sum(
        (of_cell[part][one] - of_part[part] - of_operator[one] + mean) ** 2
        for part in range(parts)
        for one in range(operators)
    )
    repeats = sum((value - fmean(cell)) ** 2 for part in cells for cell in part for value in cell)
    crossed_freedom, freedom = (parts - 1) * (operators - 1), parts * operators * (trials - 1)
    error, cross = repeats / freedom, crossed / crossed_freedom
    interaction = 0.0
    if error <= 0 or f_above(cross / error, crossed_freedom, freedom) <= POOL_ABOVE:
        interaction = max(0.0, (cross - error) / trials)
    else:
        error = cross = (repeats + crossed) / (freedom + crossed_freedom)
    return Study(
        sqrt(error),
        sqrt(max(0.0, (operator_squares - cross) / (parts * trials))),
        sqrt(interaction),
        sqrt(max(0.0, (part_squares - cross) / (operators * trials))),
    )


def f_above(ratio: float, above: float, below: float) -> float:
    """Probability that an F of (above, below) degrees of freedom exceeds the ratio."""
    return _incomplete_beta(below / 2, above / 2, below / (below + above * ratio))


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta function by its continued fraction (Lentz)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, 1 - x)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    upper, lower = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    found = lower
    for step in range(1, 1000):
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        change = 1.0
        for part in (even, odd):
            lower = 1 / (1 + part * lower)
            upper = 1 + part / upper
            change = upper * lower
            found *= change
        if abs(change - 1) < 1e-14:
            break
    return front * found


def _verdict(share: float, study: Study) -> dict[str, str]:
    zh = f"GRR 占总变差 {share:.1f} %，可分辨 {study.categories} 类。"
    en = f"The gauge makes {share:.1f} % of the variation; classes of parts told apart: {study.categories}. "
    if share < GOOD_PERCENT:
        zh += "低于 10 %：量具可用。"
        en += "Below 10 %: the gauge is fit for use."
    elif share <= BAD_PERCENT:
        zh += "10 % 到 30 %：看特性重要程度和改进费用，与客户商定后有条件使用。"
        en += "From 10 to 30 %: conditional, depending on the characteristic and on what better would cost; agree it."
    else:
        zh += "高于 30 %：不能用来判定或做 SPC，先改测量。"
        en += "Above 30 %: not fit to judge parts or for SPC; mend the measuring first."
    if study.categories < FEWEST_CATEGORIES:
        zh += f"可分辨类数少于 {FEWEST_CATEGORIES}：分不清零件差别，或所选零件太相近。"
        en += f" Fewer than {FEWEST_CATEGORIES} classes: parts are not told apart, or those chosen were too much alike."
    if share >= GOOD_PERCENT:
        if study.repeatability >= sqrt(study.reproducibility**2 + study.interaction**2):
            zh += "重复性占大头：查量具分辨力、夹持、磨损和清洁。"
            en += " Repeats dominate: look at resolution, clamping, wear and dirt."
        else:
            zh += "人与人的差占大头：统一测量位置、力和读数方法，再培训。"
            en += " Differences between operators dominate: settle place, force and reading, and train."
    return {"zh": zh, "en": en}


def _tolerance_note(of_tolerance: float, share: float) -> dict[str, str]:
    zh = f"占公差 {of_tolerance:.1f} %（6 倍标准差）。判合格不合格看这个，做 SPC 看占总变差。"
    en = f"{of_tolerance:.1f} % of the tolerance (six standard deviations): that counts for accepting parts, the share of the "
    en += "variation for SPC."
    if (of_tolerance > BAD_PERCENT) != (share > BAD_PERCENT):
        zh += "两个结论不同，按用途取一个。"
        en += " The two verdicts differ: go by the use."
    return {"zh": zh, "en": en}


def _table(studies: dict[str, Study], tolerance: float) -> dict[str, Any]:
    rows = []
    for name, study in studies.items():
        share = 100 * study.gauge / study.total
        of_tolerance = rounded(600 * study.gauge / tolerance, 2) if tolerance > 0 else ""
        deviations = [
            study.repeatability,
            study.reproducibility,
            study.interaction,
            study.gauge,
            study.parts,
            study.total,
        ]
        rows.append([name, *(rounded(each) for each in deviations), rounded(share, 2), of_tolerance, study.categories])
    names = (
        ("method", "方法", "Method", ""), ("repeatability", "重复性 EV", "Repeatability EV", ""),
        ("reproducibility", "再现性 AV", "Reproducibility AV", ""), ("interaction", "交互", "Interaction", ""),
        ("gauge", "GRR", "GRR", ""), ("parts", "零件 PV", "Parts PV", ""), ("total", "总 TV", "Total TV", ""),
        ("share", "GRR 占总变差", "GRR of variation", "%"), ("of_tolerance", "GRR 占公差", "GRR of tolerance", "%"),
        ("ndc", "可分辨类数", "Classes", ""),
    )  # fmt: skip
    columns = [{"name": name, "title_zh": zh, "title_en": en, "unit": unit} for name, zh, en, unit in names]
    return {"title_zh": "两种方法对照", "title_en": "Both methods", "columns": columns, "rows": rows}
