"""What the worker does for the library: thin handlers that call logic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.models.inference.release import SHIPPED
from services.models.logic import batches
from shared.jobs import Handler, JobRun


def handlers(_context: Any) -> Mapping[str, Handler]:
    return {batches.KIND: _batch}


def _batch(run: JobRun) -> Any:
    # Only the worker imports numpy and onnxruntime here; the serving process leaves them to the runner.
    from services.models.inference.predict import predict
    from services.models.inference.sessions import Sessions

    sessions = Sessions([SHIPPED])

    def compute(name: str, request: dict[str, Any]) -> dict[str, Any]:
        return predict(sessions.get(name, request.pop("release", "")), request, "zh")

    return batches.run(run.args, compute, run.progress)
