"""API keys: made, listed, revoked. A key is shown in the answer that makes it and never again."""

from __future__ import annotations

from typing import Any

import flask
import marshmallow as ma

from services.gateway.logic import keys
from services.gateway.parts import parts
from services.gateway.store.api_key import ApiKey
from shared.fields import OneOf, PageArguments, Sentence
from shared.http.service_app import caller
from shared.http.views import ServiceBlueprint

blueprint = ServiceBlueprint("keys", __name__, url_prefix="/api/v1/keys", description="密钥 / API keys")


class KeyIn(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    name = Sentence(required=True, maximum=100, metadata={"example": "MES 一号线"})
    organisation = ma.fields.String(validate=ma.validate.Length(max=80))
    role = OneOf(keys.ROLES)
    scopes = ma.fields.List(OneOf(keys.SCOPES), validate=ma.validate.Length(max=10))
    expires_at = ma.fields.AwareDateTime(format="iso", metadata={"example": "2027-01-01T00:00:00Z"})
    per_minute = ma.fields.Integer(validate=ma.validate.Range(min=1, max=10_000_000), strict=True)
    monthly_quota = ma.fields.Integer(validate=ma.validate.Range(min=1, max=2_000_000_000), strict=True)


class KeyOut(ma.Schema):
    id = ma.fields.String(required=True)
    name = ma.fields.String()
    organisation = ma.fields.String()
    role = ma.fields.String()
    scopes = ma.fields.List(ma.fields.String())
    created_at = ma.fields.AwareDateTime(format="iso")
    expires_at = ma.fields.AwareDateTime(format="iso", allow_none=True)
    revoked_at = ma.fields.AwareDateTime(format="iso", allow_none=True)
    per_minute = ma.fields.Integer(allow_none=True)
    monthly_quota = ma.fields.Integer(allow_none=True)


class MadeKeyOut(KeyOut):
    key = ma.fields.String(required=True, metadata={"description": "Shown this once; only its hash is kept"})


class KeysOut(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(KeyOut), required=True)
    total = ma.fields.Integer(required=True)
    page = ma.fields.Integer()
    size = ma.fields.Integer()


def shown(row: ApiKey) -> dict[str, Any]:
    return {name: getattr(row, name) for name in KeyOut().fields}


@blueprint.get("")
@blueprint.arguments(PageArguments, location="query")
@blueprint.response(200, KeysOut)
def list_keys(arguments: dict[str, Any]) -> dict[str, Any]:
    """The keys of the caller's organisation, without their secrets."""
    page, size = arguments["page"], arguments["size"]
    rows, total = keys.list_keys(parts().database, caller(), page, size)
    return {"items": [shown(row) for row in rows], "total": total, "page": page, "size": size}


@blueprint.post("")
@blueprint.arguments(KeyIn)
@blueprint.response(201, MadeKeyOut)
def make_key(body: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Makes a key and shows it once. Takes no Idempotency-Key: a kept answer would keep the secret."""
    made = keys.make_key(parts().database, caller(), **body)
    parts().refresher.load_keys()
    headers = {"Location": f"/api/v1/keys/{made.row.id}", "Cache-Control": "no-store"}
    return {**shown(made.row), "key": made.text}, 201, headers


@blueprint.get("/<key_id>")
@blueprint.response(200, KeyOut)
def read_key(key_id: str) -> dict[str, Any]:
    """One key, without its secret."""
    return shown(keys.read_key(parts().database, caller(), key_id))


@blueprint.delete("/<key_id>")
@blueprint.response(204)
def revoke_key(key_id: str) -> flask.Response:
    """Revokes a key: refused here at once, at every other gateway within two seconds. Harmless to repeat."""
    keys.revoke_key(parts().database, caller(), key_id)
    parts().refresher.load_keys()
    return flask.Response(status=204)
