"""Reserves one call of the key's month and gives it back when the call did not succeed.

Only keys with a quota pass here. Over several gateways the count of the month is exact to what was not yet flushed,
which is one second's calls.
"""

from __future__ import annotations

import calendar
from datetime import UTC, datetime
from functools import partial

from services.gateway.errors import QuotaUsedUp
from services.gateway.policy.state import State
from shared.errors import Refused
from shared.http.call import Call

_FREE = frozenset({"health", "account"})


def reserve_quota(call: Call, state: State) -> Refused | None:
    key_id = call.principal.key_id
    if key_id is None or call.route in _FREE:
        return None
    left = state.quota_left.get(key_id)
    if left is None:
        return None
    if left <= 0:
        record = state.keys.get(key_id)
        quota = (record.monthly_quota if record is not None else None) or 0
        now = datetime.fromtimestamp(state.clock(), UTC)
        rest = month_length_s(now) - ((now.day - 1) * 86_400 + now.hour * 3600 + now.minute * 60 + now.second)
        return QuotaUsedUp(limit=quota, window_s=month_length_s(now), retry_after_s=rest)
    state.quota_left[key_id] = left - 1
    call.at_end(partial(_refund, call, state, key_id))
    return None


def month_length_s(now: datetime) -> int:
    return calendar.monthrange(now.year, now.month)[1] * 86_400


def _refund(call: Call, state: State, key_id: str) -> None:
    if not 200 <= call.status < 300 and key_id in state.quota_left:
        state.quota_left[key_id] += 1
