"""Blueprints and the API document as all services use them: arguments by our strict JSON, errors as problems."""

from __future__ import annotations

from typing import Any, ClassVar

import flask
import marshmallow as ma
import webargs
from flask_smorest import Api, Blueprint
from webargs.flaskparser import FlaskParser

from shared.errors import UnsupportedMedia
from shared.http import strict_json


class ProblemSchema(ma.Schema):
    """RFC 9457, as every error is answered."""

    type = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True)
    detail = ma.fields.String(required=True)
    error = ma.fields.String(metadata={"description": "The detail again, for Open Inference clients"})
    request_id = ma.fields.String(required=True)
    errors = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.List(ma.fields.String()),
        metadata={"description": "What is wrong, by field path"},
    )


class StrictParser(FlaskParser):
    """webargs would read JSON with Python's lenient parser; this reads it with ours and names a wrong media type."""

    def _raw_load_json(self, req: flask.Request) -> Any:
        body = req.get_data(cache=True)
        if not body:
            return webargs.missing
        if not req.is_json:
            raise UnsupportedMedia(given=req.content_type or "")
        return strict_json.loads(body)


class ServiceApi(Api):  # type: ignore[misc]
    ERROR_SCHEMA = ProblemSchema


class ServiceBlueprint(Blueprint):  # type: ignore[misc]
    """A flask-smorest blueprint whose arguments are read strictly."""

    ARGUMENTS_PARSER: ClassVar[FlaskParser] = StrictParser()
