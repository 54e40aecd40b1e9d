"""Inputs that several tools refuse in the same words: what was wrong, with which value, what would be right."""

from __future__ import annotations

Named = tuple[str, str, float]
"""Title in Chinese, title in English, value."""


def refuse_unless_positive(*quantities: Named) -> None:
    """Raises ValueError for the first value that is not above nought."""
    for zh, en, value in quantities:
        if not value > 0:
            raise ValueError(f"{zh}应大于 0，现为 {value:g} / {en} must be above 0, got {value:g}")


def refuse_if_negative(*quantities: Named) -> None:
    """Raises ValueError for the first value below nought."""
    for zh, en, value in quantities:
        if not value >= 0:
            raise ValueError(f"{zh}不能小于 0，现为 {value:g} / {en} must not be below 0, got {value:g}")


def refuse_unless_share(*shares: Named) -> None:
    """Raises ValueError for the first value outside 0 to 1: per cent are often typed where a share is meant."""
    for zh, en, value in shares:
        if not 0 < value <= 1:
            raise ValueError(
                f"{zh}按小数填，应在 0 到 1 之间（88 % 填 0.88），现为 {value:g}"
                f" / {en} is a share between 0 and 1 (0.88 for 88 %), got {value:g}"
            )
