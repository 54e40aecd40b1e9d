"""Units as people write them into headers and cells: 电量(kWh), 温度/℃, 产量（吨）, 12.5 kWh."""

from __future__ import annotations

import re
import unicodedata

UNITS = frozenset(
    """
    % ‰ ppm ppb ℃ °C ° °F degC K W kW MW kWh MWh GWh Wh VA kVA kvar kVar kVarh kvarh J kJ MJ GJ kcal g mg kg t T kt ug
    um μm mm cm dm m km m2 m3 m³ Nm3 Nm³ L l mL ml kL s sec min h hr d day ms A mA V mV kV Hz kHz MHz Ω kΩ MΩ Pa kPa MPa
    hPa mbar bar atm psi N kN N·m N.m Nm kN·m rpm r/min m/s m/min m/h km/h mm/s mm/min mm/rev mm/r kg/h t/h t/d kg/t
    kWh/t kWh/kg kg/kg g/kg g/g kg/m kWh/m kWh/m2 kWh/件 m3/h m³/h Nm3/h L/min L/h L/s l/min mg/L mg/l g/L g/l g/m2 g/m³ g/m3 mg/m3 mg/m³
    ug/m3 mol/L mS/cm uS/cm μS/cm NTU pH dB dB(A) lx lux cP mPa·s mPa.s Pa·s dtex den tex Ne HB HRC HV kgce tce kgce/t
    tCO2 tCO2e kgCO2 tCO2(e) pcs PCS EA
    度 吨 公斤 千克 克 斤 元 万元 亿元 角 千元 元/吨 元/度 元/件 元/kWh 米 厘米 毫米 微米 千米 平方米 立方米 升 毫升 千瓦 千瓦时
    兆瓦时 焦 千焦 吉焦 大卡 秒 分 分钟 小时 天 日 周 月 年 班 人 台 个 件 只 支 条 根 套 批 箱 卷 匹 张 片 块 双 次 转 转/分 转/分钟 安 伏
    赫兹 帕 千帕 兆帕 牛 千牛 牛·米 摄氏度 吨标煤 吨标准煤 千克标煤 公斤标煤 kg标煤 万千瓦时 万度 万 百分比 吨/天 吨/小时 米/分 米/分钟
    件/小时 件/天 人天 工时 人时 台时
    """.split()  # noqa: SIM905 - a list of two hundred would take a page
)
_PLAIN = {"degC": "°C", "℃": "°C", "摄氏度": "°C", "㎡": "m2", "㎥": "m3", "m³": "m3", "度": "kWh", "千瓦时": "kWh"}
"""Spellings that the unit converter does not know, as it does."""
_KNOWN = UNITS | {unicodedata.normalize("NFKC", unit) for unit in UNITS}
_BRACKETS = re.compile(r"^(?P<name>.*?)\s*[(（\[【](?P<unit>[^()（）\[\]【】]{1,14}(?:\([^()]*\))?)[)）\]】]\s*$")
_SLASH = re.compile(r"^(?P<name>.+?)\s*[/／](?P<unit>[^/／\s].*)$")
_SPACE = re.compile(r"^(?P<name>.*\S)\s+(?P<unit>\S{1,12})$")
_COMMA = re.compile(r"^(?P<name>.+?)[,，_]\s*(?P<unit>[^,，_]{1,12})$")
_LABEL = re.compile(r"^单位\s*[:：]?\s*")


def is_unit(text: str) -> bool:
    plain = unicodedata.normalize("NFKC", text).strip()
    return text.strip() in UNITS or plain in _KNOWN


def unit_of(text: str) -> str:
    """The unit as the platform writes it."""
    text = text.strip()
    if text in _PLAIN:
        return _PLAIN[text]
    plain = unicodedata.normalize("NFKC", text)
    return _PLAIN.get(plain, plain)


def split(header: str) -> tuple[str, str]:
    """Name and unit of a header; the unit is empty when the header names none."""
    found = _BRACKETS.match(header)
    if found and found["name"]:
        inner = _LABEL.sub("", found["unit"]).strip()
        if is_unit(inner) or _LABEL.match(found["unit"]):
            return found["name"].strip(), unit_of(inner)
    for pattern in (_SLASH, _SPACE, _COMMA):
        found = pattern.match(header)
        if found and is_unit(found["unit"]) and not is_unit(found["name"]):
            name = found["name"].strip()
            # A short name before a slash may be a ratio, such as kWh/t or 产量/天.
            if pattern is _SLASH and found["unit"].strip() in (
                "天",
                "日",
                "月",
                "年",
                "班",
                "人",
                "件",
                "台",
                "个",
                "次",
            ):
                continue
            return name, unit_of(found["unit"])
    return header, ""
