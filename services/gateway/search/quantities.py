"""Amounts in a query: 5吨, 每小时五吨, 1.5万件, 两千件, 0.8MPa, 1比8. Units of the shop floor, Chinese numerals and all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

_UNITS: dict[str, dict[str, tuple[float, str]]] = {
    "mass": {"kg": (1, "公斤 千克 kgs"), "t": (1000, "吨"), "g": (0.001, "克")},
    "energy": {
        "kwh": (1, "度 度电 千瓦时 千瓦小时 kw·h"), "mwh": (1000, "兆瓦时"), "gj": (277.778, "吉焦"), "mj": (0.277778, "兆焦"),
        "kj": (0.000277778, "千焦"), "kcal": (0.001163, "大卡 千卡"),
    },
    "power": {"kw": (1, "千瓦"), "w": (0.001, "瓦"), "mw": (1000, "兆瓦")},
    "volume": {"m3": (1, "立方米 立方 方"), "l": (0.001, "升")},
    "length": {"m": (1, "米"), "mm": (0.001, "毫米 个毫米"), "cm": (0.01, "厘米 公分"), "km": (1000, "公里 千米"), "um": (1e-6, "μm 微米")},
    "area": {"m2": (1, "平方米 平米 平方")},
    "time": {"h": (3600, "小时 个小时 个钟头 钟头"), "min": (60, "分钟"), "s": (1, "秒 秒钟"), "d": (86400, "天")},
    "temperature": {"°c": (1, "℃ 摄氏度 c")},
    "pressure": {"mpa": (1, "兆帕"), "kpa": (0.001, "千帕"), "pa": (1e-6, "帕"), "bar": (0.1, "巴 公斤压力")},
    "money": {"元": (1, "块钱 块 元钱"), "万元": (10_000, "")},
    "count": {"件": (1, "个 只 条 块板 张 套 pcs"), "人": (1, "个人 个工人 工人")},
    "rotation": {"r/min": (1, "转 rpm 转/分")},
    "frequency": {"hz": (1, "赫兹 赫")},
    "force": {"n": (1, "牛"), "kn": (1000, "千牛")},
    "torque": {"n·m": (1, "牛米 nm n.m")},
    "share": {"%": (0.01, "个百分点")},
    "count of yarn": {"ne": (1, "支 英支 s")},
    "denier": {"d": (1, "旦"), "dtex": (0.9, "分特"), "tex": (9, "特")},
}  # fmt: skip
"""Kind -> the unit as signatures write it, in lower case -> (its size, other spellings)."""

_DIGITS = {char: number for number, char in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_POWERS = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_PER = {"小时": "h", "个小时": "h", "分钟": "min", "天": "d", "日": "d", "秒": "s", "年": "a", "月": "mon", "h": "h", "min": "min", "d": "d", "s": "s"}  # fmt: skip


@dataclass(frozen=True)
class Quantity:
    value: float
    """In the unit as it was written."""
    unit: str
    """As signatures write it, in lower case; empty for a bare number, `1:` for the second part of a ratio."""
    per: str
    """Per what time it is meant (h, min, d, s), else empty."""
    start: int
    end: int

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(kind for kind, units in _UNITS.items() if self.unit in units)


def sizes(unit: str) -> dict[str, float]:
    """Kind -> size of a unit as a signature writes it; empty when it is not known here."""
    plain = unit.lower().replace("³", "3").replace("²", "2").replace("℃", "°c").replace("μ", "u")
    return {kind: units[plain][0] for kind, units in _UNITS.items() if plain in units}


def found_in(plain: str) -> tuple[Quantity, ...]:
    """The amounts of a normalised text, in the order in which they stand."""
    found = []
    taken = 0
    for match in _pattern().finditer(plain):
        if match.start() < taken:
            continue
        value = _number(match["number"]) if match["number"] else _number(match["right"])
        if value is None:
            continue
        if match["right"]:
            found.append(Quantity(value, "1:", "", match.start(), match.end()))
        else:
            unit = _unit_of(match, plain)
            per = _PER.get(match["before"] or match["after"] or "", "")
            found.append(Quantity(value, unit, per, match.start(), match.end()))
        taken = match.end()
    # 一 and 三 by themselves are parts of words more often than amounts.
    return tuple(each for each in found if each.unit or each.end - each.start > 1)


def _unit_of(match: re.Match[str], plain: str) -> str:
    unit = match["unit"] or ""
    if unit == "度":
        return "°c" if "温" in plain[max(0, match.start() - 4) : match.start()] else "kwh"
    if not unit and match["number"][-1] in "万亿":
        return "元"
    return _spellings().get(unit, unit)


@cache
def _spellings() -> dict[str, str]:
    return {
        spelling: unit
        for units in _UNITS.values()
        for unit, (_, others) in units.items()
        for spelling in (unit, *others.split())
    }


@cache
def _pattern() -> re.Pattern[str]:
    units = "|".join(re.escape(each) for each in sorted(_spellings(), key=len, reverse=True))
    times = "|".join(re.escape(each) for each in sorted(_PER, key=len, reverse=True))
    number = r"(?:\d+(?:\.\d+)?[十百千万亿]*|[零〇一二两三四五六七八九十百千万亿]+(?:点[零〇一二三四五六七八九]+)?)"
    # A letter behind a unit makes another word of it (5mes), and a letter or digit before the number a part code (m12).
    unit = rf"(?:(?P<unit>{units})(?![a-z0-9]))"
    return re.compile(
        rf"(?:(?:每个?|一个?|1)(?P<before>{times})(?:用|产|耗|要|出|烧)?)?(?<![a-z0-9.])"
        rf"(?:(?:1|一)\s*(?:[:：比]|/(?=\d))\s*(?P<right>{number})"
        rf"|(?P<number>{number})\s*(?:{unit}(?:(?:/|每)(?P<after>{times}))?)?)"
    )


def _number(text: str) -> float | None:
    """1.5万, 两千, 一百二十, 十, 三点五. None for what is no number after all (万, 百)."""
    match = re.match(r"\d+(?:\.\d+)?", text)
    if match:
        value = float(match.group())
        for char in text[match.end() :]:
            value *= _POWERS[char]
        return value
    whole, _, decimals = text.partition("点")
    if not any(char in _DIGITS or char == "十" for char in whole):
        return None
    total, section, digit = 0.0, 0.0, 0.0
    last = 1.0
    for char in whole:
        if char in _DIGITS:
            digit = _DIGITS[char]
            last = 1.0
        elif char in "万亿":
            total = (total + section + digit) * _POWERS[char]
            section, digit, last = 0.0, 0.0, _POWERS[char]
        else:
            section += (digit or 1) * _POWERS[char]
            digit, last = 0.0, _POWERS[char]
    # 一万五 is 15,000: a last digit without a power counts in tenths of the power before it.
    if digit and last == 1.0 and len(whole) > 1 and whole[-2] in "百千万":
        digit *= _POWERS[whole[-2]] / 10
    value = total + section + digit
    for place, char in enumerate(decimals, 1):
        value += _DIGITS[char] / 10**place
    return value
