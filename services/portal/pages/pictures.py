"""Pictures as numbers for SVG: the band of a prediction, the stacked bar of a subsidy, a control chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.portal.words import word


def shown(value: Any) -> str:
    """A figure with at most four significant decimals, thousands separated."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "" if value is None else str(value)
    if value == 0:
        return "0"
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2 if abs(value) >= 1 else 4
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def band(prediction: Mapping[str, Any], language: str) -> dict[str, Any] | None:
    """Where value, interval and naive rule lie on a rail of 478 units."""
    value = prediction.get("value")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    interval, naive = prediction.get("interval") or {}, prediction.get("naive")
    naive = naive if isinstance(naive, (int, float)) else None
    points = [each for each in (value, interval.get("low"), interval.get("high"), naive) if each is not None]
    if len(points) < 2:
        return None
    low, high = min(points), max(points)
    room = (high - low) * 0.12 or abs(high) * 0.1 or 1.0
    low, high = low - room, high + room

    def place(number: float) -> float:
        return round(1 + 478 * (number - low) / (high - low), 1)

    marks = [{"x": place(value), "y": 52, "anchor": "middle", "text": shown(value)}]
    parts = [word(language, "picture.value", value=shown(value))]
    if interval:
        marks.append({"x": place(interval["low"]), "y": 12, "anchor": "middle", "text": shown(interval["low"])})
        marks.append({"x": place(interval["high"]), "y": 12, "anchor": "middle", "text": shown(interval["high"])})
        parts.append(word(language, "picture.interval", low=shown(interval["low"]), high=shown(interval["high"])))
    if naive is not None:
        parts.append(word(language, "picture.naive", value=shown(naive)))
    return {
        "low": place(interval["low"]) if interval else None,
        "high": place(interval["high"]) if interval else None,
        "value": place(value),
        "naive": None if naive is None else place(naive),
        "marks": marks,
        "text": "；".join(parts) if language == "zh" else "; ".join(parts),
    }


def series(predictions: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """A line of many values with its band, in a box of 720 by 240."""
    values = [each.get("value") for each in predictions]
    if len(values) < 3 or not all(isinstance(value, (int, float)) for value in values):
        return None
    lows = [(each.get("interval") or {}).get("low", each["value"]) for each in predictions]
    highs = [(each.get("interval") or {}).get("high", each["value"]) for each in predictions]
    bottom, top = min(0.0, *lows), max(highs) or 1.0

    def place(index: int, value: float) -> str:
        x = 44 + 668 * index / (len(values) - 1)
        y = 212 - 196 * (value - bottom) / ((top - bottom) or 1.0)
        return f"{x:.1f},{y:.1f}"

    line = " ".join(place(index, float(value)) for index, value in enumerate(values))  # type: ignore[arg-type]
    upper = [place(index, high) for index, high in enumerate(highs)]
    lower = [place(index, low) for index, low in enumerate(lows)]
    ticks = [
        {"y": round(212 - 196 * share, 1), "text": shown(bottom + (top - bottom) * share)} for share in (0, 0.5, 1)
    ]
    return {"line": line, "area": " ".join([*upper, *reversed(lower)]), "ticks": ticks, "count": len(values)}


def control_chart(chart: Mapping[str, Any]) -> dict[str, Any] | None:
    """Points and limits of a control chart, in a box of 720 by 240."""
    points = chart.get("points") or []
    if len(points) < 2 or any(chart.get(name) is None for name in ("centre", "upper", "lower")):
        return None
    centre, upper, lower = (float(chart[name]) for name in ("centre", "upper", "lower"))
    bottom, top = min([lower, *points]), max([upper, *points])
    room = (top - bottom) * 0.08 or 1.0
    bottom, top = bottom - room, top + room

    def y(value: float) -> float:
        return float(round(228 - 216 * (value - bottom) / (top - bottom), 1))

    placed = [
        {"x": round(52 + 620 * index / (len(points) - 1), 1), "y": y(value), "out": not lower <= value <= upper}
        for index, value in enumerate(points)
    ]
    limits = [
        {"y": y(value), "name": name, "text": shown(value), "limit": name != "CL"}
        for name, value in (("UCL", upper), ("CL", centre), ("LCL", lower))
    ]
    return {"points": placed, "line": " ".join(f"{p['x']},{p['y']}" for p in placed), "limits": limits}


def stack(parts: Sequence[Mapping[str, Any]], cap: float | None) -> dict[str, Any]:
    """The parts of an amount as one bar that adds up, with the cap as a line, in a box of 480 by 64."""
    amounts = [(str(part["rule"]), float(part["amount"])) for part in parts]
    total = sum(amount for _, amount in amounts)
    scale = max(total, cap or 0.0) * 1.04 or 1.0
    x, bars = 0.0, []
    for name, amount in amounts:
        width = 480 * amount / scale
        bars.append({"x": round(x, 1), "width": round(width, 1), "name": name})
        x += width
    return {"bars": bars, "cap": None if cap is None else round(480 * cap / scale, 1), "total": total}
