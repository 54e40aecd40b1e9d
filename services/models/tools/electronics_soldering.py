"""Reflow soldering: the measured profile against its window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from services.models.tools.answer import ToolAnswer, rounded
from services.models.tools.refusals import refuse_unless_positive

FEWEST = 10
"""Points below which a profile cannot be judged."""
SLOPE_S = 10.0
"""Slopes are taken over so long, so that the jitter of a thermocouple is not read as a ramp."""


@dataclass(frozen=True)
class Held:
    """One figure of the profile beside its window."""

    zh: str
    en: str
    unit: str
    value: float
    low: float
    high: float
    too_high: tuple[str, str]
    too_low: tuple[str, str]

    @property
    def index(self) -> float:
        """100 times the distance from the middle in half widths: 100 touches the edge."""
        return 100 * abs(2 * (self.value - (self.low + self.high) / 2) / (self.high - self.low))

    @property
    def remedy(self) -> tuple[str, str]:
        return self.too_high if self.value > (self.low + self.high) / 2 else self.too_low


def reflow_window(
    time_s: Sequence[float],
    temperature_c: Sequence[float],
    liquidus_c: float,
    peak_low_c: float,
    peak_high_c: float,
    above_liquidus_low_s: float,
    above_liquidus_high_s: float,
    ramp_limit_c_s: float,
    soak_from_c: float,
    soak_to_c: float,
    soak_low_s: float,
    soak_high_s: float,
) -> ToolAnswer:
    """Peak, time above liquidus, soak and steepest ramp of a reflow profile, and its process window index.

    PWI = largest over the figures of 100 |2 (x - middle) / width|; the window of the ramp reaches from 0 to its limit.
    Times are interpolated between points; soak is the time between the two soak temperatures before the peak; slopes
    are taken over 10 s. Arguments: times (s) and temperatures (degC) of one thermocouple, and the windows. Returns
    pwi_percent, the four figures, the cooling slope (degC/s) and how many windows hold. Raises ValueError.
    Source: IPC-7530 (profiles); the preset windows are common starting values for SAC305, the data sheets of paste and
    parts decide.
    """
    points = _points(time_s, temperature_c)
    refuse_unless_positive(("升温上限", "the ramp limit", ramp_limit_c_s))
    windows = (
        ("峰值窗口", "peak window", peak_low_c, peak_high_c),
        ("液相以上时间窗口", "window above liquidus", above_liquidus_low_s, above_liquidus_high_s),
        ("恒温区温度", "soak temperatures", soak_from_c, soak_to_c),
        ("恒温时间窗口", "soak window", soak_low_s, soak_high_s),
    )
    for zh, en, low, high in windows:
        if not low < high:
            raise ValueError(f"{zh}的下限 {low:g} 应小于上限 {high:g} / {en}: {low:g} must be below {high:g}")
    top = max(range(len(points)), key=lambda place: points[place][1])
    heating, cooling = points[: top + 1], points[top:]
    figures = {
        "peak_c": _peak(points[top][1], peak_low_c, peak_high_c),
        "above_liquidus_s": _above(_time_above(points, liquidus_c), above_liquidus_low_s, above_liquidus_high_s),
        "soak_s": _soak(_time_above(heating, soak_from_c) - _time_above(heating, soak_to_c), soak_low_s, soak_high_s),
        "ramp_c_s": _ramp(_steepest(heating, 1), ramp_limit_c_s),
    }
    worst = max(figures.values(), key=lambda each: each.index)
    outputs = {"pwi_percent": rounded(worst.index)}
    outputs |= {name: rounded(held.value) for name, held in figures.items()}
    outputs["cooling_c_s"] = rounded(_steepest(cooling, -1))
    outputs["windows_held"] = sum(held.low <= held.value <= held.high for held in figures.values())
    return ToolAnswer(outputs, (_verdict(list(figures.values()), worst), _limits()))


def _peak(value: float, low: float, high: float) -> Held:
    cooler, hotter = ("末区温度降几度", "lower the last zones"), ("末区温度升几度或链速放慢", "raise the last zones")
    return Held("峰值", "peak", "℃", value, low, high, cooler, hotter)


def _above(value: float, low: float, high: float) -> Held:
    shorter = ("链速略快或末区降温", "a little more belt speed or cooler last zones")
    longer = ("链速略慢或末区升温", "a little less belt speed or hotter last zones")
    return Held("液相以上时间", "time above liquidus", "s", value, low, high, shorter, longer)


def _soak(value: float, low: float, high: float) -> Held:
    shorter = ("恒温区末段升温", "raise the end of the soak zones")
    longer = ("恒温区末段降温", "lower the end of the soak zones")
    return Held("恒温时间", "soak", "s", value, low, high, shorter, longer)


def _ramp(value: float, limit: float) -> Held:
    cooler, hotter = ("前段预热降温", "cooler first zones"), ("前段预热升温", "hotter first zones")
    return Held("最大升温斜率", "steepest ramp", "℃/s", value, 0.0, limit, cooler, hotter)


def _points(time_s: Sequence[float], temperature_c: Sequence[float]) -> list[tuple[float, float]]:
    times, temperatures = len(time_s), len(temperature_c)
    if times != temperatures:
        raise ValueError(
            f"时间 {times} 个、温度 {temperatures} 个，应一一对应 / {times} times and {temperatures} temperatures: must match"
        )
    if times < FEWEST:
        raise ValueError(f"至少 {FEWEST} 个点，现有 {times} 个 / at least {FEWEST} points, got {times}")
    for before, after in pairwise(time_s):
        if after <= before:
            raise ValueError(
                f"时间应逐点增大：{before:g} s 之后是 {after:g} s / times must increase: {before:g} s then {after:g} s"
            )
    return list(zip(time_s, temperature_c, strict=True))


def _time_above(points: Sequence[tuple[float, float]], level: float) -> float:
    """Seconds above a temperature, crossings interpolated."""
    total = 0.0
    for (start, cold), (end, hot) in pairwise(points):
        low, high = min(cold, hot), max(cold, hot)
        if low >= level:
            total += end - start
        elif high > level:
            total += (end - start) * (high - level) / (high - low)
    return total


def _steepest(points: Sequence[tuple[float, float]], sign: int) -> float:
    """Largest slope in the direction of `sign` over `SLOPE_S`, or over the whole part when that is shorter."""
    if len(points) < 2:
        return 0.0
    last, span = points[-1][0], min(SLOPE_S, points[-1][0] - points[0][0])
    slopes = []
    place = 0
    for start, temperature in points:
        if start + span > last + 1e-9:
            break
        while points[place + 1][0] < start + span - 1e-9:
            place += 1
        (before, cold), (after, hot) = points[place], points[place + 1]
        there = cold + (hot - cold) * (start + span - before) / (after - before)
        slopes.append(sign * (there - temperature) / span)
    return max(0.0, *slopes) if slopes else 0.0


def _verdict(figures: Sequence[Held], worst: Held) -> dict[str, str]:
    outside = [held for held in figures if not held.low <= held.value <= held.high]
    zh = "；".join(f"{held.zh} {held.value:.1f} {held.unit}（指数 {held.index:.0f}）" for held in figures) + "。"
    en = "; ".join(f"{held.en} {held.value:.1f} {held.unit} (index {held.index:.0f})" for held in figures) + ". "
    if outside:
        zh += f"超出窗口：{'、'.join(held.zh for held in outside)}。"
        en += f"Outside the window: {', '.join(held.en for held in outside)}. "
    elif worst.index > 80:
        zh += "都在窗口内，但余量不到两成。"
        en += "All inside the window, with less than a fifth in hand. "
    else:
        zh += "都在窗口内。"
        en += "All inside the window. "
    if worst.index > 50:
        zh += f"先动{worst.zh}：{worst.remedy[0]}，一次只动一样，再测一条。"
        en += f"Start with the {worst.en}: {worst.remedy[1]}; change one thing, then measure again."
    return {"zh": zh, "en": en.strip()}


def _limits() -> dict[str, str]:
    return {
        "zh": "预设窗口是 SAC305 的常用起步值（待核实），以锡膏和最娇气器件的规格书里更严的为准；"
        "每根热电偶各算一次，按最差的一根判。",
        "en": "The preset windows are common starting values for SAC305 (to be verified): the stricter of the data "
        "sheets of paste and parts decides. Judge every thermocouple, the worst one counts.",
    }
