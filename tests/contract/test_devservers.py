"""The servers that tests run on."""

from __future__ import annotations

import psycopg
import redis

from tools import devservers


def test_a_server_that_was_killed_answers_again_at_the_same_address() -> None:
    server = devservers.redis(own=True)
    try:
        assert redis.Redis.from_url(server.url).ping()
        server.kill()
        server.start()
        assert redis.Redis.from_url(server.url).ping()
    finally:
        server.stop()
    assert server.folder is not None
    assert not server.folder.exists()


def test_workers_of_one_run_share_one_server(tmp_path_factory: object) -> None:
    folder = devservers._folder("shared-test")
    first, second = devservers.Servers(folder), devservers.Servers(folder)
    try:
        assert first.get("redis").url == second.get("redis").url
    finally:
        first.close()
    assert not folder.exists()


def test_postgres_lets_tests_make_databases_and_roles(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        row = connection.execute(
            "SELECT rolcreatedb AND rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert row == (True,)
