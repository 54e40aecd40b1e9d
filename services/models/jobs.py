"""What the worker does for the library: thin handlers that call logic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.models.inference.release import SHIPPED
from services.models.logic import batches, publishing
from services.models.logic.packages import FOLDER
from shared.http.service_app import ServiceContext
from shared.jobs import Handler, JobRun


def handlers(context: ServiceContext) -> Mapping[str, Handler]:
    parts, home = context.parts, context.settings.home

    def batch(run: JobRun) -> Any:
        # Only the worker imports numpy and onnxruntime here; the serving process leaves them to the runner.
        from services.models.inference.predict import predict
        from services.models.inference.sessions import Sessions

        publishing.materialise(parts["database"], parts["blobs"], home)
        sessions = Sessions([SHIPPED, home / FOLDER])

        def compute(name: str, request: dict[str, Any]) -> dict[str, Any]:
            return predict(sessions.get(name, request.pop("release", "")), request, "zh")

        return batches.run(run.args, compute, run.progress)

    def publish(run: JobRun) -> Any:
        from services.models.intake import sandbox

        publishing.check_and_publish(run, parts["database"], parts["blobs"], home, sandbox.findings)

    return {batches.KIND: batch, publishing.JOB: publish}
