"""What the worker does for the library: thin handlers that call logic."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from services.models.inference import outside
from services.models.inference.release import SHIPPED
from services.models.logic import alerts, batches, datasets, observations, predict_files, publishing, solves, trainings
from services.models.logic.packages import FOLDER
from shared.http.service_app import ServiceContext
from shared.jobs import Handler, JobRun


def handlers(context: ServiceContext) -> Mapping[str, Handler]:
    parts, home = context.parts, context.settings.home
    roots = [SHIPPED, home / FOLDER]

    def batch(run: JobRun) -> Any:
        # Only the worker imports numpy and onnxruntime here; the serving process leaves them to the runner.
        from services.models.logic.computing import Computing
        from services.models.logic.job_counts import counting

        publishing.materialise(parts["database"], parts["blobs"], home)
        with counting(run, observations.BATCH) as counts:
            computing = Computing(roots, parts["endpoints"], counts)
            result = batches.run(run.args, computing.predict, run.progress)
            with run.finish(result) as session:
                counts.keep(session)
        return result

    def publish(run: JobRun) -> Any:
        from services.models.intake import endpoint_check, sandbox

        ask = partial(endpoint_check.findings, loopback=context.settings.loopback_endpoints)
        publishing.check_and_publish(run, parts["database"], parts["blobs"], home, sandbox.findings, ask)

    def solve(run: JobRun) -> Any:
        from services.models.inference.predict import predict
        from services.models.inference.sessions import Sessions

        publishing.materialise(parts["database"], parts["blobs"], home)
        sessions = Sessions(roots)

        def compute(name: str, request: dict[str, Any], language: str) -> dict[str, Any]:
            release = sessions.get(name, request.pop("release", ""))
            return predict(release, request, language, progress=run.progress)

        return solves.run(run.args, compute)

    def read_dataset(run: JobRun) -> Any:
        from services.models.intake import table_sandbox

        datasets.forget_expired(parts["database"], parts["blobs"], context.settings.guest_data_days)
        datasets.read(run, parts["database"], parts["blobs"], table_sandbox.read)

    def train(run: JobRun) -> Any:
        from services.models.intake import sandbox
        from services.models.training.own_data import train

        return trainings.run(run, parts["database"], parts["blobs"], home, train, sandbox.findings)

    def predict_file(run: JobRun) -> Any:
        from services.models.logic.computing import Computing
        from services.models.logic.job_counts import counting

        publishing.materialise(parts["database"], parts["blobs"], home)
        with counting(run, observations.FILE) as counts:
            computing = Computing(roots, parts["endpoints"], counts)
            return predict_files.run(
                run, parts["database"], parts["blobs"], computing.signature, computing.predict, counts.keep
            )

    def webhook(run: JobRun) -> Any:
        return alerts.deliver(
            run, parts["database"], partial(outside.send, loopback=context.settings.loopback_endpoints)
        )

    return {
        alerts.JOB: webhook,
        batches.KIND: batch,
        publishing.JOB: publish,
        solves.KIND: solve,
        datasets.JOB: read_dataset,
        trainings.JOB: train,
        predict_files.JOB: predict_file,
    }
