"""A column of cells as numbers, dates or text, the way people write them.

Equipment numbers such as 000123 stay text; 1,234.5 and １２．５ and 12.5% and "12.5 kWh" become numbers; - and blanks
are missing.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from services.models.intake import dates
from services.models.intake.limits import LONGEST_CELL
from services.models.intake.units_in_text import is_unit, unit_of
from services.models.training.table import Value
from services.models.training.table_warnings import warning

MISSING = frozenset(
    {"", "-", "--", "---", "—", "——", "–", "/", "\\", "N/A", "n/a", "NA", "#N/A", "NULL", "null", "None", "none", "NaN",
     "nan", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!", "－", "−"}
)  # fmt: skip
MOSTLY = 0.9
"""A column is numeric when at least this share of its filled cells can be read as numbers."""
_SOME = 0.5
_CODE = re.compile(r"^\s*(?:0\d+|\d{16,})\s*$", re.MULTILINE)
_FANCY = re.compile(r"[_nNiI]")
"""What float() takes and a table does not mean: 1_000, nan, inf."""
_THOUSANDS = re.compile(r"^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$")
_COMMA_DECIMAL = re.compile(r"^[+-]?\d+,\d+$")
_NUMBER = re.compile(r"^([<>≤≥约~]?)[¥￥$]?\s*([+-]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\D{0,12})$")
_EPOCH = datetime(1899, 12, 30)
_SERIALS = (20_000.0, 80_000.0)
"""Excel's day numbers of 1954 to 2119."""
_DATE_NAME = re.compile(r"日期|时间|时刻|年月|date|time", re.IGNORECASE)


@dataclass
class Column:
    kind: str
    """number, date, text or empty."""
    values: list[Value]
    unit: str = ""
    notes: list[dict[str, Any]] = field(default_factory=list)


def column(name: str, cells: Sequence[object], unit: str = "", *, from_text: bool, commas: bool = False) -> Column:
    """The cells of one column, each a text, a float or a datetime, as values of one kind.

    `unit` is the header's; a column that has one holds no dates. `commas`: 12,5 may mean twelve and a half.
    """
    plain = [_kept(each) for each in cells]
    filled = [each for each in plain if each is not None]
    if not filled:
        return Column("empty", [None] * len(plain))
    texts = [each for each in filled if isinstance(each, str)]
    if len(texts) == len(filled):
        quick = _quick_numbers(plain, texts) if from_text else None
        if quick is not None:
            return _numbers(name, quick, dated=not unit)
    elif not texts and all(isinstance(each, float) for each in filled):
        return _numbers(name, [each if isinstance(each, float) else None for each in plain], dated=not unit)
    found = _dates(name, plain, filled, texts)
    if found is None:
        found = _mixed_numbers(name, plain, filled, texts, commas=commas)
    return found or Column("text", [_text(each) for each in plain])


def _kept(cell: object) -> object:
    """A cell without blanks round it; None for what means that there is none."""
    if isinstance(cell, str):
        cell = cell.strip()
        return None if cell in MISSING else cell[:LONGEST_CELL]
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell


def _quick_numbers(cells: Sequence[Any], texts: Sequence[str]) -> list[float | None] | None:
    """The whole column at once when it is plain numbers and missing cells, else None."""
    joined = "\n".join(texts)
    if _FANCY.search(joined) or _CODE.search(joined):
        return None
    try:
        return [None if each is None else float(each) for each in cells]
    except ValueError:
        return None


def _numbers(name: str, values: list[float | None], *, dated: bool) -> Column:
    """Numbers, unless a column of dates holds Excel's serial numbers or days such as 20240501."""
    filled = [each for each in values if each is not None]
    if not (dated and _DATE_NAME.search(name)):
        return Column("number", list(values))
    low, high = min(filled), max(filled)
    if _SERIALS[0] <= low and high <= _SERIALS[1]:
        moments: list[Value] = [
            None if each is None else _EPOCH + timedelta(seconds=round(each * 86_400)) for each in values
        ]
        first = next(each for each in moments if isinstance(each, datetime))
        return Column("date", moments, notes=[warning("excel_serials", name, example=f"{first:%Y-%m-%d %H:%M}")])
    if low >= 19_000_101 and high <= 21_001_231 and all(each == int(each) for each in filled):
        days = dates.column(["" if each is None else str(int(each)) for each in values])
        if days is not None and days.count == len(filled):
            return Column("date", list(days.values))
    return Column("number", list(values))


