"""Addresses that are told what happens to an organisation's components."""

from __future__ import annotations

from typing import Any

import flask
import marshmallow as ma

from services.models.api.parts import database
from services.models.inference.outside import checked_url
from services.models.logic import alerts
from services.models.store.webhooks import Webhook
from shared.fields import OneOf
from shared.http.service_app import caller, context
from shared.http.views import ServiceBlueprint

blueprint = ServiceBlueprint("webhooks", __name__, url_prefix="/api/v1/webhooks")


class WebhookIn(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    url = ma.fields.String(required=True, validate=ma.validate.Length(min=8, max=500))
    events = ma.fields.List(
        OneOf(alerts.EVENTS), load_default=lambda: list(alerts.EVENTS), validate=ma.validate.Length(min=1, max=20)
    )
    digest = OneOf(alerts.DIGESTS, load_default="each")
    everything = ma.fields.Boolean(
        load_default=False, metadata={"description": "About every component; for the operator"}
    )


class WebhookOut(ma.Schema):
    id = ma.fields.String()
    url = ma.fields.String()
    events = ma.fields.List(ma.fields.String())
    digest = ma.fields.String()
    everything = ma.fields.Boolean()
    failures = ma.fields.Integer()
    said = ma.fields.String(metadata={"description": "What came of the last attempt"})
    secret = ma.fields.String(metadata={"description": "Shown once; signs what is sent"})


class WebhooksOut(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(WebhookOut))
    total = ma.fields.Integer()
    page = ma.fields.Integer()
    size = ma.fields.Integer()


@blueprint.post("")
@blueprint.arguments(WebhookIn)
@blueprint.response(201, WebhookOut)
def add_webhook(body: dict[str, Any]) -> dict[str, Any]:
    """Enters an address. Each post carries `X-Zhigai-Signature: t=…,v1=…`, HMAC-SHA256 over `t.body` with the secret."""
    checked_url(body["url"], loopback=context().settings.loopback_endpoints)
    row, secret = alerts.add_webhook(database(), caller(), **body)
    return {**_shown(row), "secret": secret}


@blueprint.get("")
@blueprint.response(200, WebhooksOut)
def list_webhooks() -> dict[str, Any]:
    """The caller's webhooks, and what came of the last post to each."""
    rows = alerts.webhooks_of(database(), caller())
    return {"items": [_shown(row) for row in rows], "total": len(rows), "page": 1, "size": max(len(rows), 1)}


@blueprint.delete("/<string:webhook>")
@blueprint.response(204)
def delete_webhook(webhook: str) -> flask.Response:
    """Removes an address, with what waits for it."""
    alerts.delete_webhook(database(), caller(), webhook)
    return flask.Response(status=204)


def _shown(row: Webhook) -> dict[str, Any]:
    return {
        name: getattr(row, name) for name in ("id", "url", "events", "digest", "everything", "failures", "said")
    }  # fmt: skip
