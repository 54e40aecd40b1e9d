"""Whether this caller may make this kind of call at all; whose row it may touch is decided by the row's service."""

from __future__ import annotations

from services.gateway.errors import ScopeMissing
from services.gateway.policy.state import State
from services.gateway.routes import Rule, Who, rule_of
from shared.errors import MethodNotAllowed, NoSuchPath, Refused, Unauthenticated
from shared.http.call import Call

MISSING = "未提供 / none was sent"


def authorise(call: Call, state: State) -> Refused | None:
    rule = rule_of(call.method, call.path)
    if rule is None:
        return NoSuchPath(path=call.path[:200])
    principal = call.principal
    if principal.key_id is not None:
        if rule.scope and rule.scope not in principal.scopes and "*" not in principal.scopes:
            return ScopeMissing(needed=rule.scope, key_id=principal.key_id)
        return None
    if rule.who is Who.ANYONE or (rule.who is Who.GUEST and principal.guest is not None):
        return None
    return _nothing_there(rule, call, state) or Unauthenticated(reason=MISSING)


def _nothing_there(rule: Rule, call: Call, state: State) -> Refused | None:
    """A caller without a key learns that a path or method does not exist rather than that it needs a key."""
    methods = state.methods_of(rule.service, call.path)
    if methods is None or call.method in methods:
        return None
    if not methods:
        return NoSuchPath(path=call.path[:200])
    return MethodNotAllowed(method=call.method, allowed=tuple(sorted(methods)))
