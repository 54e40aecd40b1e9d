"""Life of tools, dies and parts: Weibull distribution by maximum likelihood, and when to replace before failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, gamma, log, sqrt

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.figures import written
from services.models.tools.refusals import refuse_unless_positive

FEWEST_FAILURES = 3
ENOUGH_FAILURES = 10
"""Failures below which the shape is usually estimated too high."""
NORMAL_90 = 1.6449
STEEPEST = 200.0
"""Shape above which the lives are as good as equal."""
WORTHWHILE = 0.05
"""Share of the cost that replacing early must save to be worth its trouble; trade experience."""
_STEPS = 200


@dataclass(frozen=True)
class Fit:
    shape: float
    scale: float
    """Life that 36.8 % reach, in the unit of the times."""
    low: float
    high: float
    """90 % interval of the shape."""


def weibull_replacement(
    times: Sequence[float], censored: Sequence[float], planned_yuan: float, failure_yuan: float
) -> ToolAnswer:
    """Weibull distribution of lives, and the age at which to replace so that a unit of time costs least.

    Likelihood: for R(t) = exp(-(t/eta)^beta) the shape solves sum(t^beta ln t) / sum(t^beta) - 1/beta = mean of ln t over
    failures, sums over all; eta = (sum(t^beta) / failures)^(1/beta). Cost of a unit of time when replaced at age T or at
    failure: C(T) = (cp R(T) + cf (1 - R(T))) / integral of R from 0 to T; for ever, cf / mean life.

    Arguments: times (hours, strokes or pieces, all in one unit), for each 1 when it had not failed yet and 0 when it had
    (one number holds for all), cost of a planned replacement and of a failure with its consequences (yuan). Returns beta,
    its 90 % interval by the observed information, eta, mean_life, b10_life (10 % have failed) and, where replacing early
    pays, optimal_interval, saving_percent, the share that fails before it, and costs of a unit of time (yuan). Raises
    ValueError. Source: maximum likelihood with right-censored lives; age replacement by Barlow and Hunter 1960.
    """
    refuse_unless_positive(
        ("计划更换费用", "the planned cost", planned_yuan), ("故障费用", "the failure cost", failure_yuan)
    )
    failed = _refuse_or_flags(times, censored)
    fit = fitted(times, failed)
    mean = fit.scale * gamma(1 + 1 / fit.shape)
    outputs = {
        "beta": rounded(fit.shape), "beta_low": rounded(fit.low), "beta_high": rounded(fit.high),
        "eta": rounded(fit.scale), "mean_life": rounded(mean),
        "b10_life": rounded(fit.scale * log(1 / 0.9) ** (1 / fit.shape)), "failures": sum(failed),
        "cost_at_failure": rounded(failure_yuan / mean),
    }  # fmt: skip
    notes = [_shape_note(fit, sum(failed), len(times))]
    age = optimal_age(fit.shape, planned_yuan / failure_yuan)
    if age is None:
        notes.append(_no_age_note(fit.shape, planned_yuan >= failure_yuan))
        return ToolAnswer(outputs, tuple(notes))
    cost = cost_rate(age, fit.shape, planned_yuan, failure_yuan) / fit.scale
    saving = 1 - cost * mean / failure_yuan
    early = 100 * (1 - exp(-(age**fit.shape)))
    if saving >= WORTHWHILE:
        outputs |= {
            "optimal_interval": rounded(age * fit.scale), "cost_at_interval": rounded(cost),
            "saving_percent": rounded(100 * saving), "failed_before_percent": rounded(early),
        }  # fmt: skip
    notes.append(_age_note(age * fit.scale, 100 * saving, early, fit))
    return ToolAnswer(outputs, tuple(notes))


def _refuse_or_flags(times: Sequence[float], censored: Sequence[float]) -> list[bool]:
    """Whether each time is that of a failure."""
    if len(censored) not in (1, len(times)):
        raise ValueError(
            f"截尾标记填一个或 {len(times)} 个，现有 {len(censored)} 个 / give one flag or {len(times)}, got {len(censored)}"
        )
    flags = list(censored) * len(times) if len(censored) == 1 else list(censored)
    for place, (time, flag) in enumerate(zip(times, flags, strict=True), start=1):
        if time <= 0:
            raise ValueError(f"第 {place} 个时间应大于 0，现为 {time:g} / time {place} must be above 0, got {time:g}")
        if flag not in (0, 1):
            raise ValueError(
                f"第 {place} 个标记应为 0（已失效）或 1（还没坏），现为 {flag:g} / flag {place} is 0 (failed) or 1 (not yet), got {flag:g}"
            )
    failed = [flag == 0 for flag in flags]
    lives = {time for time, is_failure in zip(times, failed, strict=True) if is_failure}
    if sum(failed) < FEWEST_FAILURES or len(lives) < 2:
        raise ValueError(
            f"至少要 {FEWEST_FAILURES} 次失效且不全相同，现有 {sum(failed)} 次、{len(lives)} 个不同值 / at least {FEWEST_FAILURES} "
            f"failures, not all equal, got {sum(failed)} with {len(lives)} different"
        )
    return failed


def fitted(times: Sequence[float], failed: Sequence[bool]) -> Fit:
    """Shape and scale by maximum likelihood. Raises ValueError for lives that are as good as equal."""
    # By the longest, so that no power overflows.
    longest = max(times)
    logs = [log(time / longest) for time in times]
    failures = sum(failed)
    wanted = sum(each for each, is_failure in zip(logs, failed, strict=True) if is_failure) / failures

    def excess(shape: float) -> float:
        weights = [exp(shape * each) for each in logs]
        mean = sum(weight * each for weight, each in zip(weights, logs, strict=True)) / sum(weights)
        return mean - 1 / shape - wanted

    if excess(STEEPEST) < 0:
        raise ValueError(
            "寿命几乎都一样，形状参数无法估计：按这个寿命留余量更换即可 / lives are as good as equal: replace just before"
        )
    shape = _root(excess, 1e-3, STEEPEST)
    weights = [exp(shape * each) for each in logs]
    total = sum(weights)
    mean = sum(weight * each for weight, each in zip(weights, logs, strict=True)) / total
    spread = sum(weight * (each - mean) ** 2 for weight, each in zip(weights, logs, strict=True)) / total
    # Second derivative of the likelihood along the best scale, of which the shape's deviation is the inverse root.
    error = 1 / sqrt(failures / shape**2 + failures * spread)
    factor = exp(NORMAL_90 * error / shape)
    return Fit(shape, longest * (total / failures) ** (1 / shape), shape / factor, shape * factor)


def optimal_age(shape: float, cost_ratio: float) -> float | None:
    """Age of replacement in scales at which a unit of time costs least, or None when waiting for failure is best.

    The hazard times the mean time in use, less the share failed, must equal cp / (cf - cp); that rises with age for a
    shape above 1. Ages beyond ten scales are as good as never.
    """
    if shape <= 1 or cost_ratio >= 1:
        return None

    def excess(age: float) -> float:
        hazard = shape * age ** (shape - 1)
        return float(hazard * time_in_use(age, shape) - (1 - exp(-(age**shape))) - cost_ratio / (1 - cost_ratio))

    if excess(10.0) < 0:
        return None
    return _root(excess, 1e-9, 10.0)


def cost_rate(age: float, shape: float, planned: float, failure: float) -> float:
    """Cost of a scale of time when replaced at that age (in scales) or at failure."""
    reached = exp(-(age**shape))
    return (planned * reached + failure * (1 - reached)) / time_in_use(age, shape)


def time_in_use(age: float, shape: float) -> float:
    """Integral of exp(-t^shape) from 0 to age: gamma(1/shape, age^shape) / shape by its series."""
    reach, part = age**shape, 1 / shape
    if reach > 40:
        return gamma(1 + part)
    term = total = 1 / part
    step = part
    while term > 1e-16 * total:
        step += 1
        term *= reach / step
        total += term
    return age * exp(-reach) * total / shape


def _root(rising: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function crosses 0, by bisection."""
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if rising(middle) < 0:
            low = middle
        else:
            high = middle
        if high - low <= 1e-13 * high:
            break
    return (low + high) / 2


