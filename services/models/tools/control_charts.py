"""Control charts of measurements: averages and ranges, or individuals and moving ranges."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import floor, log10
from statistics import fmean
from typing import Any

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.figures import written
from services.models.tools.run_rules import RULE_SETS, RULES, Hit, hits
from services.models.tools.spc import CONSTANTS, FEWEST, Chart

ENOUGH = 20
"""Subgroups below which limits are provisional; 20 to 25 are usual."""
MOST_ROWS = 100
"""Rows of a table that a reader still looks through."""


def control_chart(measurements: Sequence[float], subgroup: float, rule_set: str) -> ToolAnswer:
    """Limits of a control chart from the data themselves, and every special cause that the tests find.

    Subgroups of n: UCL, LCL = mean of means +- A2 mean range; ranges D4, D3 times the mean range. Individuals (n = 1):
    mean +- 2.66 mean moving range; moving range 3.267 times its mean. The tests run on averages or individuals; ranges,
    which are not symmetric, are held against their limits only.

    Arguments: at least 20 measurements in their order of making, subgroup size 1 to 10, tests (1, 1-4 or 1-8); what does
    not fill a subgroup is left out. Returns the number of signals, points outside, centre and limits of both charts and
    sigma_within, with a table of every hit. Raises ValueError. Source: ISO 7870-2 / GB/T 17989.
    """
    size = round(subgroup)
    if size != subgroup or not 1 <= size <= 10:
        raise ValueError(
            f"子组容量应为 1 到 10 的整数，现为 {subgroup:g} / the subgroup must be a whole number from 1 to 10, got {subgroup:g}"
        )
    if len(measurements) < FEWEST:
        held = len(measurements)
        raise ValueError(f"至少 {FEWEST} 个数据，现有 {held} 个 / at least {FEWEST} measurements, got {held}")
    location, spread = _individuals(measurements) if size == 1 else _subgroups(measurements, size)
    if spread["centre"] <= 0:
        raise ValueError(
            "组内数据没有波动，算不出控制限：查量具分辨力或是否复制了数据 / "
            "no variation within subgroups: check the resolution of the gauge or copied data"
        )
    error = (location["upper"] - location["centre"]) / 3
    distances = [(point - location["centre"]) / error for point in location["points"]]
    found = hits(distances, RULE_SETS[rule_set])
    spread_found = [
        Hit(RULES[0], place, place)
        for place, point in enumerate(spread["points"], start=1)
        if not spread["lower"] <= point <= spread["upper"]
    ]
    outputs = {
        "signals": len(found) + len(spread_found),
        "points_outside": sum(hit.rule.number == 1 for hit in found) + len(spread_found),
        "centre": rounded(location["centre"]), "upper_limit": rounded(location["upper"]),
        "lower_limit": rounded(location["lower"]), "range_centre": rounded(spread["centre"]),
        "range_upper": rounded(spread["upper"]), "range_lower": rounded(spread["lower"]),
        "sigma_within": rounded(spread["centre"] / CONSTANTS[max(size, 2)][3]), "groups": len(location["points"]),
    }  # fmt: skip
    notes = [_verdict(found, spread_found, location), *_doubts(len(measurements), size, len(location["points"]))]
    tables = hit_tables([(location, found), (spread, spread_found)])
    return ToolAnswer(outputs, tuple(notes), tuple(_shown(each) for each in (location, spread)), tables)


def chart_of(zh: str, en: str, points: Sequence[float], centre: float, upper: float, lower: float) -> Chart:
    return {"title_zh": zh, "title_en": en, "points": list(points), "centre": centre, "upper": upper, "lower": lower}


def _individuals(values: Sequence[float]) -> tuple[Chart, Chart]:
    moving = [abs(after - before) for before, after in pairwise(values)]
    mean, spread = fmean(values), fmean(moving)
    reach = 3 / CONSTANTS[2][3] * spread
    return (
        chart_of("单值图", "Individuals", values, mean, mean + reach, mean - reach),
        chart_of("移动极差图", "Moving range", moving, spread, CONSTANTS[2][2] * spread, 0.0),
    )


def _subgroups(values: Sequence[float], size: int) -> tuple[Chart, Chart]:
    a2, d3, d4, _ = CONSTANTS[size]
    groups = [values[place : place + size] for place in range(0, len(values) - size + 1, size)]
    means, ranges = [fmean(group) for group in groups], [max(group) - min(group) for group in groups]
    centre, spread = fmean(means), fmean(ranges)
    return (
        chart_of("均值图", "Averages", means, centre, centre + a2 * spread, centre - a2 * spread),
        chart_of("极差图", "Ranges", ranges, spread, d4 * spread, d3 * spread),
    )


def _shown(chart: Chart) -> Chart:
    numbers = {name: rounded(chart[name]) for name in ("centre", "upper", "lower")}
    return {**chart, **numbers, "points": [rounded(point) for point in chart["points"]]}


def _verdict(found: Sequence[Hit], spread_found: Sequence[Hit], location: Chart) -> dict[str, str]:
    centre, lower, upper = (written(location[name], _digits(location)) for name in ("centre", "lower", "upper"))
    zh = f"中心 {centre}，控制限 {lower} 到 {upper}。"
    en = f"Centre {centre}, limits {lower} to {upper}."
    if spread_found:
        places = _places(spread_found)
        zh += f"极差（移动极差）第 {places} 点越限：先找这几组波动变大的原因，处理前均值图的控制限不可靠。"
        en += f" Ranges {places} lie outside: find first why these vary more; until then the limits of the other chart do "
        en += "not hold."
    if found:
        zh += f"出现 {said_of(found)['zh']}：过程不受控，按点的时间查换料、换刀、换班和调整。"
        en += f" Found: {said_of(found)['en']}. Not in control: look up material, tool, shift and settings at those times."
    if not found and not spread_found:
        zh += "没有越限和链：过程受控，可把控制限固定下来用于现场。受控不等于合格，能力另算。"
        en += " No signal: in control, the limits may be fixed for use. In control is not the same as capable."
    return {"zh": zh, "en": en}


def _digits(location: Chart) -> int:
    """So many that the reach of the limits shows three."""
    largest = max(abs(location["upper"]), abs(location["lower"]))
    return 3 + max(0, floor(log10(largest)) - floor(log10(location["upper"] - location["centre"])))


def said_of(found: Sequence[Hit]) -> dict[str, str]:
    """The hits in words, one clause a rule; the table has them all."""
    zh, en = [], []
    for rule in dict.fromkeys(hit.rule for hit in found):
        runs = [hit for hit in found if hit.rule is rule]
        at = [str(hit.first) if hit.first == hit.last else f"{hit.first}–{hit.last}" for hit in runs[:6]]
        more = len(runs) > len(at)
        zh.append(f"准则 {rule.number}（{rule.zh}）第 {'、'.join(at)}{'…' if more else ''} 点")
        en.append(f"rule {rule.number} ({rule.en}) at {', '.join(at)}{'…' if more else ''}")
    return {"zh": "；".join(zh), "en": "; ".join(en)}


def _places(found: Sequence[Hit]) -> str:
    return ", ".join(str(hit.first) for hit in found[:8]) + ("…" if len(found) > 8 else "")


def _doubts(count: int, size: int, groups: int) -> list[dict[str, str]]:
    notes = []
    if groups < ENOUGH:
        notes.append(
            {
                "zh": f"只有 {groups} 组，控制限是暂定的；通常用 20 到 25 组，够了再固定。",
                "en": f"Only {groups} subgroups: provisional limits; 20 to 25 are usual before they are fixed.",
            }
        )
    if count > groups * size:
        left = count - groups * size
        notes.append(
            {
                "zh": f"最后 {left} 个数据不满一组，没有计入。",
                "en": f"The last {left} measurements do not fill a subgroup and were left out.",
            }
        )
    return notes


def hit_tables(charts: Sequence[tuple[Chart, Sequence[Hit]]]) -> tuple[dict[str, Any], ...]:
    """One table of all hits, or none when there are none; the first hundred rows."""
    rows = [
        [f"{chart['title_zh']} / {chart['title_en']}", hit.rule.number, f"{hit.rule.zh} / {hit.rule.en}", hit.first,
         hit.last, rounded(chart["points"][hit.last - 1])]
        for chart, found in charts
        for hit in found
    ]  # fmt: skip
    names = (
        ("chart", "图", "Chart"), ("rule", "准则", "Rule"), ("meaning", "含义", "Meaning"), ("first", "起点", "From point"),
        ("last", "终点", "To point"), ("value", "终点值", "Value at the end"),
    )  # fmt: skip
    columns = [{"name": name, "title_zh": zh, "title_en": en, "unit": ""} for name, zh, en in names]
    return (
        ({"title_zh": "异常信号", "title_en": "Signals", "columns": columns, "rows": rows[:MOST_ROWS]},) if rows else ()
    )
