"""What to ask a firm of one industry beyond the general questions."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from services.programme.logic.diagnosis_files import ReadDiagnosis
from shared.fields import STATUSES, localised
from shared.http.service_app import context, language
from shared.http.views import ServiceBlueprint
from shared.industry_files import ByIndustry

blueprint = ServiceBlueprint("diagnosis_add_ons", __name__, url_prefix="/api/v1/diagnosis-add-ons")


class AnswerOptionOut(ma.Schema):
    level = ma.fields.Integer(metadata={"description": "1 to 5, rising"})
    text = ma.fields.String()


class AddOnQuestionOut(ma.Schema):
    id = ma.fields.String()
    text = ma.fields.String()
    why = ma.fields.String()
    step = ma.fields.String(metadata={"description": "Step of the industry's chain"})
    options = ma.fields.List(ma.fields.Nested(AnswerOptionOut))
    measures = ma.fields.List(
        ma.fields.String(), metadata={"description": "Solutions that help where the answer is low"}
    )


class DiagnosisAddOnOut(ma.Schema):
    industry = ma.fields.String()
    status = ma.fields.String(validate=ma.validate.OneOf(STATUSES))
    questions = ma.fields.List(ma.fields.Nested(AddOnQuestionOut))


@blueprint.get("/<string:industry>")
@blueprint.response(200, DiagnosisAddOnOut)
def read_add_on(industry: str) -> dict[str, Any]:
    """The questions of an industry, each with rising answers and the measures that help where it is low."""
    add_ons: ByIndustry[ReadDiagnosis] = context().parts["diagnosis_add_ons"]
    found = add_ons.of(industry).content
    speech = language()
    return {
        "industry": industry,
        "status": found["status"],
        "questions": [
            {
                **{name: question[name] for name in ("id", "step", "measures")},
                "text": localised(question["text"], speech),
                "why": localised(question["why"], speech),
                "options": [{"level": each["level"], "text": localised(each, speech)} for each in question["options"]],
            }
            for question in found["questions"]
        ],
    }
