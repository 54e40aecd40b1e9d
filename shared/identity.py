"""Who is calling: a short-lived signed principal that the gateway hands to services, which refuse requests without it.

It covers organisation, key id, role and scopes, never a path or a request id: nginx may cache the answer that
carries it. Whether this organisation may touch this row is decided by the service that owns the row.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from shared.errors import Unauthenticated
from shared.settings import Secret

PRINCIPAL_HEADER = "X-Zhigai-Principal"
GUEST_HEADER = "X-Zhigai-Guest"
GUEST_COOKIE = "zhigai_guest"
"""The one cookie that says who asks: the portal sets it at a browser's first write."""
ROLES = ("anon", "sme", "provider", "reviewer", "district", "admin")
LIFE_S = 65
"""The gateway signs at most once a second and key; nginx may hold the answer a few seconds more."""
GUEST_LIFE_S = 180 * 24 * 3600

_HEADER = {"alg": "HS256"}
_ALGORITHMS = ["HS256"]


@dataclass(frozen=True, kw_only=True)
class Principal:
    organisation: str | None = None
    key_id: str | None = None
    role: str = "anon"
    scopes: frozenset[str] = field(default_factory=frozenset)
    guest: str | None = None

    @property
    def owner(self) -> str | None:
        """Whose rows this caller sees beside the public ones: the organisation, else the guest, else nobody's."""
        return self.organisation or self.guest

    @property
    def actor(self) -> str:
        """How the audit names the caller."""
        return self.key_id or self.guest or self.role


ANONYMOUS = Principal()
SYSTEM = Principal(role="admin", key_id="system", scopes=frozenset({"*"}))


def _key(secret: Secret) -> OctKey:
    return OctKey.import_key(secret.reveal().encode("ascii", "strict"))


def sign(principal: Principal, secret: Secret, now: float | None = None) -> str:
    """The principal as a token for `PRINCIPAL_HEADER`, good for `LIFE_S` seconds."""
    issued = int(time.time() if now is None else now)
    claims: dict[str, Any] = {
        "aud": "zhigai-services",
        "iat": issued,
        "exp": issued + LIFE_S,
        "org": principal.organisation,
        "key": principal.key_id,
        "role": principal.role,
        "scp": sorted(principal.scopes),
        "gst": principal.guest,
    }
    return jwt.encode(_HEADER, claims, _key(secret))


def verify(token: str, secret: Secret, now: float | None = None) -> Principal:
    """The principal in `token`. Raises `Unauthenticated` for anything that is not ours, whole and in time."""
    claims = _claims(token, secret, "zhigai-services", now)
    role = claims.get("role")
    if role not in ROLES:
        raise Unauthenticated(reason="principal")
    return Principal(
        organisation=claims.get("org"),
        key_id=claims.get("key"),
        role=role,
        scopes=frozenset(claims.get("scp") or ()),
        guest=claims.get("gst"),
    )


def sign_guest(guest: str, secret: Secret, now: float | None = None) -> str:
    """A token by which one browser owns its drafts until a sign-in adopts them."""
    issued = int(time.time() if now is None else now)
    claims = {"aud": "zhigai-guest", "iat": issued, "exp": issued + GUEST_LIFE_S, "sub": guest}
    return jwt.encode(_HEADER, claims, _key(secret))


def verify_guest(token: str, secret: Secret, now: float | None = None) -> str:
    """The guest id in `token`. Raises `Unauthenticated`."""
    return str(_claims(token, secret, "zhigai-guest", now)["sub"])


def _claims(token: str, secret: Secret, audience: str, now: float | None) -> dict[str, Any]:
    try:
        decoded = jwt.decode(token, _key(secret), algorithms=_ALGORITHMS)
        registry = jwt.JWTClaimsRegistry(
            now=int(time.time() if now is None else now),
            leeway=1,
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            iat={"essential": True},
        )
        registry.validate(decoded.claims)
    except (JoseError, ValueError, TypeError):
        raise Unauthenticated(reason="principal") from None
    return dict(decoded.claims)
