"""Refuses a body whose announced length is too large; one without a length is counted while it is read."""

from __future__ import annotations

from services.gateway.policy.state import State
from shared.errors import Refused, TooLarge
from shared.http.call import Call

JSON_BYTES = 1_000_000
SIZES = {"predict": 8 * 1024 * 1024, "infer": 8 * 1024 * 1024, "upload": 64 * 1024 * 1024}


def limit_size(call: Call, state: State) -> Refused | None:
    if call.body_length and call.body_length > size_of(call.route):
        return TooLarge(limit_bytes=size_of(call.route))
    return None


def size_of(route: str) -> int:
    return SIZES.get(route, JSON_BYTES)
