"""Own data: uploaded, looked through by the worker, shown with what is wrong with it, deleted."""

from __future__ import annotations

import hashlib
from typing import Any

import flask
import marshmallow as ma

from services.models.api.parts import database
from services.models.api.uploads import blobs_of, received
from services.models.logic import datasets
from services.models.logic.target_warnings import target_warnings
from services.models.store.datasets import STATES, Dataset
from shared.fields import PageArguments, localised
from shared.http.service_app import caller, context, language
from shared.http.views import ServiceBlueprint
from shared.http.writes import answer_once, answer_with_etag
from shared.jobs.api import JobOut, accepted, jobs_of

blueprint = ServiceBlueprint("datasets", __name__, url_prefix="/api/v1/datasets", description="自有数据 / own data")


class WarningOut(ma.Schema):
    code = ma.fields.String()
    level = ma.fields.String(metadata={"enum": ["warning", "note"]})
    column = ma.fields.String(allow_none=True)
    found = ma.fields.String(metadata={"description": "What was found"})
    do = ma.fields.String(metadata={"description": "What to do about it"})
    facts = ma.fields.Dict()


class DatasetShort(ma.Schema):
    id = ma.fields.String()
    name = ma.fields.String()
    size = ma.fields.Integer(metadata={"description": "Bytes"})
    sha256 = ma.fields.String()
    format = ma.fields.String(metadata={"description": "csv or xlsx, once read"})
    state = ma.fields.String(metadata={"enum": list(STATES)})
    job = ma.fields.String(metadata={"description": "The job that reads it"})
    rows = ma.fields.Integer(allow_none=True)
    columns_count = ma.fields.Integer(allow_none=True)
    problem = ma.fields.String(allow_none=True, metadata={"description": "Why it could not be read"})
    created_at = ma.fields.String()
    expires_at = ma.fields.String(allow_none=True, metadata={"description": "When a guest's dataset is deleted"})
    version = ma.fields.Integer()


class DatasetOut(DatasetShort):
    columns = ma.fields.List(ma.fields.Dict())
    warnings = ma.fields.List(ma.fields.Nested(WarningOut))
    target = ma.fields.String(allow_none=True)
    target_warnings = ma.fields.List(
        ma.fields.Nested(WarningOut), metadata={"description": "What the target of `?target=` brings up"}
    )


class DatasetsOut(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(DatasetShort))
    total = ma.fields.Integer()
    page = ma.fields.Integer()
    size = ma.fields.Integer()


class DatasetAccepted(JobOut):
    dataset = ma.fields.Nested(DatasetShort)


class DatasetArguments(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    target = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(max=200))
    lang = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.OneOf(["zh", "en"]))


_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "sheet": {"type": "string", "description": "Of a workbook; by default the first with data"},
                    },
                }
            },
            "text/csv": {"schema": {"type": "string", "format": "binary"}},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


@blueprint.post("")
@blueprint.doc(**_FILE)
@blueprint.alt_response(202, schema=DatasetAccepted)
def upload_dataset() -> flask.Response:
    """Takes a CSV (UTF-8 or GBK) or XLSX of at most 64 MB, as the form field `file` or as the body with `X-File-Name`.

    Answers 202 with the job that reads it; `dataset.id` names the dataset at once.
    """
    file = received(blobs_of())

    def enter() -> flask.Response:
        row, job = datasets.add(database(), jobs_of(), caller(), file)
        response = accepted(job)
        body = {**job.as_json(language()), "dataset": short(row)}
        response.set_data(flask.json.dumps(body))
        response.headers["Content-Location"] = f"/api/v1/datasets/{row.id}"
        return response

    said = f"{flask.request.path}\n{file.name}\n{file.sheet}\n{file.sha256}"
    answered: flask.Response = answer_once(enter, lambda: hashlib.sha256(said.encode()).hexdigest())
    return answered


@blueprint.get("")
@blueprint.arguments(PageArguments, location="query")
@blueprint.response(200, DatasetsOut)
def list_datasets(query: dict[str, Any]) -> dict[str, Any]:
    """The caller's own, newest first."""
    rows, total = datasets.listed(database(), caller(), query["page"], query["size"])
    return {"items": [short(row) for row in rows], "total": total, "page": query["page"], "size": query["size"]}


@blueprint.get("/<string:dataset_id>")
@blueprint.arguments(DatasetArguments, location="query")
@blueprint.response(200, DatasetOut)
def read_dataset(query: dict[str, Any], dataset_id: str) -> flask.Response:
    """A dataset with its columns and what is wrong with them; `?target=` adds what that target brings up."""
    row = datasets.one(database(), caller(), dataset_id)
    profile = row.profile or {"columns": [], "warnings": [], "relations": []}
    target = query["target"]
    body = {
        **short(row),
        "columns": profile["columns"],
        "warnings": [_warning(each) for each in profile["warnings"]],
        "target": target,
        "target_warnings": [_warning(each) for each in target_warnings(profile, target)] if target else [],
    }
    return answer_with_etag(
        DatasetOut().dump(body), row.id if not target else f"{row.id}.{_digest(target)}", row.version
    )


@blueprint.delete("/<string:dataset_id>")
@blueprint.response(204)
def delete_dataset(dataset_id: str) -> flask.Response:
    """Forgets the file, its table and the files predicted from it. Models that were trained on it stay."""
    datasets.delete(database(), blobs_of(), caller(), dataset_id)
    return flask.Response(status=204)


def short(row: Dataset) -> dict[str, Any]:
    profile = row.profile or {}
    days = context().settings.guest_data_days
    expires = datasets.expires_at(row, days)
    return {
        "id": row.id,
        "name": row.name,
        "size": row.size,
        "sha256": row.sha256,
        "format": row.format,
        "state": row.state,
        "job": row.job,
        "rows": profile.get("rows"),
        "columns_count": len(profile["columns"]) if profile else None,
        "problem": (row.problem or {}).get("reason"),
        "created_at": row.created_at.isoformat(),
        "expires_at": expires.isoformat() if expires else None,
        "version": row.version,
    }


def _warning(each: dict[str, Any]) -> dict[str, Any]:
    speech = language()
    return {**each, "found": localised(each["found"], speech), "do": localised(each["do"], speech)}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
