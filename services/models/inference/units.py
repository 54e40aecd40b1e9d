"""Units of one kind are converted, units of another kind refused with both named. Knows no numpy.

Spellings of the shop floor count too (千瓦时, 度, KWH, m³/h). What has no fixed factor between its units (yarn counts Ne and
tex, gauge and absolute pressure, volume and mass of a gas) is of two kinds here, and refused rather than guessed.
"""

from __future__ import annotations

import unicodedata

_KINDS: dict[str, dict[str, tuple[float, float]]] = {
    "power": {"W": (0.001, 0), "kW": (1, 0), "MW": (1000, 0), "kJ/h": (1 / 3600, 0), "kcal/h": (4.1868 / 3600, 0)},
    "apparent power": {"VA": (0.001, 0), "kVA": (1, 0), "MVA": (1000, 0)},
    "reactive power": {"var": (0.001, 0), "kvar": (1, 0), "Mvar": (1000, 0)},
    "energy": {
        "Wh": (0.001, 0), "kWh": (1, 0), "MWh": (1000, 0), "GWh": (1e6, 0), "kJ": (1 / 3600, 0), "MJ": (1 / 3.6, 0),
        "GJ": (1000 / 3.6, 0), "kcal": (4.1868 / 3600, 0), "Mcal": (4.1868 / 3.6, 0),
    },
    "coal equivalent": {"kgce": (1, 0), "tce": (1000, 0)},
    "specific energy": {
        "kWh/kg": (1, 0), "kWh/t": (0.001, 0), "kJ/kg": (1 / 3600, 0), "MJ/kg": (1 / 3.6, 0), "GJ/t": (1 / 3.6, 0),
        "kcal/kg": (4.1868 / 3600, 0),
    },
    "mass": {"mg": (1e-6, 0), "g": (0.001, 0), "kg": (1, 0), "t": (1000, 0)},
    "mass flow": {
        "kg/h": (1, 0), "t/h": (1000, 0), "kg/min": (60, 0), "kg/s": (3600, 0), "g/min": (0.06, 0), "g/s": (3.6, 0),
        "kg/d": (1 / 24, 0), "t/d": (1000 / 24, 0),
    },
    "temperature": {"°C": (1, 0), "degC": (1, 0), "K": (1, -273.15), "°F": (5 / 9, -160 / 9), "degF": (5 / 9, -160 / 9)},
    "heating rate": {"°C/s": (1, 0), "K/s": (1, 0), "°C/min": (1 / 60, 0), "K/min": (1 / 60, 0)},
    "length": {"um": (0.001, 0), "μm": (0.001, 0), "丝": (0.01, 0), "mm": (1, 0), "cm": (10, 0), "dm": (100, 0), "m": (1000, 0), "km": (1e6, 0)},
    "area": {"mm2": (1e-6, 0), "cm2": (1e-4, 0), "dm2": (0.01, 0), "m2": (1, 0)},
    "volume": {"mL": (1e-6, 0), "L": (0.001, 0), "m3": (1, 0), "cm3": (1e-6, 0), "mm3": (1e-9, 0)},
    "volume flow": {
        "m3/h": (1, 0), "m3/min": (60, 0), "m3/s": (3600, 0), "L/min": (0.06, 0), "L/s": (3.6, 0), "L/h": (0.001, 0),
        "cm3/min": (6e-5, 0), "mL/min": (6e-5, 0),
    },
    "speed": {"m/s": (60, 0), "m/min": (1, 0), "m/h": (1 / 60, 0), "km/h": (1000 / 60, 0), "mm/s": (0.06, 0), "cm/min": (0.01, 0)},
    "rotation": {"r/min": (1, 0), "rpm": (1, 0), "r/s": (60, 0)},
    "time": {"ms": (0.001, 0), "s": (1, 0), "min": (60, 0), "h": (3600, 0), "d": (86400, 0)},
    "pressure": {
        "Pa": (1e-6, 0), "hPa": (1e-4, 0), "kPa": (0.001, 0), "MPa": (1, 0), "mbar": (1e-4, 0), "bar": (0.1, 0),
        "N/mm2": (1, 0), "mmH2O": (9.80665e-6, 0), "kgf/cm2": (0.0980665, 0),
    },
    "force": {"N": (0.001, 0), "kN": (1, 0), "kgf": (0.00980665, 0)},
    "torque": {"N·m": (1, 0), "N.m": (1, 0), "Nm": (1, 0), "kN·m": (1000, 0), "kgf·m": (9.80665, 0)},
    "ratio": {"kg/kg": (1, 0), "g/g": (1, 0), "g/kg": (0.001, 0), "%": (0.01, 0)},
    "linear density": {"tex": (1, 0), "dtex": (0.1, 0), "den": (1 / 9, 0), "ktex": (1000, 0)},
    "mass per area": {"g/m2": (1, 0), "kg/m2": (1000, 0)},
    "line load": {"N/m": (1, 0), "N/mm": (1000, 0), "kN/m": (1000, 0), "N/cm": (100, 0)},
    "diffusivity": {"mm2/s": (1, 0), "m2/s": (1e6, 0)},
    "amount": {"mmol": (0.001, 0), "mol": (1, 0), "kmol": (1000, 0)},
    "liquor ratio": {"L/kg": (1, 0), "mL/g": (1, 0), "m3/t": (1, 0)},
    "threads per length": {"根/10cm": (1, 0), "根/cm": (10, 0), "根/英寸": (10 / 2.54, 0)},
    "mass per length": {"g/m": (1, 0), "kg/m": (1000, 0)},
    "density": {"kg/m3": (1, 0), "g/cm3": (1000, 0), "t/m3": (1000, 0), "kg/L": (1000, 0), "g/L": (1, 0)},
    "frequency": {"Hz": (1, 0), "kHz": (1000, 0)},
    "current": {"mA": (0.001, 0), "A": (1, 0), "kA": (1000, 0)},
    "voltage": {"V": (1, 0), "kV": (1000, 0)},
    "money": {"元": (1, 0), "千元": (1000, 0), "万元": (10_000, 0)},
    "electricity price": {"元/kWh": (1, 0), "元/MWh": (0.001, 0)},
    "count": {"件": (1, 0), "个": (1, 0), "只": (1, 0), "千件": (1000, 0), "万件": (10_000, 0)},
}  # fmt: skip
"""Kind -> unit -> (factor, offset) to the kind's own unit: own = value * factor + offset."""
_KNOWN = {unit: (kind, *numbers) for kind, units in _KINDS.items() for unit, numbers in units.items()}

