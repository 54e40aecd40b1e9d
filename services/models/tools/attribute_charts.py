"""Control charts of counts: defective units (p, np) and defects (c, u)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean
from typing import Any

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.control_charts import ENOUGH, MOST_ROWS, chart_of, hit_tables, said_of
from services.models.tools.figures import written
from services.models.tools.run_rules import RULE_SETS, Hit, hits

FEWEST_GROUPS = 10
EXPECTED = 5.0
"""Expected count of a subgroup from which three-sigma limits of counts are held to be good."""
OVERDISPERSED = 1.5
"""Standard deviation of the distances from the centre, in standard errors, above which more than chance is at work."""


@dataclass(frozen=True)
class Limits:
    points: list[float]
    errors: list[float]
    """Standard error of each point."""
    centre: float
    ceiling: float | None
    """What a point cannot exceed: 1 for a share, the sample for a number of defectives."""

    def of(self, place: int) -> tuple[float, float]:
        upper = self.centre + 3 * self.errors[place]
        lower = max(0.0, self.centre - 3 * self.errors[place])
        return lower, upper if self.ceiling is None else min(upper, self.ceiling)


def attribute_chart(kind: str, counts: Sequence[float], sizes: Sequence[float]) -> ToolAnswer:
    """Limits of a chart of counts and what lies outside them.

    p: pbar +- 3 sqrt(pbar (1 - pbar) / n_i); np: n pbar +- 3 sqrt(n pbar (1 - pbar)); c: cbar +- 3 sqrt(cbar);
    u: ubar +- 3 sqrt(ubar / n_i); a lower limit below 0 is 0. pbar = sum of counts / sum of n, ubar likewise.

    Arguments: kind (p or np: defective units; c or u: defects), counts of the subgroups in their order, sizes of the
    samples (units for p and np, areas of opportunity for c and u; one number holds for all). Returns signals,
    points_outside, centre, the limits (those of the mean size where sizes differ) and groups; where sizes differ the
    chart shows the distances in standard errors. Tests 1 to 4. Raises ValueError. Source: ISO 7870-2.
    """
    areas = _sizes(kind, counts, sizes)
    limits = _limits(kind, counts, areas)
    distances = [(point - limits.centre) / error for point, error in zip(limits.points, limits.errors, strict=True)]
    found = hits(distances, RULE_SETS["1-4"])
    is_even = max(areas) == min(areas)
    typical = _limits(kind, [fmean(counts)], [fmean(areas)], limits.centre)
    lower, upper = typical.of(0)
    outputs = {
        "signals": len(found), "points_outside": sum(hit.rule.number == 1 for hit in found),
        "centre": rounded(limits.centre), "upper_limit": rounded(upper), "lower_limit": rounded(lower),
        "groups": len(counts),
    }  # fmt: skip
    if is_even:
        chart = chart_of(f"{kind} 图", f"{kind} chart", limits.points, limits.centre, upper, lower)
    else:
        chart = chart_of(f"{kind} 图（标准化）", f"{kind} chart, standardised", distances, 0.0, 3.0, -3.0)
    notes = [_verdict(kind, limits, found, (lower, upper), is_even), *_doubts(kind, limits, areas, distances, lower)]
    shown = {**chart, "points": [rounded(point) for point in chart["points"]]}
    shown |= {name: rounded(chart[name]) for name in ("centre", "upper", "lower")}
    return ToolAnswer(outputs, tuple(notes), (shown,), (*hit_tables([(chart, found)]), _table(counts, areas, limits)))


def _sizes(kind: str, counts: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """The size of every sample. Raises ValueError for what cannot be counted."""
    if len(counts) < FEWEST_GROUPS:
        raise ValueError(
            f"至少 {FEWEST_GROUPS} 组，现有 {len(counts)} 组 / at least {FEWEST_GROUPS} samples, got {len(counts)}"
        )
    if len(sizes) not in (1, len(counts)):
        raise ValueError(
            f"样本量填一个（各组相同）或 {len(counts)} 个，现有 {len(sizes)} 个"
            f" / give one size or {len(counts)}, got {len(sizes)}"
        )
    areas = list(sizes) * len(counts) if len(sizes) == 1 else list(sizes)
    for place, (count, area) in enumerate(zip(counts, areas, strict=True), start=1):
        if count < 0 or count != round(count):
            raise ValueError(
                f"第 {place} 组计数应为非负整数，现为 {count:g} / count {place} must be whole, got {count:g}"
            )
        if area <= 0:
            raise ValueError(f"第 {place} 组样本量应大于 0，现为 {area:g} / size {place} must be above 0, got {area:g}")
        if kind in ("p", "np") and count > area:
            raise ValueError(
                f"第 {place} 组不合格数 {count:g} 超过样本量 {area:g}；数缺陷用 c 或 u 图 / "
                f"sample {place} has {count:g} defective of {area:g}; defects go on a c or u chart"
            )
    if kind in ("np", "c") and max(areas) != min(areas):
        other = {"np": "p", "c": "u"}[kind]
        raise ValueError(
            f"{kind} 图要求各组样本量相同，现从 {min(areas):g} 到 {max(areas):g}：改用 {other} 图 / "
            f"a {kind} chart needs equal sizes, got {min(areas):g} to {max(areas):g}: use a {other} chart"
        )
    return areas


def _limits(kind: str, counts: Sequence[float], areas: Sequence[float], centre: float | None = None) -> Limits:
    """Points, standard errors and centre line; with a `centre` given, that of the whole series is kept."""
    if kind in ("np", "c"):
        middle = fmean(counts) if centre is None else centre
        points, ceiling = list(counts), areas[0] if kind == "np" else None
        errors = [sqrt(middle * (1 - middle / area) if kind == "np" else middle) for area in areas]
    else:
        middle = sum(counts) / sum(areas) if centre is None else centre
        points, ceiling = (
            [count / area for count, area in zip(counts, areas, strict=True)],
            1.0 if kind == "p" else None,
        )
        errors = [sqrt(middle * (1 - middle if kind == "p" else 1) / area) for area in areas]
    if min(errors) <= 0:
        raise ValueError(
            "全部为 0 或全部不合格，画不出控制图：加大样本量 / no or only defectives: a chart needs larger samples"
        )
    return Limits(points, errors, middle, ceiling)


_ADVICE: dict[tuple[int, bool], tuple[str, str]] = {
    (1, False): (
        "有点落在下限以下：先查是否漏检，若真变好就把做法固定下来。",
        "A point lies below: check for missed defects; if it is real, keep what was done. ",
    ),
    (1, True): (
        "越上限的组按日期和班次查来料、设备和人员，先隔离那一批。",
        "For points above, look up material, machine and crew of that day and hold that lot. ",
    ),
    (2, False): (
        "连续偏低：若是改进见效，从那时起重算控制限。",
        "A run below: if an improvement works, compute new limits from then on. ",
    ),
    (2, True): (
        "连续偏高：水平变差了，查那时起换了什么。",
        "A run above: the level has worsened, see what changed then. ",
    ),
}
"""What to do, by rule and whether it was above the centre."""


def _verdict(
    kind: str, limits: Limits, found: Sequence[Hit], usual: tuple[float, float], is_even: bool
) -> dict[str, str]:
    lower, upper = usual
    said = "" if is_even else "（按平均样本量）", "" if is_even else " (at the mean size)"
    zh = f"{kind} 图中心 {written(limits.centre)}，控制限 {written(lower)} 到 {written(upper)}{said[0]}。"
    en = f"{kind} chart: centre {written(limits.centre)}, limits {written(lower)} to {written(upper)}{said[1]}. "
    if not found:
        zh += "没有越限和链：过程受控，不良水平要靠改方法、换料、改模这类系统改进才会降。"
        en += "No signal: in control, the level falls only by a change of method, material or tooling."
        return {"zh": zh, "en": en}
    zh += f"出现 {said_of(found)['zh']}。"
    en += f"Found: {said_of(found)['en']}. "
    sides = {(hit.rule.number, limits.points[hit.last - 1] > limits.centre) for hit in found}
    for side, (said_zh, said_en) in _ADVICE.items():
        if side in sides:
            zh, en = zh + said_zh, en + said_en
    return {"zh": zh, "en": en.strip()}


def _doubts(
    kind: str, limits: Limits, areas: Sequence[float], distances: Sequence[float], lower: float
) -> list[dict[str, str]]:
    notes = []
    expected = limits.centre * (1 if kind in ("np", "c") else min(areas))
    if expected < EXPECTED:
        notes.append(
            {
                "zh": f"平均每组只有约 {expected:.1f} 个，少于 {EXPECTED:g} 个时三倍标准差的界限误报多：把几班并成一组。",
                "en": f"About {expected:.1f} are expected in a sample; below {EXPECTED:g} limits of three sigma raise false "
                "alarms: put several shifts together.",
            }
        )
    if lower == 0 and kind in ("p", "np"):
        share = limits.centre / (areas[0] if kind == "np" else 1)
        notes.append(
            {
                "zh": f"下限为 0，看不出变好：样本量要大于 {9 * (1 - share) / share:.0f} 才有下限。",
                "en": f"The lower limit is 0 and cannot show an improvement: samples above {9 * (1 - share) / share:.0f} have one.",
            }
        )
    spread = sqrt(fmean([each**2 for each in distances]))
    if spread > OVERDISPERSED:
        notes.append(
            {
                "zh": f"点的离散是理论值的 {spread:.1f} 倍：除偶然外还有批间差别，样本很大时常见；可改用不良率的单值图看。",
                "en": f"The points scatter {spread:.1f} times as far as chance would have it: lots differ, as is common with very "
                "large samples; an individuals chart of the rate may serve better.",
            }
        )
    if len(distances) < ENOUGH:
        notes.append(
            {
                "zh": f"只有 {len(distances)} 组，控制限是暂定的；通常用 20 到 25 组。",
                "en": f"Only {len(distances)} samples: provisional limits; 20 to 25 are usual.",
            }
        )
    return notes


def _table(counts: Sequence[float], areas: Sequence[float], limits: Limits) -> dict[str, Any]:
    rows = []
    for place, (count, area) in enumerate(zip(counts, areas, strict=True)):
        lower, upper = limits.of(place)
        figures = [rounded(each, 5) for each in (limits.points[place], lower, upper)]
        rows.append([place + 1, count, area, *figures])
    names = (
        ("group", "组", "Sample"), ("count", "计数", "Count"), ("size", "样本量", "Size"), ("point", "点", "Point"),
        ("lower", "下限", "Lower limit"), ("upper", "上限", "Upper limit"),
    )  # fmt: skip
    columns = [{"name": name, "title_zh": zh, "title_en": en, "unit": ""} for name, zh, en in names]
    return {"title_zh": "各组控制限", "title_en": "Limits by sample", "columns": columns, "rows": rows[:MOST_ROWS]}
