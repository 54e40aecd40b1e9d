"""What was acknowledged is there, and there once, whatever is killed. Small; the figures are counts, not times."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sqlalchemy as sa

from shared.database import Database, Idempotency
from shared.database.idempotency import KeptAnswer
from shared.errors import Refused
from shared.settings import Secret, Settings
from tests.contract import sample
from tests.contract.sample import TABLES, Effect
from tests.contract.waiting import wait_until
from tools import devservers

ROOT = Path(__file__).resolve().parents[2]
WRITER = """
import sys
from shared.settings import Settings
from shared.database import Database
from tests.contract import sample
from tests.contract.sample import Effect
database = Database.open(Settings.load(), sample.SERVICE, sample.MIGRATIONS)
number = int(sys.argv[1])
while True:
    number += 1
    with database.write() as session:
        session.add(Effect(job_id=str(number)))
    print(number, flush=True)
"""


def effects(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.execute(sa.select(Effect.job_id)).scalars())


def test_writes_repeated_after_postgres_was_killed_are_stored_once(
    distributed_settings: Callable[..., Settings],
) -> None:
    server = devservers.postgres(own=True)
    settings = distributed_settings(without=("postgres", "redis", "elasticsearch"), database_url=Secret(server.url))
    database = Database.open(settings, sample.SERVICE, sample.MIGRATIONS)
    stop, acknowledged, refused = threading.Event(), [], []

    def write(writer: int) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            key = f"{writer}-{number}"
            while True:
                try:
                    Idempotency(database, TABLES).once("org", key, key, lambda key=key: act(key))  # type: ignore[misc]
                    acknowledged.append(key)
                    break
                except Refused as refusal:
                    # What the client saw is ambiguous, so it asks again under the same key.
                    refused.append(refusal)
                    stop.wait(0.02)

    def act(key: str) -> KeptAnswer:
        with database.write() as session:
            session.add(Effect(job_id=key))
        return KeptAnswer(201, {}, b"")

    try:
        database.migrate()
        with ThreadPoolExecutor(4) as pool:
            try:
                writing = [pool.submit(write, number) for number in range(4)]
                for _ in range(3):
                    target = len(acknowledged) + 100
                    wait_until(lambda target=target: len(acknowledged) >= target, "writes are acknowledged", 60)
                    server.kill()
                    server.start()
                target = len(acknowledged) + 100
                wait_until(lambda: len(acknowledged) >= target, "writes go on", 60)
            finally:
                stop.set()
            for each in writing:
                each.result()
        stored = effects(database)
    finally:
        database.close()
        server.stop()
    assert refused, "the kills were felt"
    assert len(acknowledged) >= 400
    assert sorted(stored) == sorted(acknowledged)


def test_a_process_killed_while_it_writes_to_sqlite_loses_nothing_it_acknowledged(
    embedded_settings: Callable[..., Settings],
) -> None:
    settings = embedded_settings()
    database = Database.open(settings, sample.SERVICE, sample.MIGRATIONS)
    database.migrate()
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "ZHIGAI_HOME": str(settings.home),
        "ZHIGAI_SECRET": settings.secret.reveal(),
    }  # fmt: skip
    acknowledged: list[str] = []
    for start in (0, 100_000, 200_000):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(start)], env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            for _ in range(50):
                acknowledged.append(writer.stdout.readline().strip())
            writer.send_signal(signal.SIGKILL)
            acknowledged += [line.strip() for line in writer.stdout if line.endswith("\n")]
    stored = effects(database)
    database.close()
    assert len(acknowledged) >= 150
    assert set(acknowledged) <= set(stored)
    # At most the write in flight at each kill was stored without its acknowledgement having been read.
    assert len(stored) - len(acknowledged) <= 3
    assert len(stored) == len(set(stored))
