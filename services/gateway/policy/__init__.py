"""The gateway's policy: steps over a call, in order, the same on the event loop and in threads.

A step may refuse, never waits, and registers with `call.at_end` what gives back what it took.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from services.gateway.policy.authorise import authorise
from services.gateway.policy.enter_upstream import enter_upstream
from services.gateway.policy.find_route import find_route
from services.gateway.policy.identify import identify
from services.gateway.policy.limit_rate import limit_rate
from services.gateway.policy.limit_size import limit_size
from services.gateway.policy.record import record
from services.gateway.policy.reserve_quota import reserve_quota
from services.gateway.policy.state import State
from shared.errors import Refused
from shared.http.call import Admit, Call

Step = Callable[[Call, State], Refused | None]

STEPS: tuple[Step, ...] = (
    record,
    find_route,
    limit_size,
    identify,
    authorise,
    limit_rate,
    reserve_quota,
    enter_upstream,
)
DECISION_STEPS: tuple[Step, ...] = (find_route, identify, authorise, limit_rate, reserve_quota)
"""For a proxy that asks before it passes the call on by itself: it counts usage and guards the upstream."""


def admit(call: Call, state: State, steps: tuple[Step, ...] = STEPS) -> Refused | None:
    """Lets the call pass, its principal and headers filled in, or says why not. The caller ends the call either way."""
    for step in steps:
        refusal = step(call, state)
        if refusal is not None:
            return refusal
    return None


def for_inference(state: State) -> Admit:
    """The policy as the inference hand-over takes it."""
    return partial(admit, state=state)


__all__ = ["DECISION_STEPS", "STEPS", "State", "Step", "admit", "for_inference"]
