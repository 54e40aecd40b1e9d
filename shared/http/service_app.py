"""What every service's Flask app has in common, so that a service's `app.py` is wiring only.

Strict JSON in and out, the body's length checked, problems as RFC 9457, the signed principal demanded, a request id
on every answer, and the documents that the gateway merges.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import flask
import marshmallow as ma
import werkzeug.exceptions
from flask.json.provider import JSONProvider

from shared import telemetry
from shared.errors import (
    BadInput,
    BadRequest,
    BodyCut,
    MalformedJson,
    MethodNotAllowed,
    NoSuchPath,
    Refused,
    TooLarge,
    Unauthenticated,
    UnsupportedMedia,
)
from shared.fields import language_of
from shared.http import strict_json
from shared.http.views import ServiceApi, ServiceBlueprint
from shared.identity import ANONYMOUS, PRINCIPAL_HEADER, Principal, verify
from shared.problems import PROBLEMS, ProblemTable, Row
from shared.settings import Secret, Settings

JSON_LIMIT_BYTES = 1_000_000
OPEN_PATHS = frozenset({"/healthz", "/readyz", "/metrics", "/openapi.json"})

Probe = Callable[[], str | None]
"""Looks at one dependency; returns what is worth saying, raises when it is away."""


@dataclass
class ServiceContext:
    """What the parts of one service's process share; `create_app` fills it."""

    settings: Settings
    service: str
    problems: ProblemTable
    probes: dict[str, Probe] = field(default_factory=dict)
    parts: dict[str, Any] = field(default_factory=dict)
    """The service's own: database, tables, index, jobs. Read through the service's typed accessor."""
    closing: list[Callable[[], None]] = field(default_factory=list)

    def close(self) -> None:
        while self.closing:
            self.closing.pop()()


def context() -> ServiceContext:
    """The context of the service that answers this request."""
    found: ServiceContext = flask.current_app.extensions["zhigai"]
    return found


def caller() -> Principal:
    """Who makes this request, as the gateway signed it."""
    return flask.g.get("principal", ANONYMOUS)  # type: ignore[no-any-return]


def language() -> str:
    """The language of the answer: `lang` parameter, then Accept-Language, then Chinese."""
    return language_of(flask.request.headers.get("Accept-Language"), flask.request.args.get("lang"))


class StrictJsonProvider(JSONProvider):
    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return strict_json.dumps(obj).decode("utf-8")

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return strict_json.loads(s.encode("utf-8") if isinstance(s, str) else s)

    def response(self, *args: Any, **kwargs: Any) -> flask.Response:
        value = self._prepare_response_obj(args, kwargs)
        return flask.Response(strict_json.dumps(value), mimetype="application/json")


class JsonRequest(flask.Request):
    """Refuses a JSON body by our own rules and our own words."""

    streams = False
    """Whether the view reads the body piece by piece and compares its length itself."""

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        if e is None:
            raise UnsupportedMedia(given=self.content_type or "")
        raise MalformedJson(reason=str(e)[:200])


def new_service_app(
    service: str, settings: Settings, problems: Iterable[Row] = (), *, title: str | None = None
) -> flask.Flask:
    """A Flask app with the common behaviour. Views are added with `register`; `/readyz` asks `context().probes`."""
    app = flask.Flask(f"services.{service}", static_folder=None)
    app.request_class = JsonRequest
    app.json = StrictJsonProvider(app)
    app.url_map.strict_slashes = False
    app.config.update(
        API_TITLE=title or f"Zhigai {service}",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=None,
        MAX_CONTENT_LENGTH=JSON_LIMIT_BYTES,
        MAX_FORM_MEMORY_SIZE=64_000,
        MAX_FORM_PARTS=20,
        PROPAGATE_EXCEPTIONS=False,
        ETAG_DISABLED=True,
    )
    app.extensions["zhigai"] = ServiceContext(settings, service, ProblemTable(PROBLEMS, problems))
    app.extensions["zhigai.api"] = ServiceApi(app)
    app.before_request(_open)
    app.after_request(_close)
    _answer_errors(app)
    _own_routes(app)
    return app


def register(app: flask.Flask, blueprint: ServiceBlueprint) -> None:
    app.extensions["zhigai.api"].register_blueprint(blueprint)


def document_of(app: flask.Flask) -> dict[str, Any]:
    """The service's OpenAPI document, for the gateway to merge."""
    document: dict[str, Any] = app.extensions["zhigai.api"].spec.to_dict()
    for name in ("Error", "PaginationMetadata"):
        document.get("components", {}).get("schemas", {}).pop(name, None)
    for response in document.get("components", {}).get("responses", {}).values():
        content = response.get("content", {})
        if "application/json" in content and response.get("description") != "OK":
            content["application/problem+json"] = content.pop("application/json")
    return document


def _open() -> None:
    request = flask.request
    flask.g.started = time.perf_counter()
    flask.g.request_id = telemetry.request_id_of(request.headers.get("X-Request-Id"))
    telemetry.current_request.set(flask.g.request_id)
    if request.path not in OPEN_PATHS:
        token = request.headers.get(PRINCIPAL_HEADER)
        if not token:
            raise Unauthenticated(reason="principal")
        flask.g.principal = _verified(token, context().settings.secret, int(time.time()))
    _check_length(request)


