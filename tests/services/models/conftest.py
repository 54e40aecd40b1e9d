from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from services.models import app as models
from services.models.inference.release import SHIPPED, LoadedRelease, open_release
from services.models.inference.sessions import load
from shared.settings import Settings
from tests.services.callers import Callers


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
