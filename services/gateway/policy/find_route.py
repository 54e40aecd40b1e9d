"""Says which service owns the path and as what the call counts."""

from __future__ import annotations

from services.gateway.policy.state import State
from services.gateway.routes import rule_of
from shared.errors import NoSuchPath, Refused
from shared.http.call import Call


def find_route(call: Call, state: State) -> Refused | None:
    rule = rule_of(call.method, call.path)
    if rule is None:
        return NoSuchPath(path=call.path[:200])
    call.upstream = rule.service
    call.route = rule.route
    if rule.route == "jobs" and (call.path.endswith("/events") or "wait=" in call.query):
        call.route = "wait"
    return None
