"""Says who calls: by key, by guest token, or nobody. What is sent and is wrong is refused, never taken for nothing."""

from __future__ import annotations

import hmac
from dataclasses import replace

from services.gateway import api_key
from services.gateway.policy.state import ANONYMOUS, KeyRecord, State
from shared.errors import Refused, Unauthenticated
from shared.http.call import Call
from shared.identity import GUEST_HEADER

_GUEST = GUEST_HEADER.lower()
_NO_DIGEST = bytes(32)
NOT_VALID = "密钥无效 / the key is not valid"
EXPIRED = "密钥已过期 / the key has expired"
OTHER_SCHEME = "Authorization 只接受 Bearer / only Bearer is accepted in Authorization"
TWO_KEYS = "两个标头给出了不同的密钥 / the two headers hold different keys"
GUEST_NOT_VALID = "访客凭证无效 / the guest token is not valid"


def identify(call: Call, state: State) -> Refused | None:
    headers = call.headers
    authorization, given, guest = headers.get("authorization"), headers.get("x-api-key"), headers.get(_GUEST)
    if authorization is None and given is None and guest is None:
        call.principal = ANONYMOUS
        call.principal_token = state.say_who(ANONYMOUS)
        return None
    if authorization is not None:
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return Unauthenticated(reason=OTHER_SCHEME)
        if given is not None and given.strip() != text.strip():
            return Unauthenticated(reason=TWO_KEYS)
        given = text
    principal = ANONYMOUS
    if guest is not None:
        try:
            principal = state.guests.of(guest.strip())
        except Unauthenticated:
            return Unauthenticated(reason=GUEST_NOT_VALID)
    if given is not None:
        record = usable(given.strip(), state)
        if record is None:
            return Unauthenticated(reason=NOT_VALID)
        if record.expires_at is not None and record.expires_at <= state.clock():
            return Unauthenticated(reason=EXPIRED)
        # With both, the key counts; the guest is named so that its drafts can be adopted.
        principal = record.principal if guest is None else replace(record.principal, guest=principal.guest)
    call.principal = principal
    call.principal_token = state.say_who(principal)
    return None


def usable(text: str, state: State) -> KeyRecord | None:
    """The key's record if its secret is right. An unknown id costs the same as a wrong secret."""
    read = api_key.read(text)
    if read is None:
        return None
    key_id, digest = read
    record = state.keys.get(key_id)
    right = hmac.compare_digest(digest, _NO_DIGEST if record is None else record.digest)
    return record if right else None
