"""The friendly call for pages in this process. From outside it is answered by the hand-over on the event loop; the
gateway's document describes it once for both. A tool that takes long is answered by a job in either case."""

from __future__ import annotations

import flask

from services.models.inference.endpoints import Endpoints
from services.models.inference.frames import PREDICT, Ask, Reply
from services.models.inference.from_threads import RunnerFromThreads
from services.models.inference.standing import admitted
from services.models.logic import solves
from shared.errors import NoSuchPath
from shared.http import strict_json
from shared.http.call import Answer, Call
from shared.http.service_app import caller, context, language
from shared.jobs import Jobs
from shared.jobs.api import accepted, jobs_of

blueprint = flask.Blueprint("predictions", __name__, url_prefix="/api/v1/components")


@blueprint.post("/<string:name>/predict")
def predict(name: str) -> flask.Response:
    """A prediction with unit, interval and range check; 202 with `Location` for a tool that takes long."""
    if len(name) > 80 or not name.isascii():
        raise NoSuchPath(path=flask.request.path[:200])
    parts = context().parts
    runner: RunnerFromThreads = parts["runner"]
    endpoints: Endpoints = parts["endpoints"]
    body = flask.request.get_data(cache=True)
    ask = Ask(0, PREDICT, name, "", flask.g.request_id, language(), 0, body, organisation=caller().owner or "")
    headers = admitted(parts["standings"].of(name), ask)
    reply = endpoints.call(ask) if endpoints.wants(ask) else runner.call(ask)
    if reply.status == 202:
        key = flask.request.headers.get("Idempotency-Key")
        checked = strict_json.loads(reply.body)
        return accepted(solves.submit(jobs_of(), caller(), name, checked, language(), key))
    headers |= reply.headers
    return flask.Response(reply.body, reply.status, headers=headers, content_type=reply.media_type)


def begin_job(jobs: Jobs, call: Call, ask: Ask, reply: Reply) -> Answer:
    """The same for the hand-over, in a thread of its own: 202 with `Location`. Raises `Unauthenticated`, `Busy`."""
    key = call.headers.get("idempotency-key")
    job = solves.submit(jobs, call.principal, ask.name, strict_json.loads(reply.body), ask.language, key)
    headers = {"content-type": "application/json", "location": f"/api/v1/jobs/{job.id}"}
    return Answer(202, headers, strict_json.dumps(job.as_json(ask.language)))
