"""Passes the guard of the service behind: one that is dead or overloaded is answered for at once."""

from __future__ import annotations

from functools import partial

from services.gateway.policy.state import State
from shared.errors import Refused
from shared.http.call import Call


def enter_upstream(call: Call, state: State) -> Refused | None:
    guard = state.guards.get(guard_of(call))
    if guard is None:
        return None
    refusal = guard.enter(call)
    if refusal is None:
        call.at_end(partial(guard.leave, call))
    return refusal


def guard_of(call: Call) -> str:
    """Inference and waiting have guards of their own: they are many, or long, without anything being wrong."""
    if call.route in ("predict", "infer"):
        return "models.inference"
    return "waiting" if call.route == "wait" else call.upstream
