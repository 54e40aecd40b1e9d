"""The friendly call for pages in this process. From outside it is answered by the hand-over on the event loop; the
gateway's document describes it once for both."""

from __future__ import annotations

import flask

from services.models.inference.frames import PREDICT, Ask
from services.models.inference.from_threads import RunnerFromThreads
from shared.errors import NoSuchPath
from shared.http.service_app import context, language

blueprint = flask.Blueprint("predictions", __name__, url_prefix="/api/v1/components")


@blueprint.post("/<string:name>/predict")
def predict(name: str) -> flask.Response:
    """A prediction with unit, interval and range check."""
    if len(name) > 80 or not name.isascii():
        raise NoSuchPath(path=flask.request.path[:200])
    runner: RunnerFromThreads = context().parts["runner"]
    ask = Ask(0, PREDICT, name, "", flask.g.request_id, language(), 0, flask.request.get_data(cache=True))
    reply = runner.call(ask)
    return flask.Response(reply.body, reply.status, headers=reply.headers, content_type=reply.media_type)
