"""Alembic, one history per service in `services/<name>/migrations/versions`, run by one process at a time.

There is no `env.py`: the environment is the same for every service and stands here. Alembic is loaded where it is used,
since a server whose databases stand as they were left needs none of it.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from shared.database.roles import make_schema

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    from shared.database.engine import Database

_ADVISORY_LOCK = 7_140_513


def migrate(database: Database) -> None:
    """Runs the service's migrations up to the newest, all or none. Harmless when there is nothing to do."""
    if database.migrations is None:
        return
    from alembic.runtime.environment import EnvironmentContext

    config, script = _scripts(database.migrations)
    context = EnvironmentContext(config, script, fn=lambda revision, _: script._upgrade_revs("head", revision))
    with (database.folder / f"{database.service}.migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with _alone(database) as connection:
            context.configure(
                connection=connection,
                render_as_batch=database.is_sqlite,
                transactional_ddl=True,
                transaction_per_migration=False,
                version_table_schema=None if database.is_sqlite else database.service,
            )
            context.run_migrations()
    # Connections opened before the role was made would work without it.
    database.engine.dispose()


def is_current(database: Database) -> bool:
    """Whether the schema is at the newest migration that this code knows."""
    if database.migrations is None:
        return True
    with database.read() as session:
        if not sa.inspect(session.connection()).has_table("alembic_version"):
            return False
        found = session.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return bool(found == newest(database.migrations))


def newest(folder: Path) -> str:
    """The newest revision of a history, by the names of its files: `0003_lifecycle.py` is revision 0003."""
    return max(path.name.partition("_")[0] for path in (folder / "versions").glob("[0-9]*.py"))


def _scripts(folder: Path) -> tuple[Config, ScriptDirectory]:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config, ScriptDirectory.from_config(config)


@contextmanager
def _alone(database: Database) -> Iterator[sa.Connection]:
    """A transaction in which this process is the only one that migrates."""
    engine = database.engine.execution_options(zhigai_write=True)
    with engine.connect() as connection:
        if database.is_sqlite:
            with _without_foreign_keys(connection), connection.begin():
                yield connection
            return
        with connection.begin():
            connection.execute(sa.text("SET LOCAL lock_timeout = '60s'"))
            connection.execute(sa.text("SET LOCAL statement_timeout = '120s'"))
            connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
            make_schema(connection, database.service)
            yield connection


@contextmanager
def _without_foreign_keys(connection: sa.Connection) -> Iterator[None]:
    """A batch migration on SQLite rebuilds a table: dropping the old one would delete the rows that refer to it.

    The pragma does nothing inside a transaction, so it goes to the driver's connection before one begins.
    """
    raw = connection.connection.cursor()
    raw.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
        broken = raw.execute("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise RuntimeError(f"after the migration {len(broken)} rows refer to rows that are not there")
    finally:
        raw.execute("PRAGMA foreign_keys=ON")
        raw.close()
