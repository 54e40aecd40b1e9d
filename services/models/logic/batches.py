"""Batch prediction: many instances as a job, computed in the worker, progress as it goes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from services.models.errors import BadInstances
from services.models.inference.signature import MOST_SOLVED
from services.models.logic.components import callable_component
from shared.database import Database
from shared.errors import BadInput
from shared.identity import Principal
from shared.jobs import Job, Jobs

KIND = "batch"
PART = 500
MOST_INSTANCES = 20_000


def submit(
    database: Database, jobs: Jobs, principal: Principal, name: str, request: Mapping[str, Any], key: str | None
) -> Job:
    """Accepts a batch for component `name`. Raises `NotFound`, `BadInput`."""
    row, _ = callable_component(database, principal, name)
    if row.kind == "http" and request.get("history") is not None:
        said = "服务商自己的服务不收历史数据，请去掉 history / a provider's own service takes no history: leave it out"
        raise BadInput(errors={"history": [said]})
    instances = request["instances"]
    most = MOST_SOLVED if row.content.get("cost") == "job" else MOST_INSTANCES
    if not instances or len(instances) > most:
        said = f"应为 1 到 {most} 条，收到 {len(instances)} / 1 to {most}, got {len(instances)}"
        raise BadInput(errors={"instances": [said]})
    args = {"component": row.id, "release": row.stable, "instances": instances, "history": request.get("history")}
    return jobs.submit(KIND, args, principal, key)


def run(args: Mapping[str, Any], predict: Callable[[str, dict[str, Any]], dict[str, Any]], progress: Any) -> Any:
    """Predicts part by part. `predict(name, request)` answers as the friendly call does."""
    instances = args["instances"]
    predictions: list[Any] = []
    for start in range(0, len(instances), PART):
        request: dict[str, Any] = {"instances": instances[start : start + PART], "release": args["release"]}
        if args.get("history") is not None:
            request["history"] = args["history"]
        try:
            predictions += predict(args["component"], request)["predictions"]
        except BadInstances as refused:
            raise BadInstances(errors={_in_whole(path, start): said for path, said in refused.errors.items()}) from None
        progress(len(predictions) / len(instances), f"{len(predictions)} / {len(instances)}")
    return {"component": args["component"], "release": args["release"], "predictions": predictions}


def _in_whole(path: str, start: int) -> str:
    """The path of a fault in the whole batch, of one in the part that begins at `start`."""
    found = re.match(r"instances\.(\d+)", path)
    return path if found is None else f"instances.{start + int(found[1])}{path[found.end() :]}"
