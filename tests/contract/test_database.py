"""What `shared.database` promises, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from shared.database import Database, Scoped, after_commit, role_findings
from shared.database.migrations import is_current, newest
from shared.errors import Busy, Conflict, DependencyDown, NotFound
from shared.identity import ANONYMOUS, Principal
from shared.settings import Secret, Settings
from tests.contract import sample
from tests.contract.sample import TABLES, Note
from tests.processes import ROOT

OURS = Principal(organisation="org-a", key_id="k1", role="sme")
THEIRS = Principal(organisation="org-b", key_id="k2", role="sme")


def count(database: Database, table: sa.FromClause) -> int:
    with database.read() as session:
        return int(session.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def test_migrations_make_what_the_models_declare(database: Database) -> None:
    assert is_current(database)
    with database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), sample.Base.metadata)
    # Alembic's own table is nobody's model.
    assert [each for each in differences if "alembic_version" not in str(each)] == []


@pytest.mark.parametrize("folder", sorted(ROOT.glob("services/*/migrations")), ids=lambda path: path.parent.name)
def test_the_newest_file_of_a_history_is_its_end(folder: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    assert newest(folder) == ScriptDirectory.from_config(config).get_current_head()


def test_several_processes_migrate_at_once_and_all_succeed(open_database: Callable[[], Database]) -> None:
    databases = [open_database() for _ in range(4)]
    assert not is_current(databases[0])
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(Database.migrate, databases))
    assert all(is_current(each) for each in databases)


def test_a_write_is_all_or_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as session:
        session.add(Note(id="n1", title="油剂"))
        session.flush()
        raise ZeroDivisionError
    assert count(database, Note.__table__) == 0


def test_threads_that_read_and_then_write_lose_no_update(database: Database) -> None:
    sample.write_note(database, "n1", "0")

    def add_one(_: int) -> None:
        with database.write() as session:
            note = session.execute(sa.select(Note).where(Note.id == "n1").with_for_update()).scalar_one()
            note.title = str(int(note.title) + 1)

    # On SQLite a deferred transaction would fail here with "database is locked" at once.
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_one, range(80)))
    with database.read() as session:
        note = session.get_one(Note, "n1")
        assert (note.title, note.version) == ("80", 81)


def test_a_reading_transaction_is_refused_writes(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError), database.read() as session:
        session.execute(sa.insert(Note).values(id="n1", title="x", facts={}, version=1))
    sample.write_note(database, "n1", "a write after it works")


def test_reading_waits_for_no_writer(database: Database) -> None:
    sample.write_note(database, "n1", "before")
    with database.write() as session:
        session.get_one(Note, "n1").title = "during"
        session.flush()
        with database.read() as other:
            assert other.get_one(Note, "n1").title == "before"


def test_a_change_of_a_row_changed_meanwhile_is_refused(database: Database) -> None:
    sample.write_note(database, "n1", "first")
    with database.read() as session:
        stale = session.get_one(Note, "n1")
    sample.write_note(database, "n1", "second")
    with pytest.raises(Conflict), database.write() as session:
        session.add(stale)
        stale.title = "third"


def test_a_row_made_again_after_its_deletion_is_newer_than_it_ever_was(database: Database) -> None:
    assert sample.write_note(database, "n1", "a") == 1
    assert sample.write_note(database, "n1", "b") == 2
    assert sample.delete_note(database, "n1") == 3
    assert sample.write_note(database, "n1", "c") == 4
    assert sample.write_note(database, "n1", "d") == 5


def test_moments_come_back_in_utc_and_naive_ones_are_refused(database: Database) -> None:
    sample.write_note(database, "n1", "x")
    china = timezone(timedelta(hours=8))
    with database.write() as session:
        session.get_one(Note, "n1").created_at = datetime(2026, 11, 24, 8, 0, tzinfo=china)
    with database.read() as session:
        assert session.get_one(Note, "n1").created_at == datetime(2026, 11, 24, tzinfo=UTC)
        early = sa.select(Note.id).where(Note.created_at < datetime(2026, 11, 24, 9, 0, tzinfo=china))
        assert session.execute(early).scalar_one() == "n1"
    with pytest.raises(sa.exc.StatementError), database.write() as session:
        session.get_one(Note, "n1").created_at = datetime(2026, 11, 24)


def test_json_keeps_chinese_and_order(database: Database) -> None:
    with database.write() as session:
        session.add(Note(id="n1", title="x", facts={"温度": 195, "b": [1, None], "a": "℃"}))
    with database.read() as session:
        assert list(session.get_one(Note, "n1").facts) == ["温度", "b", "a"]


@pytest.mark.parametrize("statement", ["UPDATE audit SET action = 'nothing'", "DELETE FROM audit"])
def test_the_audit_cannot_be_rewritten(database: Database, statement: str) -> None:
    sample.write_note(database, "n1", "x")
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), database.write() as session:
        session.execute(sa.text(statement))
    assert count(database, TABLES.audit) == 1


def test_a_caller_sees_public_rows_and_its_own_and_nobody_elses(database: Database) -> None:
    for note_id, owner in (("public", None), ("ours", "org-a"), ("theirs", "org-b")):
        sample.write_note(database, note_id, note_id, organisation=owner)
    with database.read() as session:
        for principal, seen in ((OURS, {"public", "ours"}), (THEIRS, {"public", "theirs"}), (ANONYMOUS, {"public"})):
            scoped = Scoped(session, principal)
            assert {note.id for note in session.execute(scoped.select(Note)).scalars()} == seen
            rows, total = scoped.page(scoped.select(Note).order_by(Note.id), page=1, size=1)
            assert (len(rows), total) == (1, len(seen))
        with pytest.raises(NotFound) as foreign:
            Scoped(session, OURS).get(Note, "theirs", "note")
        with pytest.raises(NotFound) as missing:
            Scoped(session, OURS).get(Note, "nowhere", "note")
        assert str(foreign.value).replace("theirs", "nowhere") == str(missing.value)
        with pytest.raises(NotFound):
            Scoped(session, OURS).own(Note, "public", "note")
        assert Scoped(session, OURS).own(Note, "ours", "note").id == "ours"


def test_what_follows_a_commit_runs_once_and_only_after_it(database: Database) -> None:
    seen: list[int] = []
    with database.write() as session:
        session.add(Note(id="n1", title="x"))
        after_commit(session, lambda: seen.append(count(database, Note.__table__)))
        assert seen == []
    assert seen == [1]
    with pytest.raises(ZeroDivisionError), database.write() as session:
        after_commit(session, lambda: seen.append(-1))
        raise ZeroDivisionError
    with database.write() as session:
        after_commit(session, lambda: 1 // 0)
        session.add(Note(id="n2", title="a failing wake-up undoes nothing"))
    assert (seen, count(database, Note.__table__)) == ([1], 2)


def test_together_makes_one_transaction_of_several(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.together():
        sample.write_note(database, "n1", "x")
        with database.read() as session:
            assert session.get_one(Note, "n1").title == "x"
        raise ZeroDivisionError
    assert count(database, Note.__table__) == 0
    with database.together():
        with pytest.raises(sa.exc.IntegrityError), database.write() as session:
            session.execute(sa.insert(Note).values(id="n1", title=None, facts={}, version=1))
        sample.write_note(database, "n2", "the rest goes on after an inner part was undone")
    assert count(database, Note.__table__) == 1


def test_only_one_holds_a_name(open_database: Callable[[], Database]) -> None:
    first, second = open_database(), open_database()
    with first.only_one("relay") as held:
        assert held
        with second.only_one("relay") as too:
            assert not too
        with second.only_one("another") as other:
            assert other
    with second.only_one("relay") as free:
        assert free


def test_a_lock_that_cannot_be_had_in_time_is_busy_not_away(
    database: Database, open_database: Callable[[], Database]
) -> None:
    other = open_database()
    sample.write_note(database, "n1", "x")
    if other.is_sqlite:
        # The promise is 5 s; a test need not wait for them.
        sa.event.listen(other.engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout=50"))
    with database.write() as session:
        session.get_one(Note, "n1").title = "held"
        session.flush()
        with pytest.raises(Busy), other.write() as waiting:
            waiting.execute(sa.update(Note).where(Note.id == "n1").values(title="y"))


def test_an_engine_that_is_away_is_said_so(store_settings: Settings, database: Database) -> None:
    if database.is_sqlite:
        # The file has become a folder: what a broken volume looks like from here.
        path = store_settings.home / "db" / "knowledge.sqlite3"
        away = Database.open(store_settings, "knowledge")
        path.unlink()
        path.mkdir()
    else:
        away = Database.open(
            store_settings.with_(database_url=Secret("postgresql://zhigai@127.0.0.1:1/nowhere")), "knowledge"
        )
    try:
        with pytest.raises(DependencyDown):
            away.ping()
    finally:
        away.close()


def test_our_own_mistakes_are_no_outage(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError), database.read() as session:
        session.execute(sa.text("SELECT no_such_column FROM note"))


def test_a_service_cannot_read_the_tables_of_another(store_settings: Settings, database: Database) -> None:
    sample.write_note(database, "n1", "x")
    other = Database.open(store_settings, "models", sample.MIGRATIONS)
    try:
        other.migrate()
        assert count(other, Note.__table__) == 0
        if not other.is_sqlite:
            with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), other.read() as session:
                session.execute(sa.text("SELECT * FROM catalog.note"))
    finally:
        other.close()


def test_a_login_without_the_right_to_make_roles_still_works(distributed_settings: Callable[..., Settings]) -> None:
    settings = distributed_settings(without=("redis", "elasticsearch"))
    assert settings.database_url is not None
    url = sa.make_url(settings.database_url.reveal())
    login = f"{url.database}_login"
    with sa.create_engine(url.set(drivername="postgresql+psycopg")).begin() as connection:
        connection.execute(sa.text(f"CREATE ROLE {login} LOGIN NOSUPERUSER"))
        connection.execute(sa.text(f"GRANT CREATE ON DATABASE {url.database} TO {login}"))
    plain = url.set(username=login).render_as_string(hide_password=False)
    opened = Database.open(settings.with_(database_url=Secret(plain)), sample.SERVICE, sample.MIGRATIONS)
    try:
        opened.migrate()
        opened.migrate()
        sample.write_note(opened, "n1", "x")
        assert role_findings(opened.engine) == []
    finally:
        opened.close()


def test_a_superuser_login_is_found_out(database: Database) -> None:
    findings = role_findings(database.engine)
    assert len(findings) == (0 if database.is_sqlite else 1)


def test_sessions_of_threads_do_not_join_one_another(database: Database) -> None:
    inside, seen = threading.Event(), []
    with database.together() as session:
        session.add(Note(id="n1", title="x"))
        session.flush()

        def look() -> None:
            seen.append(count(database, Note.__table__))
            inside.set()

        threading.Thread(target=look).start()
        assert inside.wait(5)
    assert seen == [0]


def test_postgresql_is_set_to_give_up_in_time_and_to_keep_what_it_acknowledged(
    distributed_settings: Callable[..., Settings],
) -> None:
    database = Database.open(distributed_settings(without=("redis", "elasticsearch")), sample.SERVICE)
    try:
        with database.read() as session:
            shown = {
                name: session.execute(sa.text(f"SHOW {name}")).scalar_one()
                for name in ("statement_timeout", "lock_timeout", "synchronous_commit", "timezone", "search_path")
            }
    finally:
        database.close()
    assert shown == {
        "statement_timeout": "5s",
        "lock_timeout": "1s",
        "synchronous_commit": "on",
        "timezone": "UTC",
        "search_path": "catalog",
    }


def test_sqlite_is_set_for_concurrent_writers_that_lose_nothing(embedded_settings: Callable[..., Settings]) -> None:
    database = Database.open(embedded_settings(), sample.SERVICE)
    try:
        with database.write() as session:
            shown = [
                session.execute(sa.text(f"PRAGMA {name}")).scalar_one()
                for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
            ]
    finally:
        database.close()
    assert shown == ["wal", 2, 5000, 1]
