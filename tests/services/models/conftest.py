from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from services.models import app as models
from services.models.inference.release import SHIPPED, LoadedRelease, open_release
from services.models.inference.sessions import load
from shared.identity import PRINCIPAL_HEADER, Principal, sign
from shared.settings import Settings

ADMIN = Principal(organisation="org-operator", key_id="k-admin", role="admin", scopes=frozenset({"*"}))
FIRM = Principal(organisation="org-wang", key_id="k-wang", role="sme")
OTHER = Principal(organisation="org-li", key_id="k-li", role="sme")
NOBODY = Principal()


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest) -> Settings:
    """Settings in which only the database differs between the modes."""
    if request.param == "sqlite":
        make: Callable[..., Settings] = request.getfixturevalue("embedded_settings")
        return make()
    make = request.getfixturevalue("distributed_settings")
    return make(without=("redis", "elasticsearch"))


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


@pytest.fixture
def app(settings: Settings) -> Iterator[Any]:
    models.migrate(settings)
    models.seed(settings)
    made = models.create_app(settings)
    yield made
    made.extensions["zhigai"].close()


@pytest.fixture
def callers(app: Any, settings: Settings) -> Callers:
    return Callers(app.test_client(), settings)


@pytest.fixture(scope="session")
def loaded() -> Callable[[str], LoadedRelease]:
    """Shipped releases ready to compute, loaded once."""
    held: dict[str, LoadedRelease] = {}

    def get(name: str) -> LoadedRelease:
        if name not in held:
            held[name] = load(open_release([SHIPPED], name))
        return held[name]

    return get
