"""Alembic, one history per service, run by one process at a time."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

if TYPE_CHECKING:
    from shared.database.engine import Database

_ADVISORY_LOCK = 7_140_513


def migrate(database: Database, lock_folder: Path) -> None:
    """Runs the service's migrations up to the newest. Harmless when there is nothing to do."""
    if database.migrations is None:
        return
    config = Config()
    config.set_main_option("script_location", str(database.migrations).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    context = EnvironmentContext(config, script, fn=lambda revision, _: script._upgrade_revs("head", revision))
    with (lock_folder / f"{database.service}.migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        engine = database.engine.execution_options(zhigai_write=True)
        with engine.begin() as connection:
            if not database.is_sqlite:
                connection.execute(sa.text("SET LOCAL lock_timeout = '60s'"))
                connection.execute(sa.text("SET LOCAL statement_timeout = '120s'"))
                connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
                connection.execute(sa.text(f'CREATE SCHEMA IF NOT EXISTS "{database.service}"'))
            context.configure(
                connection=connection,
                render_as_batch=database.is_sqlite,
                transactional_ddl=True,
                transaction_per_migration=False,
                version_table_schema=None if database.is_sqlite else database.service,
            )
            context.run_migrations()


def is_current(database: Database) -> bool:
    """Whether the schema is at the newest migration that this code knows."""
    if database.migrations is None:
        return True
    config = Config()
    config.set_main_option("script_location", str(database.migrations).replace("%", "%%"))
    head = ScriptDirectory.from_config(config).get_current_head()
    with database.read() as session:
        try:
            found = session.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        except sa.exc.DBAPIError:
            return False
    return found == head
