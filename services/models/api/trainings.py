"""Training on own data: a job whose result is a private component, a report, or the word that it is no better."""

from __future__ import annotations

from typing import Any

import flask
import marshmallow as ma

from services.models.api.parts import database
from services.models.logic import trainings
from shared.fields import OneOf, Sentence
from shared.http.service_app import caller
from shared.http.views import ServiceBlueprint
from shared.jobs.api import JobOut, accepted, jobs_of

blueprint = ServiceBlueprint("trainings", __name__, url_prefix="/api/v1/trainings")

_COLUMN = ma.validate.Length(min=1, max=200)


class TrainingIn(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    dataset = ma.fields.String(required=True, validate=ma.validate.Length(max=120))
    target = ma.fields.String(required=True, validate=_COLUMN, metadata={"description": "Column to be predicted"})
    title = Sentence(required=True, maximum=80)
    task = OneOf(("regression", "classification"), load_default=None, allow_none=True)
    features = ma.fields.List(
        ma.fields.String(validate=_COLUMN), load_default=list, validate=ma.validate.Length(max=200),
        metadata={"description": "Empty: all that can be used, without identifiers and suspected leakage"},
    )  # fmt: skip
    time = ma.fields.String(load_default=None, allow_none=True, validate=_COLUMN)
    group = ma.fields.String(load_default=None, allow_none=True, validate=_COLUMN)
    template = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(max=60))
    coverage = ma.fields.Float(load_default=0.9, validate=ma.validate.Range(min=0.5, max=0.99))
    options = ma.fields.Dict(
        keys=ma.fields.String(validate=ma.validate.Length(max=40)), values=ma.fields.Raw(), load_default=dict,
        validate=ma.validate.Length(max=20), metadata={"description": "Of the template, such as cost_miss"},
    )  # fmt: skip


@blueprint.post("")
@blueprint.arguments(TrainingIn)
@blueprint.alt_response(202, schema=JobOut)
def submit_training(body: dict[str, Any]) -> flask.Response:
    """Trains on a dataset. `result.outcome` of the job: `published` (with `component`), `not_better` (with the figures of
    model and simple rule, and what would help; nothing is published), or `report`."""
    key = flask.request.headers.get("Idempotency-Key")
    return accepted(trainings.submit(database(), jobs_of(), caller(), body, key))
