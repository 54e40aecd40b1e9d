"""Organisations and users."""

from __future__ import annotations

from typing import Any

import flask
import marshmallow as ma

from services.gateway.logic import keys, organisations
from services.gateway.parts import parts
from services.gateway.store.organisation import Organisation
from shared.fields import OneOf, PageArguments, Sentence
from shared.http.service_app import caller
from shared.http.views import ServiceBlueprint
from shared.http.writes import answer_with_etag, etag_of, idempotent, require_match

blueprint = ServiceBlueprint(
    "organisations", __name__, url_prefix="/api/v1/organisations", description="机构 / organisations"
)
users = ServiceBlueprint("users", __name__, url_prefix="/api/v1/users", description="人员 / people")


class OrganisationIn(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    name = Sentence(required=True, maximum=200)
    role = OneOf(keys.ROLES, required=True)


class OrganisationChange(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    name = Sentence(maximum=200)
    active = ma.fields.Boolean(truthy={True}, falsy={False})


class OrganisationOut(ma.Schema):
    id = ma.fields.String(required=True)
    name = ma.fields.String()
    role = ma.fields.String()
    active = ma.fields.Boolean()
    created_at = ma.fields.AwareDateTime(format="iso")
    updated_at = ma.fields.AwareDateTime(format="iso")


class OrganisationsOut(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(OrganisationOut), required=True)
    total = ma.fields.Integer(required=True)
    page = ma.fields.Integer()
    size = ma.fields.Integer()


class UserIn(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    name = Sentence(required=True, maximum=100)
    email = ma.fields.Email(validate=ma.validate.Length(max=200), allow_none=True)
    organisation = ma.fields.String(validate=ma.validate.Length(max=80))


class UserOut(ma.Schema):
    id = ma.fields.String(required=True)
    organisation = ma.fields.String()
    name = ma.fields.String()
    email = ma.fields.String(allow_none=True)
    role = ma.fields.String()
    created_at = ma.fields.AwareDateTime(format="iso")


class UsersOut(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(UserOut), required=True)
    total = ma.fields.Integer(required=True)
    page = ma.fields.Integer()
    size = ma.fields.Integer()


def _answer(row: Organisation, status: int = 200) -> flask.Response:
    response = answer_with_etag(OrganisationOut().dump(row), row.id, row.version)
    if response.status_code == 200:
        response.status_code = status
    return response


@blueprint.get("")
@blueprint.arguments(PageArguments, location="query")
@blueprint.response(200, OrganisationsOut)
def list_organisations(arguments: dict[str, Any]) -> dict[str, Any]:
    """The caller's organisation; for the operator all."""
    page, size = arguments["page"], arguments["size"]
    rows, total = organisations.list_organisations(parts().database, caller(), page, size)
    return {"items": rows, "total": total, "page": page, "size": size}


@blueprint.post("")
@blueprint.arguments(OrganisationIn)
@blueprint.alt_response(201, schema=OrganisationOut)
@idempotent
def make_organisation(body: dict[str, Any]) -> flask.Response:
    """A new organisation; for the operator only."""
    row = organisations.make_organisation(parts().database, caller(), **body)
    response = _answer(row, 201)
    response.headers["Location"] = f"/api/v1/organisations/{row.id}"
    return response


@blueprint.get("/<organisation>")
@blueprint.alt_response(200, schema=OrganisationOut)
def read_organisation(organisation: str) -> flask.Response:
    """One organisation, with its ETag."""
    return _answer(organisations.read_organisation(parts().database, caller(), organisation))


@blueprint.patch("/<organisation>")
@blueprint.arguments(OrganisationChange)
@blueprint.alt_response(200, schema=OrganisationOut)
def change_organisation(body: dict[str, Any], organisation: str) -> flask.Response:
    """Renames, closes or reopens an organisation; needs If-Match. The keys of a closed one are refused."""
    row = organisations.change_organisation(parts().database, caller(), organisation, require_match, **body)
    parts().refresher.load_keys()
    response = flask.jsonify(OrganisationOut().dump(row))
    response.headers["ETag"] = etag_of(row.id, row.version)
    return response


@users.get("")
@users.arguments(PageArguments, location="query")
@users.response(200, UsersOut)
def list_users(arguments: dict[str, Any]) -> dict[str, Any]:
    """People of the caller's organisation; for the operator all."""
    page, size = arguments["page"], arguments["size"]
    rows, total = organisations.list_users(parts().database, caller(), page, size)
    return {"items": rows, "total": total, "page": page, "size": size}


@users.post("")
@users.arguments(UserIn)
@users.response(201, UserOut)
@idempotent
def make_user(body: dict[str, Any]) -> Any:
    """Notes a person of the caller's organisation."""
    row = organisations.make_user(parts().database, caller(), **body)
    return flask.jsonify(UserOut().dump(row)), 201
