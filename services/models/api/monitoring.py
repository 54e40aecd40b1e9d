"""What a component's provider sees of its use, and the true values that callers tell."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from services.models.api.lifecycle import HoursArguments, UsageOut
from services.models.api.parts import database
from services.models.logic import monitoring
from shared.http.service_app import caller, context
from shared.http.views import ServiceBlueprint

blueprint = ServiceBlueprint("monitoring", __name__, url_prefix="/api/v1/components")
MOST_ACTUALS = 1000


class ActualIn(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    id = ma.fields.String(required=True, validate=ma.validate.Regexp(r"^prd-[0-9a-f]{24}$"))
    actual = ma.fields.Raw(required=True)

    @ma.validates("actual")
    def _is_a_value(self, value: Any, **_: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)) or len(str(value)) > 80:
            raise ma.ValidationError("应为数值或类别 / must be a number or a class")


class ActualsIn(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    actuals = ma.fields.List(
        ma.fields.Nested(ActualIn), required=True, validate=ma.validate.Length(min=1, max=MOST_ACTUALS)
    )


class ActualsOut(ma.Schema):
    accepted = ma.fields.Integer()
    not_known = ma.fields.List(ma.fields.String(), data_key="unknown", attribute="unknown")


class DriftOut(ma.Schema):
    feature = ma.fields.String()
    psi = ma.fields.Float()
    statistic = ma.fields.Float()
    p = ma.fields.Float()
    rows = ma.fields.Integer()
    verdict = ma.fields.String(metadata={"enum": ["few", "stable", "watch", "moved"]})


class ReleaseMonitoringOut(UsageOut):
    has_reference = ma.fields.Boolean()
    drift = ma.fields.List(ma.fields.Nested(DriftOut))
    prediction_drift = ma.fields.Nested(DriftOut, allow_none=True)
    accuracy = ma.fields.Dict(allow_none=True)


class MonitoringOut(ma.Schema):
    component = ma.fields.String()
    hours = ma.fields.Integer()
    releases = ma.fields.List(ma.fields.Nested(ReleaseMonitoringOut))


@blueprint.get("/<string:name>/monitoring")
@blueprint.arguments(HoursArguments, location="query")
@blueprint.response(200, MonitoringOut)
def read_monitoring(query: dict[str, Any], name: str) -> dict[str, Any]:
    """Calls, errors and time of each release; drift of inputs and answers against training; accuracy where true values
    were told. For its provider."""
    context().parts["keeper"].collect()
    return monitoring.monitoring(database(), caller(), name, query["hours"])


@blueprint.post("/<string:name>/actuals")
@blueprint.arguments(ActualsIn)
@blueprint.response(200, ActualsOut)
def tell_actuals(body: dict[str, Any], name: str) -> dict[str, Any]:
    """What really came of predictions, by the ids that predict gave with `log: true`. Only who asked may tell."""
    context().parts["keeper"].collect()
    return monitoring.settle(database(), caller(), name, body["actuals"])
