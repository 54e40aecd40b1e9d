"""The answer to a proxy that asks whether a call may pass (nginx `auth_request`) and then passes it on by itself.

Only 2xx, 401 and 403 get through nginx; anything else would become a 500, so that a limit is a 403 with a reason that
nginx maps. The answer may be cached for a second: nothing in it belongs to one request.
"""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from services.gateway.errors import QuotaUsedUp
from services.gateway.policy import DECISION_STEPS, State, admit
from shared.errors import Forbidden, MethodNotAllowed, NoSuchPath, RateLimited, Refused, Unauthenticated
from shared.http.call import Call
from shared.identity import PRINCIPAL_HEADER

PATH = "/internal/authorise"
_REASONS: tuple[tuple[type[Refused], str], ...] = (
    (QuotaUsedUp, "quota-used-up"),
    (RateLimited, "rate-limited"),
    (Forbidden, "forbidden"),
    (MethodNotAllowed, "method-not-allowed"),
    (NoSuchPath, "no-such-path"),
)


def asked_about(call: Call) -> Call:
    """The call that the proxy asks about, out of the question's own headers."""
    asked = urlsplit(call.headers.get("x-original-uri", ""))
    return Call(
        method=call.headers.get("x-original-method", "GET").upper(),
        path=unquote(asked.path, errors="surrogateescape"),
        query=asked.query,
        headers=call.headers,
        address=call.address,
        request_id=call.request_id,
    )


def decide(call: Call, state: State) -> tuple[int, dict[str, str]]:
    """Status and headers for the proxy. It counts the usage from its own log, by the key id that it is given here."""
    asked = asked_about(call)
    try:
        refusal = admit(asked, state, DECISION_STEPS)
        # The proxy's answer is not known here: what was reserved counts as used.
        asked.status = 200 if refusal is None else 403
    finally:
        asked.end()
    headers = dict(asked.answer_headers)
    if refusal is None:
        headers[PRINCIPAL_HEADER] = asked.principal_token
        headers["X-Zhigai-Key-Id"] = asked.principal.key_id or "-"
        headers["X-Zhigai-Route"] = asked.route
        return 204, headers
    if isinstance(refusal, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="zhigai"'
        return 401, headers
    headers["X-Zhigai-Reason"] = next((name for cls, name in _REASONS if isinstance(refusal, cls)), "refused")
    if isinstance(refusal, RateLimited):
        headers["Retry-After"] = str(refusal.retry_after_s)
    return 403, headers
