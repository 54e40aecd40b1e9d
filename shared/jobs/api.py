"""`/api/v1/jobs/{id}` of a service: how a job stands, and cancelling it."""

from __future__ import annotations

from typing import Any

import flask
import marshmallow as ma

from shared.http.service_app import caller, context, language
from shared.http.views import ServiceBlueprint
from shared.jobs.job import STATES, Job
from shared.jobs.store import Jobs


class JobOut(ma.Schema):
    id = ma.fields.String(required=True)
    kind = ma.fields.String()
    state = ma.fields.String(metadata={"enum": list(STATES)})
    progress = ma.fields.Float(metadata={"description": "0 to 1"})
    message = ma.fields.String()
    attempt = ma.fields.Integer()
    result = ma.fields.Raw(allow_none=True)
    problem = ma.fields.Dict(allow_none=True)
    created_at = ma.fields.String()
    updated_at = ma.fields.String()
    finished_at = ma.fields.String(allow_none=True)


def jobs_of() -> Jobs:
    found: Jobs = context().parts["jobs"]
    return found


def jobs_blueprint() -> ServiceBlueprint:
    blueprint = ServiceBlueprint("jobs", __name__, url_prefix="/api/v1/jobs", description="Background work")

    @blueprint.get("/<job_id>")
    @blueprint.response(200, JobOut)
    def read_job(job_id: str) -> Any:
        """How a job stands. `?wait=20` is answered once it changes, `/events` streams its changes."""
        return jobs_of().get(job_id, caller()).as_json(language())

    @blueprint.delete("/<job_id>")
    @blueprint.response(202, JobOut)
    def cancel_job(job_id: str) -> Any:
        """Cancels a job that waits or runs."""
        return jobs_of().cancel(job_id, caller()).as_json(language())

    return blueprint


def accepted(job: Job) -> flask.Response:
    """202 with `Location`, as all long work is answered."""
    response = flask.jsonify(job.as_json(language()))
    response.status_code = 202
    response.headers["Location"] = f"/api/v1/jobs/{job.id}"
    return response
