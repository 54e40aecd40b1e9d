from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from shared.settings import Secret, Settings
from tests.processes import Running, start_distributed, start_embedded


def _settings() -> Settings:
    home = Path(tempfile.mkdtemp(prefix="zg-"))
    return Settings(home=home, secret=Secret(secrets.token_hex(32)), port=0, index_prefix=f"t{secrets.token_hex(6)}")


@pytest.fixture(scope="session")
def embedded() -> Iterator[Running]:
    """The all-in-one: SQLite, tantivy, a child worker."""
    settings = _settings()
    running = start_embedded(settings)
    yield running
    running.stop()
    shutil.rmtree(settings.home, ignore_errors=True)


@pytest.fixture(scope="session")
def distributed(postgres_url: str, redis_url: str, elasticsearch_url: str, nginx_binary: str) -> Iterator[Running]:
    """Every service by itself: PostgreSQL, Redis, Elasticsearch, Celery, nginx."""
    name = f"t{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    settings = _settings().with_(
        database_url=Secret(f"{postgres_url.rpartition('/')[0]}/{name}"),
        redis_url=Secret(redis_url),
        elasticsearch_url=Secret(elasticsearch_url),
    )
    running = start_distributed(settings, nginx_binary)
    yield running
    running.stop()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        roles = connection.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE %s", (f"{name}\\_%",)).fetchall()
        for (role,) in roles:
            connection.execute(f'DROP ROLE "{role}"'.encode())
    shutil.rmtree(settings.home, ignore_errors=True)


@pytest.fixture(params=["embedded", "distributed"])
def platform(request: pytest.FixtureRequest) -> Running:
    """Both modes, one after the other."""
    running: Running = request.getfixturevalue(request.param)
    return running
