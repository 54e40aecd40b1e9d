"""Real servers and settings for every suite.

A server that cannot be had here skips its tests with the reason; with CI=true the same fails, so that nothing passes
by being absent. All workers of one run share one set of servers, started when the first test asks.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from shared.settings import Secret, Settings
from tools.devservers import Missing, Servers

_FOLDER = "zhigai_servers"
_servers = pytest.StashKey[Servers]()


def pytest_configure(config: pytest.Config) -> None:
    given = getattr(config, "workerinput", {}).get(_FOLDER)
    folder = Path(given) if given else Path(tempfile.mkdtemp(prefix="zhigai-servers-"))
    config.stash[_servers] = Servers(folder)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """The controller of a parallel run tells each worker where the servers are noted."""
    node.workerinput[_FOLDER] = str(node.config.stash[_servers].folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and _servers in config.stash:
        config.stash[_servers].close()


def _url_of(config: pytest.Config, name: str) -> str:
    try:
        return config.stash[_servers].get(name).url
    except Missing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name} is needed in CI: {missing}")
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def postgres_url(pytestconfig: pytest.Config) -> str:
    """A PostgreSQL server whose login may make databases and roles."""
    return _url_of(pytestconfig, "postgres")


@pytest.fixture(scope="session")
def redis_url(pytestconfig: pytest.Config) -> str:
    return _url_of(pytestconfig, "redis")


@pytest.fixture(scope="session")
def elasticsearch_url(pytestconfig: pytest.Config) -> str:
    return _url_of(pytestconfig, "elasticsearch")


@pytest.fixture(scope="session")
def nginx_binary(pytestconfig: pytest.Config) -> str:
    return _url_of(pytestconfig, "nginx")


@pytest.fixture(scope="session")
def chromium_binary(pytestconfig: pytest.Config) -> str:
    return _url_of(pytestconfig, "chromium")


@pytest.fixture
def make_home() -> Iterator[Callable[[], Path]]:
    """Empty homes, removed afterwards. Short paths: sockets in a home may have about 100 characters."""
    made: list[Path] = []

    def make() -> Path:
        made.append(Path(tempfile.mkdtemp(prefix="zg-")))
        return made[-1]

    yield make
    for home in made:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def embedded_settings(make_home: Callable[[], Path]) -> Callable[..., Settings]:
    """Makes settings of the all-in-one in a fresh home; keyword arguments change single fields."""

    def make(**changes: object) -> Settings:
        settings = Settings(home=make_home(), secret=Secret(secrets.token_hex(32)), port=0)
        return settings.with_(**changes)

    return make


@pytest.fixture
def fresh_database(postgres_url: str) -> Iterator[Callable[[], str]]:
    """Makes empty PostgreSQL databases, dropped afterwards with the roles that were made for them."""
    made: list[str] = []
    server, _, _ = postgres_url.rpartition("/")

    def make() -> str:
        name = f"t{secrets.token_hex(6)}"
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        made.append(name)
        return f"{server}/{name}"

    yield make
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for name in made:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
            for (role,) in connection.execute(
                "SELECT rolname FROM pg_roles WHERE rolname LIKE %s", (f"{name}\\_%",)
            ).fetchall():
                connection.execute(f'DROP ROLE "{role}"'.encode())


@pytest.fixture
def distributed_settings(make_home: Callable[[], Path], request: pytest.FixtureRequest) -> Callable[..., Settings]:
    """Makes settings of the distributed mode: an empty database, and prefixes of its own in Redis and Elasticsearch.

    `without=("elasticsearch",)` leaves engines out that a test does not need, so that they need not be started.
    """

    def make(without: tuple[str, ...] = (), **changes: object) -> Settings:
        found: dict[str, object] = {}
        if "postgres" not in without:
            found["database_url"] = Secret(request.getfixturevalue("fresh_database")())
        if "redis" not in without:
            found["redis_url"] = Secret(request.getfixturevalue("redis_url"))
        if "elasticsearch" not in without:
            found["elasticsearch_url"] = Secret(request.getfixturevalue("elasticsearch_url"))
        settings = Settings(
            home=make_home(),
            secret=Secret(secrets.token_hex(32)),
            port=0,
            index_prefix=f"t{secrets.token_hex(6)}",
        )
        return settings.with_(**{**found, **changes})

    return make
