"""What the policy steps look at. All of it is in memory before a call comes; steps never wait for any engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from services.gateway.metering import Meter
from services.gateway.policy.guard import Guard
from shared.errors import Unauthenticated
from shared.identity import ANONYMOUS, Principal, sign, verify_guest
from shared.rates import Rates
from shared.settings import Secret

_MOST_CACHED = 20_000
_TOKEN_S = 1.0
_GUEST_S = 60.0


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key that may be used, as loaded from the database."""

    principal: Principal
    digest: bytes
    expires_at: float | None = None
    per_minute: int | None = None
    monthly_quota: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Calls a minute."""

    anonymous: int
    anonymous_predict: int
    key: int


class Tokens:
    """Signed principals for the services, each signed at most once a second."""

    def __init__(self, secret: Secret, clock: Callable[[], float]) -> None:
        self._secret, self._clock = secret, clock
        self._kept: dict[tuple[str | None, str | None], tuple[float, Principal, str]] = {}

    def of(self, principal: Principal) -> str:
        now = self._clock()
        name = (principal.key_id, principal.guest)
        kept = self._kept.get(name)
        if kept is not None and now - kept[0] < _TOKEN_S and kept[1] == principal:
            return kept[2]
        token = sign(principal, self._secret, now)
        if len(self._kept) > _MOST_CACHED:
            self._kept = {}
        self._kept[name] = (now, principal, token)
        return token


class Guests:
    """Guest tokens that were verified a moment ago."""

    def __init__(self, secret: Secret, clock: Callable[[], float]) -> None:
        self._secret, self._clock = secret, clock
        self._kept: dict[str, tuple[float, Principal]] = {}

    def of(self, token: str) -> Principal:
        """The guest of this token. Raises `Unauthenticated`."""
        now = self._clock()
        kept = self._kept.get(token)
        if kept is not None and now - kept[0] < _GUEST_S:
            return kept[1]
        if len(token) > 1000:
            raise Unauthenticated(reason="guest")
        principal = Principal(guest=verify_guest(token, self._secret, now))
        if len(self._kept) > _MOST_CACHED:
            self._kept = {}
        self._kept[token] = (now, principal)
        return principal


MethodsOf = Callable[[str, str], frozenset[str] | None]
"""Of (service, path): the methods that its document lists, empty when no such path, None when that is not known."""


def _unknown(service: str, path: str) -> frozenset[str] | None:
    return None


@dataclass(slots=True)
class State:
    secret: Secret
    limits: Limits
    rates: Rates
    meter: Meter
    guards: Mapping[str, Guard]
    clock: Callable[[], float] = time.time
    keys: Mapping[str, KeyRecord] = field(default_factory=dict)
    """By public id. Replaced as a whole, never changed in place."""
    quota_left: dict[str, int] = field(default_factory=dict)
    """By public id, for keys with a monthly quota."""
    methods_of: MethodsOf = _unknown
    tokens: Tokens = field(init=False)
    guests: Guests = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = Tokens(self.secret, self.clock)
        self.guests = Guests(self.secret, self.clock)

    def say_who(self, principal: Principal) -> str:
        return self.tokens.of(principal)


@lru_cache(maxsize=65_536)
def neighbourhood(address: str) -> str:
    """What counts as one caller without a key: an IPv4 address, or the /64 that an IPv6 subscriber is given."""
    if ":" not in address:
        return address
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return ":".join(parsed.exploded.split(":")[:4])
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


__all__ = ["ANONYMOUS", "Guests", "KeyRecord", "Limits", "MethodsOf", "State", "Tokens", "neighbourhood"]
