"""How a figure is written in a note."""

from __future__ import annotations

from math import floor, log10


def written(value: float, digits: int = 4) -> str:
    """As many significant digits, never a power of ten: 123456.7 is 123457, 0.0000321 stays as it is."""
    if value == 0:
        return "0"
    decimals = min(12, max(0, digits - 1 - floor(log10(abs(value)))))
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
