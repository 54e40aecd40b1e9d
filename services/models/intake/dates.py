"""Dates as people write them: 2020/5/1, 2020-05-01 08:30, 2020年5月1日 8时30分, 20200501, 1/5/2020.

Moments come out without a zone, in the plant's local time: one that names a zone is turned into China Standard Time.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

LOCAL_OFFSET = timedelta(hours=8)
_TIME = (
    r"(?:[ T日]?\s*(?P<half>上午|下午|AM|PM|am|pm)?\s*(?P<h>\d{1,2})[:时点](?P<mi>\d{1,2})?(?:[:分](?P<s>\d{1,2}))?秒?分?"
    r"(?:\.(?P<f>\d{1,6})\d*)?\s*(?P<half2>AM|PM|am|pm)?\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?"
)
_YEAR_FIRST = re.compile(
    r"^(?P<a>(?:19|20)\d{2})\s*(?:[-/年]\s*(?P<b>\d{1,2})\s*(?:[-/月]\s*(?P<c>\d{1,2})\s*日?|月)?"
    # A number such as 2024.5 is no month.
    r"|\.\s*(?P<b2>\d{1,2})\.\s*(?P<c2>\d{1,2}))" + _TIME + "$"
)
_COMPACT = re.compile(r"^(?P<a>(?:19|20)\d{2})(?P<b>\d{2})(?P<c>\d{2})" + _TIME + "$")
_YEAR_LAST = re.compile(r"^(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.](?P<c>\d{4})" + _TIME + "$")
_SHORT = re.compile(r"^(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.](?P<c>\d{2})" + _TIME + "$")
_ISO = re.compile(r"^\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2})?)?$")


@dataclass
class Dates:
    values: list[datetime | None]
    count: int
    """How many could be read."""
    ambiguous: str = ""
    """An example whose day and month cannot be told apart."""
    order: str = ""
    """How such dates were read, such as day/month/year."""
    zones: str = ""
    """The zones named, when they are not all China Standard Time."""


def looks_like_one(text: str) -> bool:
    plain = unicodedata.normalize("NFKC", text).strip()
    return any(pattern.match(plain) for pattern in (_YEAR_FIRST, _COMPACT, _YEAR_LAST, _SHORT))


def column(cells: Sequence[str | datetime]) -> Dates | None:
    """The moments of a column, None where a cell is none; None when no cell is one."""
    quick = _quick(cells)
    if quick is not None:
        return quick
    matches: dict[str, tuple[re.Pattern[str], re.Match[str]] | None] = {}
    for cell in cells:
        if isinstance(cell, str) and cell and cell not in matches:
            plain = unicodedata.normalize("NFKC", cell).strip()
            matches[cell] = next(
                ((each, found) for each in (_YEAR_FIRST, _COMPACT, _YEAR_LAST, _SHORT) if (found := each.match(plain))),
                None,
            )
    order, ambiguous = _order(matches)
    zones = {found[1]["zone"] for found in matches.values() if found} - {None}
    read = {text: _moment(found, order) if found else None for text, found in matches.items()}
    values = [cell if isinstance(cell, datetime) else read.get(cell) for cell in cells]
    count = sum(value is not None for value in values)
    if not count:
        return None
    foreign = {zone for zone in zones if _offset(zone) != LOCAL_OFFSET}
    mixed = bool(zones) and any(found and not found[1]["zone"] for found in matches.values())
    said = "、".join(sorted(zones)) + ("、无 / none" if mixed else "")
    return Dates(values, count, ambiguous, order if ambiguous else "", said if foreign or mixed else "")


def _quick(cells: Sequence[str | datetime]) -> Dates | None:
    """All in the form of ISO 8601 without a zone, which the standard library reads at once."""
    if not all(isinstance(cell, datetime) or not cell or _ISO.match(cell) for cell in cells):
        return None
    try:
        values = [
            cell if isinstance(cell, datetime) else datetime.fromisoformat(cell) if cell else None for cell in cells
        ]
    except ValueError:
        return None
    count = sum(value is not None for value in values)
    return Dates(values, count) if count else None


def _order(matches: dict[str, tuple[re.Pattern[str], re.Match[str]] | None]) -> tuple[str, str]:
    """How dates with the year last, or with two digits of it, are to be read, and an example when it is a guess."""
    last = [found[1] for found in matches.values() if found and found[0] is _YEAR_LAST]
    if last:
        if any(int(each["a"]) > 12 for each in last):
            return "day/month/year", ""
        if any(int(each["b"]) > 12 for each in last):
            return "month/day/year", ""
        return "day/month/year", last[0].group(0)
    short = [found[1] for found in matches.values() if found and found[0] is _SHORT]
    if short:
        if any(int(each["a"]) > 31 for each in short):
            return "year/month/day", ""
        return "year/month/day", short[0].group(0)
    return "year/month/day", ""


def _moment(found: tuple[re.Pattern[str], re.Match[str]], order: str) -> datetime | None:
    pattern, match = found
    parts = match.groupdict()
    first, second = int(parts["a"]), int(parts["b"] or parts["b2"])
    third = int(parts["c"] or parts.get("c2") or 1)
    if pattern is _YEAR_LAST:
        day, month = (first, second) if order.startswith("day") else (second, first)
        year = third
    else:
        year, month, day = (first, second, third)
        if pattern is _SHORT:
            year += 2000 if year < 70 else 1900
    hour, minute, second_ = int(match["h"] or 0), int(match["mi"] or 0), int(match["s"] or 0)
    half = (match["half"] or match["half2"] or "").upper()
    if half in ("下午", "PM") and hour < 12:
        hour += 12
    if half in ("上午", "AM") and hour == 12:
        hour = 0
    whole_day = hour == 24 and not minute and not second_
    try:
        moment = datetime(
            year, month, day, 0 if whole_day else hour, minute, second_, int((match["f"] or "0").ljust(6, "0"))
        )
        moment += timedelta(days=1) if whole_day else timedelta(0)
        return moment if match["zone"] is None else moment - _offset(match["zone"]) + LOCAL_OFFSET
    except (ValueError, OverflowError):
        return None


def _offset(zone: str) -> timedelta:
    if zone[0] not in "+-":
        return timedelta(0)
    digits = zone[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if zone[0] == "-" else offset
