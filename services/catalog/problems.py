"""How the catalog's refusals are said."""

from __future__ import annotations

from services.catalog import errors
from shared.problems import Row

PROBLEMS: list[Row] = [
    Row(
        errors.NobodyToAnswer,
        "nobody-to-answer",
        401,
        {"zh": "需要身份", "en": "An identity is needed"},
        {
            "zh": "需求要留给提出的人再看，请从网页提交，或带密钥调用。",
            "en": "An enquiry is kept for whoever wrote it: send it from the portal, or call with a key.",
        },
    ),
]
