"""How the programme's refusals are said."""

from __future__ import annotations

from services.programme import errors
from shared.problems import Row

PROBLEMS: list[Row] = [
    Row(
        errors.NoSuchTarget,
        "no-such-target",
        422,
        {"zh": "计划中没有这个目标", "en": "The plan has no such target"},
        {
            "zh": "{field} 没有「{given}」，可用：{allowed}。",
            "en": "There is no {field} “{given}”; use one of: {allowed}.",
        },
    ),
]
