"""Energy baseline by output and weather, the saving of a retrofit with its uncertainty, and the CUSUM.

ISO 50006: E = b0 + b1 * output + b2 * degree days + ..., by ordinary least squares on days (or longer) of the baseline
period; saving = sum of (expected - actual) over the reporting period. Uncertainty: variance of the summed prediction
from the regression, its residual variance enlarged for autocorrelation as in ASHRAE Guideline 14,
n' = n * (1 - rho) / (1 + rho).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from scipy.stats import t as student

from services.models.errors import CannotTrain, DoesNotBeatNaive
from services.models.training.comparing import difference, shortened
from services.models.training.learning_set import Said
from services.models.training.own_package import CODE_VERSION, table_hash
from services.models.training.report import KIND, Figure, Report, figure, series
from services.models.training.splits import blocks
from services.models.training.table import Roles, Table
from services.models.training.templates.energy_days import Days, days_of, degree_days
from services.models.training.templates.energy_line import Line, Saving, days_needed, fit, saving
from services.models.training.templates.template import Document, Progress, Template

FEWEST_BASELINE, FEWEST_REPORTING = 30, 3
STRETCHES = 8
BEYOND = 0.05
AIMS_PERCENT = (5.0, 10.0, 20.0)


def run(table: Table, roles: Roles, progress: Progress) -> Document:
    progress(0.1, "按天汇总 / summing by day")
    days = days_of(table, roles)
    before, after = _periods(table, roles, days)
    if before.sum() < FEWEST_BASELINE:
        raise CannotTrain(
            column=roles.time or "", reason_zh=f"基准期只有 {int(before.sum())} 天，至少需要 {FEWEST_BASELINE} 天。",
            reason_en=f"The baseline period has {int(before.sum())} days; {FEWEST_BASELINE} are needed at least.",
        )  # fmt: skip
    progress(0.4, "回归并检验 / fitting and testing")
    tested = _tested(days, before, roles)
    days = degree_days(days, before)
    line = fit(days.drivers[before], days.energy[before])
    progress(0.8, "节能量与不确定度 / saving and its uncertainty")
    found = saving(line, days.drivers[after], days.energy[after], roles.coverage) if after.sum() else None
    return dict(_report(table, roles, days, before, after, line, found, tested))


def _periods(table: Table, roles: Roles, days: Days) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Baseline and reporting days: by `since` of the options, else by the group column (first value, later value)."""
    since = roles.options.get("since")
    if since is not None:
        try:
            moment = since if isinstance(since, datetime) else datetime.fromisoformat(str(since))
        except ValueError:
            raise CannotTrain(
                column="", reason_zh=f"改造日期「{str(since)[:30]}」读不懂，应如 2025-03-01。",
                reason_en=f"the day of the retrofit “{str(since)[:30]}” is not like 2025-03-01.",
            ) from None  # fmt: skip
        after = days.day >= int(moment.replace(tzinfo=UTC).timestamp() // 86_400)
        return ~after, after
    if roles.group is None:
        return np.ones(len(days.day), dtype=bool), np.zeros(len(days.day), dtype=bool)
    first = days.period[0]
    return days.period == first, days.period > first


def _tested(days: Days, before: np.ndarray[Any, Any], roles: Roles) -> dict[str, Any]:
    """The line beside the plain daily mean, each of eight stretches of the baseline judged by the other seven. Raises
    `DoesNotBeatNaive`."""
    rows = np.flatnonzero(before)
    stretch = blocks(rows.size, STRETCHES)
    own, naive = np.empty(rows.size), np.empty(rows.size)
    for number in range(STRETCHES):
        test, learn = rows[stretch == number], rows[stretch != number]
        learning = np.zeros(len(before), dtype=bool)
        learning[learn] = True
        drivers = degree_days(days, learning).drivers
        expected = fit(drivers[learn], days.energy[learn]).expected(drivers[test])
        own[stretch == number] = np.abs(expected - days.energy[test])
        naive[stretch == number] = np.abs(days.energy[learn].mean() - days.energy[test])
    zh, en = "总取基准期日均", "always the baseline's daily mean"
    found = difference(own, naive, blocks(rows.size, max(rows.size // 7, 2)))
    figures: dict[str, Any] = {
        "mae": shortened(float(own.mean())), "naive": {"mae": shortened(float(naive.mean()))}, "rows_tested": int(rows.size),
        "difference": found.as_json(), "rule": {"zh": zh, "en": en},
    }  # fmt: skip
    if not found.better:
        raise DoesNotBeatNaive(
            metric="MAE", model=figures["mae"], naive=figures["naive"]["mae"], rule_zh=zh, rule_en=en, unit=roles.unit,
            low=shortened(found.low), high=shortened(found.high), rows=int(rows.size), figures=figures,
            advice_zh="产量、气温、开机时间中缺少真正决定能耗的列；补上后再做基准。",
            advice_en="The columns that drive the energy (output, temperature, running hours) are missing: add them first.",
        )  # fmt: skip
    return figures


def _report(
    table: Table, roles: Roles, days: Days, before: np.ndarray[Any, Any], after: np.ndarray[Any, Any], line: Line,
    found: Saving | None, tested: dict[str, Any],
) -> Report:  # fmt: skip
    unit = roles.unit or table.units.get(roles.target, "")
    expected = line.expected(days.drivers)
    dates = [(datetime(1970, 1, 1) + timedelta(days=int(day))).strftime("%Y-%m-%d") for day in days.day]
    figures = _figures(days, line, found, tested, unit)
    verdict = _verdict(days, before, line, found, roles.coverage, unit)
    notes = [Said(*each) for each in days.notes] + _beyond(days, before, after)
    notes.append(
        Said(
            "基准只在基准期出现过的产量和气温范围内有效；设备、产品结构或班制变了要重建基准。结果是这些列解释不了的变化，不等于全由改造引起。",
            "Valid within the output and weather seen in the baseline; rebuild it after a change of machines, products or "
            "shifts. The result is what these columns do not explain, which need not all be the retrofit.",
        )
    )
    if line.r2 < 0.75 or line.cv_rmse > 0.25:
        said = f"R2 {line.r2:.2f}，CV(RMSE) {line.cv_rmse:.0%}"
        notes.append(
            Said(f"{said}：按常用的经验线（R2 不低于 0.75，CV(RMSE) 不高于 25 %）偏弱，宜补充影响因素。", f"{said}: weak by the usual rule of thumb (R2 0.75, CV(RMSE) 25 %): more drivers are wanted.")
        )  # fmt: skip
    return {
        "kind": KIND, "template": TEMPLATE.id, "title": {"zh": roles.title, "en": roles.title},
        "verdict": verdict.as_json(), "shown": found is not None and found.shown, "figures": figures,
        "series": [
            series("actual", Said("实际", "Actual"), unit, dates, [float(each) for each in days.energy]),
            series("expected", Said("基准预期", "Expected"), unit, dates, [float(each) for each in expected]),
            series("cusum", Said("累计（实际减预期）", "CUSUM (actual minus expected)"), unit, dates, [float(each) for each in np.cumsum(days.energy - expected)]),
        ],
        "notes": [each.as_json() for each in notes],
        "lineage": {
            "data": {"sha256": table_hash(table), "rows": table.rows, "days": len(days.day), "baseline_days": int(before.sum()), "reporting_days": int(after.sum())},
            "protocol": TEMPLATE.protocol.zh + " / " + TEMPLATE.protocol.en,
            "parameters": {"template": TEMPLATE.id, "code": CODE_VERSION, "drivers": list(days.names), "coefficients": [shortened(float(each)) for each in line.weights]},
            "metrics": tested,
        },
    }  # fmt: skip


def _beyond(days: Days, before: np.ndarray[Any, Any], after: np.ndarray[Any, Any]) -> list[Said]:
    """Drivers that after the retrofit left the range of the baseline, where the line is a guess."""
    found = []
    for place, name in enumerate(days.names):
        known, met = days.drivers[before, place], days.drivers[after, place]
        outside = int(((met < known.min()) | (met > known.max())).sum())
        if outside > BEYOND * max(met.size, 1):
            zh = f"改造后有 {outside} 天的「{name}」超出基准期出现过的范围，这些天的预期只是外推。"
            found.append(Said(zh, f"On {outside} days “{name}” left the baseline's range: there the line is a guess."))
    return found


def _figures(days: Days, line: Line, found: Saving | None, tested: dict[str, Any], unit: str) -> list[Figure]:
    figures = [
        figure("r2", Said("R2（基准期）", "R2 (baseline)"), line.r2),
        figure("cv_rmse_percent", Said("CV(RMSE)", "CV(RMSE)"), 100 * line.cv_rmse, "%"),
        figure("tested_mae", Said("检验期平均绝对误差", "MAE on the tested part"), tested["mae"], f"{unit}/d"),
        figure(
            "naive_mae", Said("简单规则的平均绝对误差", "MAE of the simple rule"), tested["naive"]["mae"], f"{unit}/d"
        ),
        figure("constant", Said("固定部分", "Base load"), float(line.weights[0]), f"{unit}/d"),
    ]
    spreads = np.sqrt(np.diag(line.inverse))[1:]
    for place, (name, weight, spread) in enumerate(zip(days.names, line.weights[1:], spreads, strict=True), start=1):
        half = float(
            student.ppf(0.975, line.freedom) * spread * line.residual * np.sqrt((1 + line.rho) / (1 - line.rho))
        )
        said = Said(f"每单位「{name}」", f"per unit of “{name}”")
        figures.append(
            figure(f"coefficient_{place}", said, float(weight), unit, (float(weight) - half, float(weight) + half))
        )
    if found is not None:
        band = (found.total - found.half, found.total + found.half)
        figures.append(figure("saving", Said("节能量", "Saving"), found.total, unit, band))
        percent = 100 / found.expected
        figures.append(
            figure("saving_percent", Said("节能率", "Saving share"), found.total * percent, "%", (band[0] * percent, band[1] * percent))
        )  # fmt: skip
    return figures


def _verdict(
    days: Days, before: np.ndarray[Any, Any], line: Line, found: Saving | None, coverage: float, unit: str
) -> Said:
    typical = days.drivers[before].mean(axis=0)
    a_day = float(days.energy[before].mean())
    if found is None or found.days < FEWEST_REPORTING:
        for percent in AIMS_PERCENT:
            need = days_needed(line, typical, percent, a_day, coverage)
            if need is not None:
                return Said(
                    f"基准已建立，还没有改造后的数据可评。按基准的波动，改造后需要约 {need} 天才能把节能量测到用能的 ±{percent:g} %。",
                    f"A baseline is made; there is nothing after the retrofit yet. About {need} days are needed to know a saving "
                    f"to ±{percent:g} % of the energy.",
                )
        return Said(
            f"基准已建立，但波动太大，改造后再久也测不到 ±{AIMS_PERCENT[-1]:g} % 以内；先补充影响因素或延长基准期。",
            f"A baseline is made, but too uncertain ever to show a saving to ±{AIMS_PERCENT[-1]:g} %: add drivers or a longer baseline.",
        )
    share, half = 100 * found.total / found.expected, 100 * found.half / found.expected
    if found.shown:
        zh, en = ("节约", "saved") if found.total > 0 else ("多用", "used more")
        return Said(
            f"改造后 {found.days} 天{zh} {abs(found.total):,.0f} {unit}，即 {abs(share):.1f} %，{coverage:.0%} 区间 ±{half:.1f} 个百分点。",
            f"In {found.days} days {en} {abs(found.total):,.0f} {unit}, {abs(share):.1f} %, {coverage:.0%} interval ±{half:.1f} points.",
        )
    aim = max(1.0, round(abs(share) * 0.8, 1)) if abs(share) >= 1 else 1.0
    need = days_needed(line, typical, aim, a_day, coverage)
    if need is None or need <= found.days:
        more_zh, more_en = "再久也达不到这个精度，须先改进基准", "no number of days reaches that: improve the baseline"
    else:
        more_zh, more_en = (
            f"还需约 {need - found.days} 天才能测到 ±{aim:g} %",
            f"about {need - found.days} more days are needed for ±{aim:g} %",
        )
    return Said(
        f"还不能说节约了：{found.days} 天算得 {share:.1f} %，{coverage:.0%} 区间 ±{half:.1f} 个百分点，包含 0；{more_zh}。",
        f"A saving cannot be shown yet: {share:.1f} % in {found.days} days, {coverage:.0%} interval ±{half:.1f} points holds "
        f"zero; {more_en}.",
    )


TEMPLATE = Template(
    id="energy_baseline",
    title=Said("能源基准与节能量", "Energy baseline and saving"),
    answers=Said("按产量和天气算，该用多少能；改造到底省了没有，省多少？", "What should the energy be for this output and weather, and did the retrofit save?"),
    needs=("time",),
    protocol=Said(
        "ISO 50006：基准期按天回归；基准期分八段，每段由其余七段预测，须胜过日均值；节能量带不确定度。",
        "ISO 50006: regression by day; each of eight stretches of the baseline is judged by the other seven and the daily "
        "mean must be beaten; the saving has its uncertainty.",
    ),
    publishes="report",
    run=run,
    options=("since", "sum"),
)  # fmt: skip
