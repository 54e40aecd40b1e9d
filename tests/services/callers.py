"""Who calls a service in a test, and calling it as the gateway does."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

from shared.identity import PRINCIPAL_HEADER, Principal, sign
from shared.settings import Settings

ADMIN = Principal(organisation="org-operator", key_id="k-admin", role="admin", scopes=frozenset({"*"}))
FIRM = Principal(organisation="org-wang", key_id="k-wang", role="sme")
OTHER = Principal(organisation="org-li", key_id="k-li", role="sme")
GUEST = Principal(guest="guest-phone")
NOBODY = Principal()


class Callers:
    """The service called as the gateway calls it, for whoever it says."""

    def __init__(self, client: FlaskClient, settings: Settings) -> None:
        self.client, self._settings = client, settings

    def call(self, who: Principal, method: str, path: str, **kwargs: Any) -> Any:
        headers = {PRINCIPAL_HEADER: sign(who, self._settings.secret), **kwargs.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **kwargs)

    def get(self, path: str, who: Principal = NOBODY, **kwargs: Any) -> Any:
        return self.call(who, "GET", path, **kwargs)

    def post(self, path: str, body: Any, who: Principal = FIRM, **kwargs: Any) -> Any:
        return self.call(who, "POST", path, json=body, **kwargs)


def without_a_key(app: Any, settings: Settings) -> FlaskClient:
    """A client that the gateway let pass for someone without a key."""
    client: FlaskClient = app.test_client()
    client.environ_base[f"HTTP_{PRINCIPAL_HEADER.upper().replace('-', '_')}"] = sign(NOBODY, settings.secret)
    return client
