from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from services.programme.app import create_app
from shared.settings import Settings
from tests.services.callers import without_a_key


@pytest.fixture
def programme(embedded_settings: Callable[..., Settings]) -> FlaskClient:
    """The service, called as the gateway calls it for someone without a key."""
    settings = embedded_settings()
    return without_a_key(create_app(settings), settings)
