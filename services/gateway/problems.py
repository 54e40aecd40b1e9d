"""How the gateway's own refusals are said."""

from __future__ import annotations

from services.gateway import errors
from shared.problems import Row

PROBLEMS: list[Row] = [
    Row(
        errors.QuotaUsedUp,
        "quota-used-up",
        429,
        {"zh": "本月调用次数已用完", "en": "Monthly quota used up"},
        {
            "zh": "此密钥本月的 {limit} 次调用已用完，下月初恢复；需要更多请联系平台管理员。",
            "en": "This key's {limit} calls for this month are used up. They return next month; or ask the operator.",
        },
        {"Retry-After": "{retry_after_s}"},
    ),
    Row(
        errors.ScopeMissing,
        "scope-missing",
        403,
        {"zh": "密钥没有此权限", "en": "The key lacks this scope"},
        {
            "zh": "密钥 {key_id} 没有权限「{needed}」。请换一个有此权限的密钥，或请管理员签发。",
            "en": "Key {key_id} lacks the scope “{needed}”. Use a key that has it, or ask for one.",
        },
    ),
]
