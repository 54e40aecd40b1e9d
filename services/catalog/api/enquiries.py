"""Enquiries: what a firm needs, written by itself and read by itself."""

from __future__ import annotations

from typing import Any

import flask
import marshmallow as ma

from services.catalog.api.parts import database
from services.catalog.logic import enquiries
from services.catalog.store.enquiries import Enquiry
from shared.fields import Industry, PageArguments, Sentence, Yuan, yuan_text
from shared.http.service_app import caller
from shared.http.views import ServiceBlueprint
from shared.http.writes import answer_with_etag, idempotent

blueprint = ServiceBlueprint("enquiries", __name__, url_prefix="/api/v1/enquiries")

_PHONE = ma.validate.Regexp(
    r"^\+?[0-9][0-9 ()\-]{4,28}$", error="电话只能有数字、空格、括号、+ 和 - / digits, spaces, brackets, + and - only"
)


class ContactIn(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    name = Sentence(required=True, maximum=60)
    phone = ma.fields.String(validate=_PHONE, metadata={"example": "0573-00000000"})
    email = ma.fields.Email(validate=ma.validate.Length(max=200))

    @ma.validates_schema
    def _reachable(self, data: dict[str, Any], **_: Any) -> None:
        if not data.get("phone") and not data.get("email"):
            raise ma.ValidationError("电话和邮箱至少填一项 / give a phone number or an e-mail address", "phone")


class EnquiryIn(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    need = Sentence(required=True, minimum=5, maximum=2000, metadata={"example": "定型机能耗太高，想做余热回收"})
    contact = ma.fields.Nested(ContactIn, required=True)
    solution = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(max=120))
    provider = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(max=120))
    industry = Industry(load_default=None, allow_none=True)
    budget = Yuan(load_default=None, allow_none=True)


class ContactOut(ma.Schema):
    name = ma.fields.String()
    phone = ma.fields.String()
    email = ma.fields.String()


class EnquiryOut(ma.Schema):
    id = ma.fields.String()
    state = ma.fields.String()
    need = ma.fields.String()
    contact = ma.fields.Nested(ContactOut)
    solution = ma.fields.String(allow_none=True)
    provider = ma.fields.String(allow_none=True)
    industry = ma.fields.String(allow_none=True)
    budget = ma.fields.String(allow_none=True)
    created_at = ma.fields.String()
    version = ma.fields.Integer()


class EnquiriesOut(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(EnquiryOut))
    total = ma.fields.Integer()
    page = ma.fields.Integer()
    size = ma.fields.Integer()


@blueprint.post("")
@blueprint.arguments(EnquiryIn)
@blueprint.response(201, EnquiryOut)
@idempotent
def open_enquiry(body: dict[str, Any]) -> flask.Response:
    """Leaves an enquiry. Only the caller's organisation or browser can read it again."""
    budget = body["budget"]
    content = {**body, "budget": None if budget is None else yuan_text(budget)}
    row = enquiries.open_enquiry(database(), caller(), content)
    response = answer_with_etag(_shown(row), row.id, row.version)
    response.status_code = 201
    response.headers["Location"] = f"/api/v1/enquiries/{row.id}"
    return response


@blueprint.get("")
@blueprint.arguments(PageArguments, location="query")
@blueprint.response(200, EnquiriesOut)
def list_enquiries(query: dict[str, Any]) -> dict[str, Any]:
    """The caller's own enquiries, newest first."""
    rows, total = enquiries.own_enquiries(database(), caller(), page=query["page"], size=query["size"])
    items = [_shown(row) for row in rows]
    return {"items": items, "total": total, "page": query["page"], "size": query["size"]}


@blueprint.get("/<string:enquiry_id>")
@blueprint.response(200, EnquiryOut)
def read_enquiry(enquiry_id: str) -> flask.Response:
    """One of the caller's own enquiries."""
    row = enquiries.own_enquiry(database(), caller(), enquiry_id)
    return answer_with_etag(_shown(row), row.id, row.version)


def _shown(row: Enquiry) -> dict[str, Any]:
    return {
        **row.content,
        "id": row.id,
        "state": row.state,
        "created_at": row.created_at.isoformat(),
        "version": row.version,
    }