@lru_cache(maxsize=256)
def _verified(token: str, secret: Secret, second: int) -> Principal:
    """Within one second a token says the same: one page calls its services several times with the same one."""
    return verify(token, secret, second)


def _check_length(request: flask.Request) -> None:
    """A server may hand over a body that was cut short as if it were whole, so lengths are compared."""
    expected = request.content_length
    if not expected or request.mimetype.startswith("multipart/") or getattr(request, "streams", False):
        return
    limit = request.max_content_length
    if limit is not None and expected > limit:
        raise TooLarge(limit_bytes=limit)
    received = len(request.get_data(cache=True))
    if received != expected:
        raise BodyCut(expected_bytes=expected, received_bytes=received)


def _close(response: flask.Response) -> flask.Response:
    request_id = flask.g.get("request_id") or telemetry.request_id_of(None)
    response.headers["X-Request-Id"] = request_id
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    rule = flask.request.url_rule
    route = rule.rule if rule is not None else "none"
    service = context().service
    telemetry.REQUESTS.labels(service, route, response.status_code).inc()
    started = flask.g.get("started")
    if started is not None:
        telemetry.SECONDS.labels(service, route).observe(time.perf_counter() - started)
    return response


def _problem_response(refusal: BaseException) -> flask.Response:
    problem = context().problems.problem(
        refusal, language=language(), request_id=flask.g.get("request_id") or telemetry.request_id_of(None)
    )
    return flask.Response(problem.encoded(), status=problem.status, headers=problem.headers)


def flat_errors(messages: Mapping[str, Any] | list[Any], path: str = "") -> dict[str, list[str]]:
    """marshmallow's nested messages as `{"instances.0.age": ["…"]}`."""
    if isinstance(messages, list):
        return {path or "body": [str(each) for each in messages]}
    flat: dict[str, list[str]] = {}
    for name, inner in messages.items():
        below = path if name in ("json", "query", "_schema", "headers", "form") and not path else f"{path}.{name}"
        if isinstance(inner, (dict, list)):
            flat.update(flat_errors(inner, below.strip(".")))
        else:
            flat[below.strip(".") or "body"] = [str(inner)]
    return flat


def _answer_errors(app: flask.Flask) -> None:
    @app.errorhandler(Refused)
    def refused(refusal: Refused) -> flask.Response:
        return _problem_response(refusal)

    @app.errorhandler(ma.ValidationError)
    def invalid(wrong: ma.ValidationError) -> flask.Response:
        return _problem_response(BadInput(errors=flat_errors(wrong.messages)))

    @app.errorhandler(werkzeug.exceptions.HTTPException)
    def http(wrong: werkzeug.exceptions.HTTPException) -> flask.Response:
        return _problem_response(_as_refusal(wrong))

    @app.errorhandler(Exception)
    def unexpected(wrong: Exception) -> flask.Response:
        app.logger.error("unexpected error", exc_info=wrong)
        return _problem_response(wrong)


def _as_refusal(wrong: werkzeug.exceptions.HTTPException) -> BaseException:
    data = getattr(wrong, "data", None)
    if wrong.code == 422 and isinstance(data, dict) and "messages" in data:
        return BadInput(errors=flat_errors(data["messages"]))
    if isinstance(wrong, werkzeug.exceptions.NotFound):
        return NoSuchPath(path=flask.request.path[:200])
    if isinstance(wrong, werkzeug.exceptions.MethodNotAllowed):
        return MethodNotAllowed(method=flask.request.method, allowed=tuple(sorted(wrong.valid_methods or ())))
    if isinstance(wrong, werkzeug.exceptions.RequestEntityTooLarge):
        return TooLarge(limit_bytes=flask.request.max_content_length or JSON_LIMIT_BYTES)
    if isinstance(wrong, werkzeug.exceptions.UnsupportedMediaType):
        return UnsupportedMedia(given=flask.request.content_type or "")
    if isinstance(wrong, werkzeug.exceptions.BadRequest) and wrong.__cause__ is not None:
        return MalformedJson(reason=str(wrong.__cause__)[:200])
    if wrong.code is not None and 400 <= wrong.code < 500:
        return BadRequest(reason=(wrong.description or wrong.name)[:200])
    return wrong


def readiness(probes: Mapping[str, Probe]) -> tuple[dict[str, Any], int]:
    """The state of each dependency; 503 as soon as one is away. What it says names no host and no secret."""
    found: dict[str, dict[str, Any]] = {}
    for name, probe in probes.items():
        try:
            found[name] = {"ok": True, "detail": probe() or ""}
        except Exception as wrong:
            found[name] = {"ok": False, "detail": type(wrong).__name__}
    ready = all(each["ok"] for each in found.values())
    return {"status": "ready" if ready else "not_ready", "dependencies": found}, 200 if ready else 503


def _own_routes(app: flask.Flask) -> None:
    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok", "service": context().service}

    @app.get("/readyz")
    def readyz() -> tuple[dict[str, Any], int]:
        return readiness(context().probes)

    @app.get("/metrics")
    def metrics() -> flask.Response:
        body, media_type = telemetry.metrics()
        return flask.Response(body, content_type=media_type)

    @app.get("/openapi.json")
    def openapi() -> dict[str, Any]:
        return document_of(app)
