"""What tests of own data share: files of a small factory, and the worker turned by hand."""

from __future__ import annotations

import copy
import io
import random
from collections.abc import Mapping
from functools import cache
from typing import Any

from services.models.intake import sandbox, tables
from services.models.jobs import handlers
from services.models.logic import trainings
from services.models.store.schema import SERVICE, TABLES
from services.models.training.table import Roles, Table
from shared.identity import Principal
from shared.jobs import Handler, JobRun, Jobs, SilentBell, turn
from tests.services.callers import FIRM, Callers

GUEST = Principal(guest="gst-one")
OTHER_GUEST = Principal(guest="gst-two")


def energy_csv(rows: int = 200, *, noise: float = 5.0, encoding: str = "gb18030") -> bytes:
    """Energy = 2 x output + 30 for one of two machines, with noise: `设备,产量(kg),温度(℃),电量(kWh)`."""
    chance = random.Random(4)
    lines = ["设备,产量(kg),温度(℃),电量(kWh)"]
    for _ in range(rows):
        machine, output = chance.choice(["1号机", "2号机"]), chance.uniform(100, 300)
        energy = 2 * output + (30 if machine == "2号机" else 0) + chance.gauss(0, noise)
        lines.append(f"{machine},{output:.1f},{chance.gauss(180, 5):.1f},{energy:.1f}")
    return ("\n".join(lines) + "\n").encode(encoding)


def upload(callers: Callers, content: bytes, who: Principal = FIRM, name: str = "能耗.csv", **kwargs: Any) -> Any:
    return callers.call(
        who, "POST", "/api/v1/datasets", data={"file": (io.BytesIO(content), name)}, content_type="multipart/form-data",
        **kwargs,
    )  # fmt: skip


def nobody_else_works(app: Any) -> None:
    """Keeps the bell silent: the jobs of this app are done by `work`, not by a worker that a ring would start."""
    parts = app.extensions["zhigai"].parts
    parts["jobs"] = Jobs(parts["database"], TABLES, SilentBell(), SERVICE)


def work(app: Any, instead: Mapping[str, Handler] | None = None) -> int:
    """Does every job that is due. How many turns it took."""
    context = app.extensions["zhigai"]
    turns = 0
    while turn(context.parts["jobs"], {**handlers(context), **(instead or {})}, problems=context.problems) is not None:
        turns += 1
    return turns


def ready(app: Any, callers: Callers, content: bytes, who: Principal = FIRM, name: str = "能耗.csv") -> str:
    """The id of an uploaded dataset that has been read."""
    accepted = upload(callers, content, who, name)
    assert accepted.status_code == 202, accepted.get_json()
    work(app)
    found: str = accepted.get_json()["dataset"]["id"]
    return found


def with_train(app: Any, learn: trainings.Train) -> dict[str, Handler]:
    """The training's handler with another way to learn."""
    context = app.extensions["zhigai"]
    parts = context.parts

    def handler(run: JobRun) -> Any:
        return trainings.run(run, parts["database"], parts["blobs"], context.settings.home, learn, sandbox.findings)

    return {trainings.JOB: handler}


@cache
def _learnt() -> dict[str, Any]:
    from services.models.training.own_data import train

    roles = Roles(target="电量", title="定型机电量", name="own-x", features=("设备", "产量", "温度"), unit="kWh")
    return train(tables.read(energy_csv()), roles, lambda fraction, message: None)


def learnt(table: Table, roles: Roles, progress: trainings.Progress) -> dict[str, Any]:
    """What training on `energy_csv()` gives, learnt once for all tests that only need a model."""
    document = copy.deepcopy(_learnt())
    for example in document["examples"]:
        example["answer"]["component"] = roles.name
    return document
