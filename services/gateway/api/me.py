"""Who the caller is, what it used, and guests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import marshmallow as ma

from services.gateway.logic import guests, usage
from services.gateway.logic.organisations import read_organisation
from services.gateway.parts import parts
from shared.database import utc_now
from shared.errors import BadInput
from shared.fields import OneOf
from shared.http.service_app import caller
from shared.http.views import ServiceBlueprint

blueprint = ServiceBlueprint("me", __name__, url_prefix="/api/v1", description="本账户 / the caller's account")
LONGEST = timedelta(days=92)


class LanguageArguments(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    lang = OneOf(("zh", "en"), load_default=None, allow_none=True)


class OrganisationShort(ma.Schema):
    id = ma.fields.String()
    name = ma.fields.String()


class KeyShort(ma.Schema):
    id = ma.fields.String()
    scopes = ma.fields.List(ma.fields.String())
    expires_at = ma.fields.AwareDateTime(format="iso", allow_none=True)
    per_minute = ma.fields.Integer()
    monthly_quota = ma.fields.Integer(allow_none=True)
    monthly_left = ma.fields.Integer(allow_none=True)


class MeOut(ma.Schema):
    role = ma.fields.String(required=True)
    organisation = ma.fields.Nested(OrganisationShort, allow_none=True)
    key = ma.fields.Nested(KeyShort, allow_none=True)
    guest = ma.fields.String(allow_none=True)


class UsageArguments(LanguageArguments):
    since = ma.fields.AwareDateTime(
        format="iso", default_timezone=UTC, metadata={"description": "By default 7 days ago"}
    )
    until = ma.fields.AwareDateTime(format="iso", default_timezone=UTC, metadata={"description": "By default now"})


class UsageLineOut(ma.Schema):
    hour = ma.fields.AwareDateTime(format="iso")
    key_id = ma.fields.String()
    route = ma.fields.String()
    calls = ma.fields.Integer()
    errors = ma.fields.Integer()


class UsageOut(ma.Schema):
    since = ma.fields.AwareDateTime(format="iso")
    until = ma.fields.AwareDateTime(format="iso")
    calls = ma.fields.Integer(metadata={"description": "Answered with 2xx"})
    errors = ma.fields.Integer(metadata={"description": "Answered with 4xx or 5xx"})
    items = ma.fields.List(ma.fields.Nested(UsageLineOut))


class GuestOut(ma.Schema):
    guest = ma.fields.String(required=True)
    token = ma.fields.String(required=True, metadata={"description": "Sent as X-Zhigai-Guest"})
    expires_at = ma.fields.AwareDateTime(format="iso")


@blueprint.get("/me")
@blueprint.arguments(LanguageArguments, location="query")
@blueprint.response(200, MeOut)
def me(_: dict[str, Any]) -> dict[str, Any]:
    """Who the platform takes the caller for, and the limits of its key."""
    principal, state = caller(), parts().state
    found: dict[str, Any] = {"role": principal.role, "organisation": None, "key": None, "guest": principal.guest}
    if principal.key_id is None or principal.organisation is None:
        return found
    row = read_organisation(parts().database, principal, principal.organisation)
    found["organisation"] = {"id": row.id, "name": row.name}
    record = state.keys.get(principal.key_id)
    expires = record.expires_at if record else None
    found["key"] = {
        "id": principal.key_id,
        "scopes": sorted(principal.scopes),
        "expires_at": datetime.fromtimestamp(expires, UTC) if expires is not None else None,
        "per_minute": (record.per_minute if record else None) or state.limits.key,
        "monthly_quota": record.monthly_quota if record else None,
        "monthly_left": state.quota_left.get(principal.key_id),
    }
    return found


@blueprint.get("/usage")
@blueprint.arguments(UsageArguments, location="query")
@blueprint.response(200, UsageOut)
def read_usage(arguments: dict[str, Any]) -> dict[str, Any]:
    """Calls and errors by hour, key and route class."""
    until = arguments.get("until") or utc_now() + timedelta(seconds=1)
    since = arguments.get("since") or until - timedelta(days=7)
    if not timedelta(0) <= until - since <= LONGEST:
        raise BadInput(
            errors={"since": [f"须早于 until，最多 {LONGEST.days} 天 / before until, {LONGEST.days} days at most"]}
        )
    parts().flusher.flush()
    lines = usage.usage_of(parts().database, caller(), since, until)
    calls, errors = sum(line.calls for line in lines), sum(line.errors for line in lines)
    return {"since": since, "until": until, "calls": calls, "errors": errors, "items": lines}


@blueprint.post("/guests")
@blueprint.response(201, GuestOut)
def make_guest() -> dict[str, Any]:
    """An identity for one browser, which owns its drafts until a sign-in adopts them."""
    made = guests.new_guest(parts().settings.secret, utc_now())
    return {"guest": made.id, "token": made.token, "expires_at": made.expires_at}
