from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from services.programme.app import create_app
from shared.identity import ANONYMOUS, PRINCIPAL_HEADER, sign
from shared.settings import Settings


@pytest.fixture
def programme(embedded_settings: Callable[..., Settings]) -> FlaskClient:
    """The service, called as the gateway calls it for someone without a key."""
    settings = embedded_settings()
    client = create_app(settings).test_client()
    client.environ_base[f"HTTP_{PRINCIPAL_HEADER.upper().replace('-', '_')}"] = sign(ANONYMOUS, settings.secret)
    return client