def _shape_note(fit: Fit, failures: int, count: int) -> dict[str, str]:
    zh = f"形状参数 {fit.shape:.2f}（90 % 区间 {fit.low:.2f} 到 {fit.high:.2f}），特征寿命 {written(fit.scale)}，"
    zh += f"{count} 个数据里 {failures} 次失效。"
    en = f"Shape {fit.shape:.2f} (90 % interval {fit.low:.2f} to {fit.high:.2f}), characteristic life {written(fit.scale)}, from "
    en += f"{failures} failures among {count}. "
    if fit.low > 1:
        zh += "磨损型：越用越容易坏，提前换才可能省钱。"
        en += "Wear-out: failures grow with age, so replacing early may pay. "
    elif fit.high < 1:
        zh += "早期失效型：越用越不容易坏，先查装配、来料和调试，不要定期更换。"
        en += "Early failures: they fall with age; look at fitting, material and setting, do not replace by the clock. "
    else:
        zh += "区间含 1：还分不清是磨损还是偶发，继续记录再定周期。"
        en += (
            "The interval holds 1: wear and chance cannot be told apart yet; keep recording before fixing an interval. "
        )
    if failures < ENOUGH_FAILURES:
        zh += f"失效少于 {ENOUGH_FAILURES} 次，形状参数通常估高。"
        en += f"With fewer than {ENOUGH_FAILURES} failures the shape is usually too high."
    return {"zh": zh, "en": en.strip()}


def _no_age_note(shape: float, is_cheap_failure: bool) -> dict[str, str]:
    if is_cheap_failure:
        return {
            "zh": "故障不比计划更换贵：坏了再换最省，费用里别漏了停机、报废和抢修。",
            "en": "A failure costs no more than a planned replacement: run to failure, but do not forget downtime and scrap.",
        }
    why = ("不随年龄变坏", "does not wear") if shape <= 1 else ("磨损很慢", "wears slowly")
    return {
        "zh": f"形状参数 {shape:.2f}，{why[0]}：定期更换不省钱，坏了再换，备好件。",
        "en": f"With a shape of {shape:.2f} it {why[1]}: replacing by age saves nothing; run to failure with a spare at hand.",
    }


def _age_note(age: float, saving: float, early: float, fit: Fit) -> dict[str, str]:
    if saving < 100 * WORTHWHILE:
        return {
            "zh": f"最省的周期约 {written(age)}，只比坏了再换省 {saving:.1f} %，不到 5 %：不值得定期换，做状态检查即可。",
            "en": f"The cheapest age is about {written(age)} but saves only {saving:.1f} % against running to failure, below 5 %: inspect "
            "instead of replacing.",
        }
    zh = f"用到约 {written(age)} 就换最省：比坏了再换省 {saving:.0f} %，其间仍有约 {early:.0f} % 会先坏。"
    en = f"Replacing at about {written(age)} is cheapest: {saving:.0f} % less than running to failure, about {early:.0f} % still fail "
    en += "before. "
    if fit.low <= 1:
        zh += "但形状参数还没站住，这个周期先试用。"
        en += "But the shape is not certain yet: take the interval as a trial."
    else:
        zh += "最低点附近很平，可凑到换班或保养日。"
        en += "The minimum is flat: round to a shift or a maintenance day."
    return {"zh": zh, "en": en}
