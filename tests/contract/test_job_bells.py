"""Workers as real processes, killed at any moment: what was accepted is done, and done once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import redis as redis_client
import sqlalchemy as sa

from shared.database import Database
from shared.identity import Principal
from shared.jobs import Jobs, SilentBell
from shared.jobs.bell.celery import CeleryBell
from shared.jobs.bell.child_process import NICE, ChildProcessBell, is_working
from shared.jobs.worker import start_sweeper
from shared.settings import Secret, Settings
from tests.contract import sample
from tests.contract.sample import TABLES, Effect
from tests.contract.waiting import wait_until
from tools import devservers

ROOT = Path(__file__).resolve().parents[2]
OURS = Principal(organisation="org-a", key_id="k1", role="sme")
LEASE_S = 1.5
COMMAND = [sys.executable, "-m", "tests.contract.sample.worker"]


def environment(settings: Settings) -> dict[str, str]:
    """The settings as a worker process reads them."""
    found = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "ZHIGAI_HOME": str(settings.home),
        "ZHIGAI_SECRET": settings.secret.reveal(),
        "ZHIGAI_JOB_LEASE_S": str(LEASE_S),
        "ZHIGAI_WORKER_IDLE_S": "1",
        "ZHIGAI_INDEX_PREFIX": settings.index_prefix,
    }
    if settings.database_url is not None:
        found["ZHIGAI_DATABASE_URL"] = settings.database_url.reveal()
    if settings.redis_url is not None:
        found["ZHIGAI_REDIS_URL"] = settings.redis_url.reveal()
    return found


def open_sample(settings: Settings) -> Database:
    database = Database.open(settings, sample.SERVICE, sample.MIGRATIONS)
    database.migrate()
    return database


def effects(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.execute(sa.select(Effect.job_id)).scalars())


def has_done(database: Database, count: int) -> bool:
    return len(effects(database)) >= count


class Workers:
    """Celery workers that are killed and started again, as a supervisor would."""

    def __init__(self, settings: Settings, mode: str = "celery") -> None:
        self._environment, self._mode = environment(settings), mode
        self._log = (settings.home / "worker.log").open("ab")
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [*COMMAND, self._mode], env=self._environment, cwd=ROOT, stdout=self._log, stderr=self._log
        )
        self._running.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait(10)
        self._running.remove(process)

    def close(self) -> None:
        for process in list(self._running):
            self.kill(process)
        self._log.close()


@pytest.fixture
def child_bell(embedded_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> Iterator[
    tuple[Settings, ChildProcessBell]
]:  # fmt: skip
    settings = embedded_settings(job_lease_s=LEASE_S)
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(ROOT)
    bell = ChildProcessBell(settings, [*COMMAND, "until-idle"])
    yield settings, bell
    bell.close()


def test_the_child_stands_back_behind_whoever_else_computes(child_bell: tuple[Settings, ChildProcessBell]) -> None:
    settings, bell = child_bell
    open_sample(settings)
    bell.ring("any")
    pid = bell.pid
    assert pid is not None
    wait_until(lambda: os.getpriority(os.PRIO_PROCESS, pid) == NICE, "it is nice")
    assert os.getsid(pid) == os.getsid(0), "niceness counts within a session, where the kernel shares among sessions"
    assert os.getpgid(pid) == pid, "Ctrl-C is for the server, which ends it"


def test_a_submitted_job_starts_the_child_which_ends_when_idle(child_bell: tuple[Settings, ChildProcessBell]) -> None:
    settings, bell = child_bell
    database = open_sample(settings)
    jobs = Jobs(database, TABLES, bell, sample.SERVICE)
    job = jobs.submit("effect", {}, OURS)
    wait_until(lambda: jobs.get(job.id, OURS).state == "done", "the job is done")
    assert effects(database) == [job.id]
    wait_until(lambda: bell.pid is None, "the idle child has ended")
    assert not is_working(settings.home)
    again = jobs.submit("effect", {}, OURS)
    wait_until(lambda: jobs.get(again.id, OURS).state == "done", "a later job starts a child again")
    database.close()


def test_one_home_has_one_worker_whoever_rings(child_bell: tuple[Settings, ChildProcessBell]) -> None:
    settings, bell = child_bell
    database = open_sample(settings)
    other = ChildProcessBell(settings, [*COMMAND, "until-idle"])
    begun, until = settings.home / "begun", settings.home / "until"
    jobs = Jobs(database, TABLES, bell, sample.SERVICE)
    job = jobs.submit("wait_for_file", {"begun": str(begun), "until": str(until)}, OURS)
    wait_until(begun.exists, "the worker has begun")
    other.ring(job.id)
    assert (other.pid, is_working(settings.home)) == (None, True)
    second = subprocess.run([*COMMAND, "until-idle"], check=False, cwd=ROOT, timeout=30)
    assert second.returncode == 0
    assert Path(f"/proc/{bell.pid}/stat").read_text().rpartition(")")[2].split()[16] == str(NICE)
    until.touch()
    wait_until(lambda: jobs.get(job.id, OURS).state == "done", "the job is done")
    assert effects(database) == [job.id]
    database.close()


def test_a_job_whose_worker_was_killed_is_done_once(child_bell: tuple[Settings, ChildProcessBell]) -> None:
    settings, bell = child_bell
    database = open_sample(settings)
    jobs = Jobs(database, TABLES, bell, sample.SERVICE)
    begun, until = settings.home / "begun", settings.home / "until"
    stop = start_sweeper([jobs], settings)
    try:
        job = jobs.submit("wait_for_file", {"begun": str(begun), "until": str(until)}, OURS)
        wait_until(begun.exists, "the worker has begun")
        pid = bell.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        until.touch()
        wait_until(lambda: jobs.get(job.id, OURS).state == "done", "another worker did it")
    finally:
        stop()
    assert effects(database) == [job.id]
    assert jobs.get(job.id, OURS).result == {"attempt": 2}
    database.close()


def test_a_worker_that_is_told_to_end_hands_its_job_back(child_bell: tuple[Settings, ChildProcessBell]) -> None:
    settings, bell = child_bell
    database = open_sample(settings)
    jobs = Jobs(database, TABLES, bell, sample.SERVICE)
    begun = settings.home / "begun"
    job = jobs.submit("wait_for_file", {"begun": str(begun), "until": str(settings.home / "never")}, OURS)
    wait_until(begun.exists, "the worker has begun")
    bell.close()
    assert jobs.get(job.id, OURS).state == "queued"
    database.close()


def test_a_child_that_fails_at_once_is_not_started_in_a_storm(embedded_settings: Callable[..., Settings]) -> None:
    settings = embedded_settings()
    starts = settings.home / "starts"
    bell = ChildProcessBell(settings, ["sh", "-c", f"echo x >> {starts}; exit 3"])
    bell.ring("job")
    wait_until(lambda: starts.exists() and bell.pid is None, "the child has failed")
    for _ in range(50):
        bell.ring("job")
    assert starts.read_text() == "x\n"
    bell.close()


def test_a_bell_without_redis_refuses_no_job(embedded_settings: Callable[..., Settings]) -> None:
    settings = embedded_settings()
    bell = CeleryBell(settings.with_(redis_url=Secret("redis://127.0.0.1:1/0")))
    database = open_sample(settings)
    jobs = Jobs(database, TABLES, bell, sample.SERVICE)
    assert len({jobs.submit("effect", {}, OURS).id for _ in range(20)}) == 20
    bell.close()
    database.close()


def test_a_worker_hears_the_bell_through_redis(distributed_settings: Callable[..., Settings]) -> None:
    settings = distributed_settings(without=("elasticsearch",))
    assert settings.redis_url is not None
    database, bell, workers = open_sample(settings), CeleryBell(settings), Workers(settings, "bell-only")
    jobs = Jobs(database, TABLES, bell, sample.SERVICE)
    redis = redis_client.Redis.from_url(settings.redis_url.reveal())
    queue, unacknowledged = f"{settings.index_prefix}:jobs", f"{settings.index_prefix}:unacked"
    try:
        job = jobs.submit("effect", {}, OURS)
        assert redis.llen(queue) == 1
        workers.start()
        wait_until(lambda: jobs.get(job.id, OURS).state == "done", "the job is done")
        wait_until(lambda: not redis.llen(queue) and not redis.hlen(unacknowledged), "the ring was heard")
    finally:
        workers.close()
        bell.close()
        database.close()
        redis.close()


def test_celery_rings_and_a_killed_worker_loses_nothing(distributed_settings: Callable[..., Settings]) -> None:
    settings = distributed_settings(without=("elasticsearch",))
    database, bell, workers = open_sample(settings), CeleryBell(settings), Workers(settings)
    jobs = Jobs(database, TABLES, bell, sample.SERVICE)
    begun, until = settings.home / "begun", settings.home / "until"
    try:
        first = workers.start()
        job = jobs.submit("wait_for_file", {"begun": str(begun), "until": str(until)}, OURS)
        wait_until(begun.exists, "the worker has begun")
        workers.kill(first)
        until.touch()
        workers.start()
        wait_until(lambda: jobs.get(job.id, OURS).state == "done", "another worker did it")
        assert effects(database) == [job.id]
    finally:
        workers.close()
        bell.close()
        database.close()


@pytest.mark.slow
def test_of_three_hundred_jobs_none_is_lost_or_done_twice_while_workers_and_redis_are_killed(
    distributed_settings: Callable[..., Settings],
) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    redis = devservers.redis(own=True)
    settings = distributed_settings(without=("elasticsearch", "redis"), redis_url=Secret(redis.url))
    database, bell, workers = open_sample(settings), CeleryBell(settings), Workers(settings)
    jobs = Jobs(database, TABLES, bell, sample.SERVICE)
    try:
        running = [workers.start(), workers.start()]
        accepted = [jobs.submit("effect", {"seconds": 0.05}, OURS).id for _ in range(100)]
        for kills in range(1, 11):
            # The next kill falls while work is in progress, after an unforeseeable share of what is left.
            target = min(len(effects(database)) + chance.randint(1, 20), len(accepted))
            wait_until(partial(has_done, database, target), f"work goes on after {kills} kills", 60)
            victim = chance.randrange(2)
            workers.kill(running[victim])
            running[victim] = workers.start()
            if kills % 4 == 0:
                redis.kill()
            accepted += [jobs.submit("effect", {"seconds": 0.05}, OURS).id for _ in range(20)]
            if kills % 4 == 0:
                redis.start()
        wait_until(lambda: jobs.open_count() == 0, "everything is done", 60)
        done = effects(database)
    finally:
        workers.close()
        bell.close()
        database.close()
        redis.stop()
    assert len(accepted) == 300
    assert sorted(done) == sorted(accepted)


def test_without_redis_workers_find_their_jobs_themselves(distributed_settings: Callable[..., Settings]) -> None:
    settings = distributed_settings(without=("elasticsearch", "redis"), redis_url=Secret("redis://127.0.0.1:1/0"))
    database, workers = open_sample(settings), Workers(settings)
    jobs = Jobs(database, TABLES, SilentBell(), sample.SERVICE)
    try:
        workers.start()
        job = jobs.submit("effect", {}, OURS)
        wait_until(lambda: jobs.get(job.id, OURS).state == "done", "done without a bell", 60)
    finally:
        workers.close()
        database.close()
