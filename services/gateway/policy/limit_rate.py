"""Takes one token of the caller's bucket: of its key, or of its address when it has none."""

from __future__ import annotations

import math
from functools import lru_cache

from services.gateway.policy.state import State, neighbourhood
from shared.errors import RateLimited, Refused
from shared.http.call import Call

WINDOW_S = 60
_FREE = frozenset({"health"})
_ANONYMOUS_WORK = frozenset({"predict", "infer", "estimate", "guest"})
"""What costs more than reading has a tighter limit for callers without a key."""


def limit_rate(call: Call, state: State) -> Refused | None:
    if call.route in _FREE:
        return None
    key_id = call.principal.key_id
    if key_id is not None:
        record = state.keys.get(key_id)
        name, bucket = "key", f"key:{key_id}"
        limit = (record.per_minute if record is not None else None) or state.limits.key
    elif call.route in _ANONYMOUS_WORK:
        name, bucket = "anonymous-work", f"work:{neighbourhood(call.address)}"
        limit = state.limits.anonymous_predict
    else:
        name, bucket = "anonymous", f"read:{neighbourhood(call.address)}"
        limit = state.limits.anonymous
    refill = limit / WINDOW_S
    taken = state.rates.take(bucket, 1, capacity=limit, refill_per_s=refill)
    full_in = math.ceil((limit - taken.remaining) / refill)
    headers = call.answer_headers
    headers["ratelimit-policy"] = _policy(name, limit)
    headers["ratelimit"] = f'"{name}";r={max(taken.remaining, 0)};t={full_in}'
    if taken.allowed:
        return None
    return RateLimited(limit=limit, window_s=WINDOW_S, retry_after_s=max(1, math.ceil(taken.retry_after_s)))


@lru_cache(maxsize=256)
def _policy(name: str, limit: int) -> str:
    return f'"{name}";q={limit};w={WINDOW_S}'
