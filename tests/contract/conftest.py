"""One suite per port, run against every adapter on real servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from shared.database import Database
from shared.settings import Settings
from tests.contract import sample


@pytest.fixture(params=["sqlite", "postgresql"])
def store_settings(request: pytest.FixtureRequest) -> Settings:
    """Settings in which only the database differs between the modes."""
    if request.param == "sqlite":
        make: Callable[..., Settings] = request.getfixturevalue("embedded_settings")
        return make()
    make = request.getfixturevalue("distributed_settings")
    return make(without=("redis", "elasticsearch"))


@pytest.fixture
def open_database(store_settings: Settings) -> Iterator[Callable[[], Database]]:
    """Opens the sample service's database, as a second process would; closed afterwards."""
    opened: list[Database] = []

    def open_one() -> Database:
        opened.append(Database.open(store_settings, sample.SERVICE, sample.MIGRATIONS))
        return opened[-1]

    yield open_one
    for database in opened:
        database.close()


@pytest.fixture
def database(open_database: Callable[[], Database]) -> Database:
    """The sample service's database, migrated."""
    made = open_database()
    made.migrate()
    return made
