"""Publishing components and releases, and moving aliases: providers for their own, reviewers and the operator for all."""

from __future__ import annotations

from typing import Any

import flask
import marshmallow as ma

from services.models.api.components import ComponentShort, shown
from services.models.api.parts import database
from services.models.inference.frames import RELOAD, Ask
from services.models.logic import publishing
from services.models.logic.packages import ReleaseIn
from services.models.logic.shipping import ComponentFile
from shared.http.service_app import caller, context, language
from shared.http.views import ServiceBlueprint
from shared.http.writes import answer_with_etag, idempotent, require_match
from shared.jobs.api import JobOut, accepted, jobs_of

blueprint = ServiceBlueprint("publishing", __name__, url_prefix="/api/v1/components")

_GIVEN = (
    "name", "title", "answers", "summary", "valid_for", "source", "licence", "naive", "industries", "directions",
    "keywords", "said", "articles", "solutions", "kind",
)  # fmt: skip


class ComponentIn(ComponentFile):
    class Meta:
        unknown = ma.RAISE
        fields = _GIVEN

    kind = ma.fields.String(
        load_default="model",
        validate=ma.validate.OneOf(["model", "http"]),
        metadata={"description": "Tools are code and ship with the platform"},
    )


class AliasIn(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    release = ma.fields.String(required=True, validate=ma.validate.Length(max=40))


@blueprint.post("")
@blueprint.arguments(ComponentIn)
@blueprint.response(201, ComponentShort)
@idempotent
def add_component(body: dict[str, Any]) -> flask.Response:
    """Enters a model's or an own endpoint's component. It is shown once its first release is published; one of a
    provider stays a draft of its own organisation until a reviewer publishes it (`POST /components/{name}/stage`)."""
    row = publishing.add_component(database(), caller(), body)
    response = answer_with_etag(shown(row, language()), row.id, row.version)
    response.status_code = 201
    response.headers["Location"] = f"/api/v1/components/{row.id}"
    return response


@blueprint.post("/<string:name>/releases")
@blueprint.arguments(ReleaseIn)
@blueprint.alt_response(202, schema=JobOut)
def publish_release(body: dict[str, Any], name: str) -> flask.Response:
    """Sends a release: 202 with the job that checks it (contract, ONNX, examples), then publishes or says what to mend.

    A release that was published never changes: the same version again is refused with 409.
    """
    key = flask.request.headers.get("Idempotency-Key")
    blobs = context().parts["blobs"]
    return accepted(publishing.submit_release(database(), jobs_of(), blobs, caller(), name, body, key))


@blueprint.put("/<string:name>/aliases/<string:alias>")
@blueprint.arguments(AliasIn)
@blueprint.response(200, ComponentShort)
def move_alias(body: dict[str, Any], name: str, alias: str) -> flask.Response:
    """Points `stable` or `candidate` at a release; needs `If-Match` with the component's ETag."""
    parts = context().parts
    before = publishing.row_of(database(), caller(), name)
    require_match(before.id, before.version)
    row = publishing.move_alias(database(), caller(), name, alias, body["release"])
    publishing.materialise(database(), parts["blobs"], context().settings.home)
    parts["runner"].call(Ask(0, RELOAD, ""))
    return answer_with_etag(shown(row, language()), row.id, row.version)
