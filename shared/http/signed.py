"""Admission of a service that runs alone: only calls with a principal that the gateway signed."""

from __future__ import annotations

from collections.abc import Callable

from shared.errors import Refused, Unauthenticated
from shared.http.call import Call
from shared.identity import PRINCIPAL_HEADER, verify
from shared.settings import Settings

_NAME = PRINCIPAL_HEADER.lower()


def admit_signed(settings: Settings) -> Callable[[Call], Refused | None]:
    """Policy for hot routes of a service behind a gateway in another process."""

    def admit(call: Call) -> Refused | None:
        token = call.headers.get(_NAME, "")
        if not token:
            return Unauthenticated(reason="principal")
        try:
            call.principal = verify(token, settings.secret)
        except Refused as refused:
            return refused
        call.principal_token = token
        return None

    return admit