_SPELLINGS = {
    "kW": "KW kw Kw 千瓦", "W": "w 瓦", "MW": "兆瓦",
    "kWh": "KWH kwh KWh Kwh kW·h kw·h kW.h KW.H 千瓦时 千瓦小时 度 度电", "MWh": "兆瓦时", "GJ": "吉焦 GJoule", "MJ": "兆焦", "kJ": "KJ 千焦",
    "kcal": "Kcal KCAL 大卡 千卡", "kcal/h": "大卡/时 大卡/小时", "kVA": "KVA kva 千伏安",
    "kg": "KG Kg kgs 公斤 千克", "g": "克", "mg": "毫克", "t": "T 吨", "kgce": "千克标准煤 公斤标煤 kg标煤", "tce": "吨标准煤 吨标煤",
    "t/h": "T/H T/h 吨/时 吨/小时 吨/h", "kg/h": "KG/H kg/H 公斤/时 公斤/小时 千克/小时", "kg/min": "公斤/分 公斤/分钟",
    "°C": "C oC 摄氏度 度C", "K": "开", "°F": "F 华氏度",
    "mm": "MM Mm 毫米", "cm": "CM 厘米", "m": "M 米", "um": "微米", "km": "公里 千米",
    "m2": "M2 平方米 平米 平方", "cm2": "平方厘米", "mm2": "平方毫米", "m3": "M3 立方米 立方 方", "L": "l 升", "mL": "ml ML 毫升",
    "m3/h": "M3/H m3/H 立方/小时 立方米/时 立方米/小时 方/小时", "m3/min": "M3/min 立方/分 立方米/分 立方米/分钟 方/分", "L/min": "l/min 升/分 升/分钟",
    "m/min": "M/min m/分 米/分 米/分钟", "m/s": "米/秒", "km/h": "公里/时 公里/小时",
    "r/min": "rev/min RPM Rpm 转/分 转/分钟 rpm", "s": "S sec 秒", "min": "分 分钟", "h": "H hr 时 小时", "d": "D 天 日",
    "MPa": "Mpa MPA mpa 兆帕", "kPa": "Kpa KPA kpa KPa 千帕", "Pa": "pa 帕", "bar": "Bar BAR 巴", "kgf/cm2": "kg/cm2 公斤/平方厘米",
    "kN": "KN 千牛", "N": "牛", "N·m": "N*m NM 牛米 牛·米 N-m",
    "%": "percent 百分比 %RH", "tex": "TEX Tex 特", "dtex": "DTEX 分特", "den": "D旦 旦 旦尼尔 denier",
    "g/m2": "gsm GSM 克/平方米 克/平米 g/㎡", "g/m": "克/米", "kg/m3": "公斤/立方米", "g/L": "g/l 克/升",
    "Hz": "HZ hz 赫兹", "A": "安 安培", "V": "伏 伏特", "元": "¥ RMB CNY 人民币", "万元": "万", "元/kWh": "元/度 元/千瓦时",
    "件": "pcs PCS", "个": "个数",
}  # fmt: skip
_ALSO = {spelling: unit for unit, spellings in _SPELLINGS.items() for spelling in spellings.split()}


class OtherKind(ValueError):
    """Two units between which nothing can be converted."""


def converter(given: str, wanted: str) -> tuple[float, float]:
    """Factor and offset that turn a value in `given` into one in `wanted`. Raises `OtherKind` naming both."""
    plain_given, plain_wanted = _plain(given), _plain(wanted)
    if plain_given == plain_wanted:
        return 1.0, 0.0
    known_given, known_wanted = _KNOWN.get(plain_given), _KNOWN.get(plain_wanted)
    if known_given is None or known_wanted is None or known_given[0] != known_wanted[0]:
        said = wanted or "无单位 / none"
        instead = _instead(plain_wanted)
        raise OtherKind(f"单位「{given[:20]}」不能换算成「{said}」{instead} / cannot be converted to {said}")
    _, factor, offset = known_given
    _, own_factor, own_offset = known_wanted
    return factor / own_factor, (offset - own_offset) / own_factor


def _instead(wanted: str) -> str:
    kind = _KNOWN.get(wanted)
    return "" if kind is None else f"，可用 {'、'.join(list(_KINDS[kind[0]])[:6])}"


def _plain(unit: str) -> str:
    text = unicodedata.normalize("NFKC", unit).strip().replace(" ", "")
    if text in ("", "1", "-"):
        return ""
    return text if text in _KNOWN else _ALSO.get(text, text)
