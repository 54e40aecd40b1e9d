"""Batch prediction: many instances as a job, computed in the worker, progress as it goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

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
        predictions += predict(args["component"], request)["predictions"]
        progress(len(predictions) / len(instances), f"{len(predictions)} / {len(instances)}")
    return {"component": args["component"], "release": args["release"], "predictions": predictions}
