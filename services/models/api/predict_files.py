"""A whole file predicted as a job, and its result as a file again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import quote

import flask
import marshmallow as ma

from services.models.api.datasets import _FILE
from services.models.api.parts import database
from services.models.api.uploads import blobs_of, received
from services.models.logic import datasets, predict_files
from services.models.logic.result_file import MEDIA_TYPES
from shared.errors import BadInput, NotFound
from shared.http import strict_json
from shared.http.service_app import caller
from shared.http.views import ServiceBlueprint
from shared.http.writes import answer_once
from shared.jobs.api import JobOut, accepted, jobs_of

blueprint = ServiceBlueprint("predict_files", __name__, url_prefix="/api/v1")

_PIECE = 1 << 18


class PredictFileIn(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    dataset = ma.fields.String(required=True, validate=ma.validate.Length(max=120))
    release = ma.fields.String(load_default="", validate=ma.validate.Length(max=40))


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["dataset"],
                    "properties": {"dataset": {"type": "string"}, "release": {"type": "string"}},
                }
            },
            **_FILE["requestBody"]["content"],
        },
    }
}


@blueprint.post("/components/<string:name>/predict-file")
@blueprint.doc(**_BODY)
@blueprint.alt_response(202, schema=JobOut)
def predict_file(name: str) -> flask.Response:
    """Predicts each row of a dataset (`{"dataset": id}`) or of an uploaded file; 202 with the job.

    `GET /api/v1/jobs/{id}/result` then gives the file in the format of the upload, with `value`, `low`, `high` (or
    `probability`), `in_range` and `warnings` beside its columns.
    """
    request = flask.request
    if request.mimetype == "application/json":
        body: Any = strict_json.loads(request.get_data(cache=True))
        if not isinstance(body, dict):
            raise BadInput(errors={"body": ["应为对象 / must be an object"]})
        asked = PredictFileIn().load(body)
        key = request.headers.get("Idempotency-Key")
        return accepted(
            predict_files.submit(database(), jobs_of(), caller(), name, asked["dataset"], asked["release"], key)
        )
    # Who may not call the component, or not with a file, learns so before the file is taken.
    predict_files.predictable(database(), caller(), name)
    file = received(blobs_of())

    def enter() -> flask.Response:
        row, _ = datasets.add(database(), jobs_of(), caller(), file)
        return accepted(predict_files.submit(database(), jobs_of(), caller(), name, row.id, "", None))

    said = f"{request.path}\n{file.name}\n{file.sheet}\n{file.sha256}"
    answered: flask.Response = answer_once(enter, lambda: hashlib.sha256(said.encode()).hexdigest())
    return answered


@blueprint.get("/jobs/<string:job_id>/result")
@blueprint.alt_response(200, content_type="application/octet-stream")
def read_result(job_id: str) -> flask.Response:
    """The file that a job made. 404 while there is none, and once its dataset was deleted."""
    job = jobs_of().get(job_id, caller())
    file = (job.result or {}).get("file") if isinstance(job.result, dict) else None
    if job.kind != predict_files.JOB or not file:
        raise NotFound(kind="blob", id=job_id[:80])
    path: Path = blobs_of().path(file["blob"])

    def parts() -> Any:
        with path.open("rb") as stream:
            while piece := stream.read(_PIECE):
                yield piece

    response = flask.Response(parts(), content_type=MEDIA_TYPES[file["format"]])
    response.content_length = path.stat().st_size
    plain = f"result.{file['format']}"
    response.headers["Content-Disposition"] = f"attachment; filename={plain}; filename*=UTF-8''{quote(file['name'])}"
    response.headers["Content-Security-Policy"] = "sandbox"
    response.headers["Cache-Control"] = "private, no-store"
    return response
