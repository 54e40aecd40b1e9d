"""A worker process of the sample service: `python -m tests.contract.sample.worker until-idle|celery|bell-only`."""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from typing import Any

from shared.database import Database
from shared.jobs import Handler, JobRun, Jobs, SilentBell, worker
from shared.jobs.worker import Work, until_idle, with_celery
from shared.settings import Settings
from tests.contract.sample import MIGRATIONS, SERVICE, TABLES, Effect


def effect(run: JobRun) -> Any:
    """One row, at a time that nobody can foresee, so that a kill may fall anywhere."""
    time.sleep(random.random() * run.args.get("seconds", 0.0))
    with run.finish({"written": 1}) as session:
        session.add(Effect(job_id=run.job.id))


def wait_for_file(run: JobRun) -> Any:
    """Works until a file appears; leaves a sign that it has begun."""
    Path(run.args["begun"]).touch()
    while not Path(run.args["until"]).exists():
        run.progress(0.5, "waiting")
        time.sleep(0.02)
    with run.finish({"attempt": run.job.attempt}) as session:
        session.add(Effect(job_id=run.job.id))


HANDLERS: dict[str, Handler] = {"effect": effect, "wait_for_file": wait_for_file}


def main() -> None:
    settings = Settings.load()
    database = Database.open(settings, SERVICE, MIGRATIONS)
    works = [Work(SERVICE, Jobs(database, TABLES, SilentBell(), SERVICE), HANDLERS)]
    if sys.argv[1] == "bell-only":
        # Nothing is found by looking: what is done was rung for.
        worker.UNHEARD_S = 3600.0
    if sys.argv[1] != "until-idle":
        with_celery(settings, works)
    else:
        until_idle(settings, works)


if __name__ == "__main__":
    main()
