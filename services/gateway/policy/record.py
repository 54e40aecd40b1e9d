"""Counts the call once it is over, whatever became of it."""

from __future__ import annotations

import time
from functools import partial

from services.gateway.metering import NOBODY
from services.gateway.policy.state import State
from shared.errors import Refused
from shared.http.call import Call


def record(call: Call, state: State) -> Refused | None:
    call.at_end(partial(_count, call, state, time.perf_counter()))
    return None


def _count(call: Call, state: State, started: float) -> None:
    # 499 as nginx has it: the client went before there was an answer.
    status = call.status or 499
    if call.route == "health":
        return
    key_id = call.principal.key_id or NOBODY
    state.meter.count(key_id, call.route or "none", status, time.perf_counter() - started)