def _dates(name: str, plain: Sequence[object], filled: Sequence[object], texts: Sequence[str]) -> Column | None:
    """Dates when nearly all filled cells are; a text that is none counts as missing and is said."""
    typed = sum(isinstance(each, datetime) for each in filled)
    if not typed and not any(dates.looks_like_one(each) for each in texts[:200]):
        return None
    read = dates.column([each if isinstance(each, (str, datetime)) else "" for each in plain])
    if read is None or read.count < MOSTLY * len(filled):
        return None
    notes = []
    if read.ambiguous:
        notes.append(warning("ambiguous_dates", name, example=read.ambiguous, order=read.order))
    if read.zones:
        notes.append(warning("time_zone", name, example=read.zones))
    if read.count < len(filled):
        odd = next(each for each, value in zip(plain, read.values, strict=True) if value is None and each is not None)
        notes.append(warning("text_numbers", name, count=len(filled) - read.count, example=str(odd)[:40], read=0))
    return Column("date", list(read.values), notes=notes)


def _mixed_numbers(
    name: str, plain: Sequence[object], filled: Sequence[object], texts: Sequence[str], *, commas: bool
) -> Column | None:
    if any(isinstance(each, datetime) for each in filled) or _CODE.search("\n".join(texts)):
        return None
    # 2,000 is two thousand unless another cell of the column, such as 12,5, shows that commas are decimal.
    commas = commas and any(_COMMA_DECIMAL.match(each) and not _THOUSANDS.match(each) for each in texts)
    read = {each: number_in(each, commas=commas) for each in set(texts)}
    numeric = sum(1 for each in filled if not isinstance(each, str) or read[each] is not None)
    share = numeric / len(filled)
    if share < _SOME:
        return None
    units = Counter(found[1] for each in texts if (found := read[each]) is not None)
    bare = units.pop("", 0) + len(filled) - len(texts)
    notes: list[dict[str, Any]] = []
    if len(units) > 1 or ("%" in units and bare):
        shown = "、".join(f"{unit} ({count})" for unit, count in units.most_common(4))
        shown += f"、无单位 / none ({bare})" if bare else ""
        return Column("text", [_text(each) for each in plain], notes=[warning("mixed_units", name, example=shown)])
    unread = [each for each in texts if read[each] is None]
    if share < MOSTLY:
        notes.append(warning("text_numbers", name, count=len(unread), example=unread[0][:40], read=0))
        return Column("text", [_text(each) for each in plain], notes=notes)
    stored_as_text = len(texts) - len(unread) if len(texts) < len(filled) or (units and bare) else 0
    if unread or stored_as_text:
        example = (unread or texts)[0][:40]
        count = len(unread) + stored_as_text
        notes.append(warning("text_numbers", name, count=count, example=example, read=stored_as_text))
    values: list[Value] = []
    for each in plain:
        found = read.get(each) if isinstance(each, str) else None
        values.append(each if isinstance(each, float) else found[0] if found else None)
    unit = next(iter(units)) if units and not bare else ""
    return Column("number", values, unit=unit_of(unit), notes=notes)


def number_in(text: str, *, commas: bool = False) -> tuple[float, str] | None:
    """The number that a cell says and its unit, or None: 1,234.5 · １２ · 12.5% · 3.2 kWh."""
    if not _FANCY.search(text):
        try:
            return float(text), ""
        except ValueError:
            pass
    plain = unicodedata.normalize("NFKC", text).strip()
    found = _NUMBER.match(plain)
    if found is None or found[1]:
        return None
    digits, unit = found[2], found[3].strip()
    if "," in digits:
        if commas and _COMMA_DECIMAL.match(digits):
            digits = digits.replace(",", ".")
        elif _THOUSANDS.match(digits):
            digits = digits.replace(",", "")
        else:
            return None
    if unit and not is_unit(unit):
        return None
    value = float(digits)
    return (value, unit) if math.isfinite(value) else None


def _text(cell: object) -> Value:
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    return cell.isoformat(" ") if isinstance(cell, datetime) else str(cell)
