from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.settings import Settings


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest) -> Settings:
    """Settings in which only the database differs between the modes."""
    if request.param == "sqlite":
        make: Callable[..., Settings] = request.getfixturevalue("embedded_settings")
        return make()
    make = request.getfixturevalue("distributed_settings")
    return make(without=("redis", "elasticsearch"))
