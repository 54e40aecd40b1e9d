"""The gateway's door: routing, spoofed identity, limits, dead services, documents."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from openapi_spec_validator import validate

from services.programme.app import create_app as create_programme
from shared.http.upstream import MountedUpstream, Upstream, open_upstream
from shared.identity import PRINCIPAL_HEADER, Principal, sign, verify
from shared.settings import SERVICES, Settings
from tests.services.gateway.conftest import Door, Echo


def principal_of(door: Door, seen: dict[str, Any]) -> Principal:
    return verify(seen["headers"][PRINCIPAL_HEADER.lower()], door.settings.secret)


def test_a_call_reaches_the_service_that_owns_the_path_unchanged(door: Door, echo: Echo) -> None:
    answer = door(
        "GET",
        "/api/v1/solutions/%E5%AE%9A",
        query="q=%E6%9C%BA&page=2",
        headers={"Accept-Language": "en", "X-Own": "1"},
    )
    assert answer.status == 200
    seen = answer.body
    assert (seen["method"], seen["path"], seen["query"]) == ("GET", "/api/v1/solutions/定", "q=%E6%9C%BA&page=2")
    assert (seen["headers"]["accept-language"], seen["headers"]["x-own"]) == ("en", "1")
    assert seen["headers"]["x-request-id"] == answer.headers["x-request-id"]
    assert principal_of(door, seen) == Principal()


def test_a_service_learns_who_calls_and_never_the_key(door: Door) -> None:
    key = door.new_key(organisation=door.new_organisation())
    seen = door(
        "POST",
        "/api/v1/components/c/predict",
        key=key["key"],
        headers={"Authorization": f"Bearer {key['key']}", "Cookie": "a=b"},
        body={"instances": []},
    ).body
    principal = principal_of(door, seen)
    assert (principal.key_id, principal.role, principal.organisation) == (key["id"], "sme", key["organisation"])
    assert key["key"] not in str(seen)
    assert not {"authorization", "x-api-key", "cookie"} & set(seen["headers"])


def test_what_a_client_says_about_itself_is_not_heard(door: Door) -> None:
    forged = sign(
        Principal(organisation="platform", key_id="x", role="admin", scopes=frozenset({"*"})), door.settings.secret
    )
    seen = door(
        "GET",
        "/api/v1/solutions",
        headers={
            "X-Zhigai-Principal": forged, "X_Zhigai_Principal": forged, "X-Zhigai-Tenant": "other",
            "X-Authenticated-User": "root", "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "evil",
            "Forwarded": "for=127.0.0.1", "X-Real-IP": "127.0.0.1", "X-Original-URI": "/api/v1/keys",
            "Connection": "X-Tenant", "X-Tenant": "other", "TE": "trailers",
        },
    ).body  # fmt: skip
    assert principal_of(door, seen) == Principal()
    said = {"x-zhigai-tenant", "x-authenticated-user", "x-forwarded-for", "x-forwarded-host", "forwarded", "x-real-ip"}
    assert not (said | {"x-original-uri", "x-tenant", "te", "connection"}) & set(seen["headers"])
    assert door("GET", "/api/v1/keys", headers={"X-Zhigai-Principal": forged}).status == 401


def test_a_signed_principal_from_outside_opens_nothing(door: Door) -> None:
    forged = sign(
        Principal(organisation="platform", key_id="x", role="admin", scopes=frozenset({"*"})), door.settings.secret
    )
    me = door("GET", "/api/v1/me", headers={PRINCIPAL_HEADER: forged}).body
    assert (me["role"], me["organisation"]) == ("anon", None)


def test_what_a_service_says_of_its_inside_stays_inside(door: Door) -> None:
    answer = door("GET", "/api/v1/solutions")
    assert not {"x-zhigai-inner", "server"} & set(answer.headers)


@pytest.mark.parametrize(
    "path",
    ["/api/v1/nothing", "/api/v1/", "/api/x", "/v3", "/internal/search", "/internal/authorise", "/internal/readyz"],
)
def test_an_unknown_path_is_a_problem_in_json(door: Door, echo: Echo, path: str) -> None:
    refused = door("GET", path)
    assert refused.status == 404
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.body["status"] == 404
    assert path in refused.body["detail"]
    assert refused.body["request_id"] == refused.headers["x-request-id"]
    assert echo.seen == []


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/solutions/%2e%2e/keys", "/api/v1//solutions", "/api/v1/solutions/..", "/api/v1/solutions;x=1",
        "/api/v1/solutions/%5c", "/api/v1/solutions/%00", "/api/v1/solutions/%0a", "/api/v1/solutions/%25",
        "/api/v1/solutions/%ff", "/api/v1/./solutions",
    ],
)  # fmt: skip
def test_a_path_that_two_parsers_could_read_differently_is_refused(door: Door, echo: Echo, path: str) -> None:
    assert door("GET", path).status == 400
    assert echo.seen == []


def test_a_wrong_method_names_the_right_ones(door: Door, until: Callable[..., None]) -> None:
    until(lambda: door.gateway.services.methods_of("gateway", "/api/v1/search") is not None)
    for key in (None, door.admin_key):
        refused = door("DELETE", "/api/v1/search", key=key)
        assert refused.status == 405
        assert "GET" in refused.headers["allow"]


def test_the_request_id_is_the_callers_when_it_is_harmless(door: Door) -> None:
    assert (
        door("GET", "/api/v1/solutions", headers={"X-Request-Id": "mes-000123"}).headers["x-request-id"] == "mes-000123"
    )
    odd = door("GET", "/api/v1/solutions", headers={"X-Request-Id": "<script>"}).headers["x-request-id"]
    assert odd != "<script>"
    assert len(odd) == 32


def test_problems_speak_the_callers_language(door: Door) -> None:
    assert door("GET", "/api/v1/keys", headers={"Accept-Language": "en"}).body["title"] == "Key required"
    assert door("GET", "/api/v1/keys", query="lang=en").body["title"] == "Key required"
    assert door("GET", "/api/v1/keys").body["title"] == "需要密钥"


def test_limits_are_on_every_limited_answer_and_end_in_429(
    embedded_settings: Callable[..., Settings], open_gateway: Callable[..., Door], echo: Echo
) -> None:
    door = open_gateway(embedded_settings(anonymous_per_minute=3), {"catalog": MountedUpstream(echo)})
    answers = [door("GET", "/api/v1/solutions") for _ in range(4)]
    assert [each.status for each in answers] == [200, 200, 200, 429]
    for left, each in zip((2, 1, 0, 0), answers, strict=True):
        assert each.headers["ratelimit-policy"] == '"anonymous";q=3;w=60'
        assert each.headers["ratelimit"].startswith(f'"anonymous";r={left};')
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert answers[-1].body["type"] == "/problems/rate-limited"
    assert len(echo.seen) == 3
    assert door("GET", "/api/v1/solutions", address="203.0.113.1").status == 200
    assert door("GET", "/api/v1/solutions", key=door.admin_key).status == 200
    assert door("GET", "/healthz").status == 200


def test_a_guest_is_known_to_the_service_that_keeps_its_things(door: Door) -> None:
    made = door("POST", "/api/v1/guests")
    assert made.status == 201
    sent = {"X-Zhigai-Guest": made.body["token"]}
    seen = door("POST", "/api/v1/enquiries", headers=sent, body={"need": "x"}).body
    assert principal_of(door, seen) == Principal(guest=made.body["guest"])
    assert "x-zhigai-guest" not in seen["headers"]
    assert door("GET", "/api/v1/me", headers=sent).body["guest"] == made.body["guest"]
    assert door("POST", "/api/v1/enquiries", body={"need": "x"}).status == 401
    assert door("POST", "/api/v1/enquiries", headers={"X-Zhigai-Guest": "forged"}, body={}).status == 401


def test_a_large_body_is_refused_before_the_service_sees_it(door: Door, echo: Echo) -> None:
    refused = door("POST", "/api/v1/subsidies/estimate", body=b" " * 1_000_001)
    assert refused.status == 413
    assert echo.seen == []
    assert door("POST", "/api/v1/components/c/predict", body=b" " * 1_000_001).body["body"] == 1_000_001


def test_a_query_in_raw_characters_arrives_escaped(door: Door) -> None:
    assert door("GET", "/api/v1/solutions", query="q=定型机").body["query"] == "q=%E5%AE%9A%E5%9E%8B%E6%9C%BA"


def test_head_answers_without_a_body(door: Door) -> None:
    refused = door("HEAD", "/api/v1/nothing")
    assert (refused.status, refused.raw) == (404, b"")


# Services that are away.


def test_a_dead_service_is_named_at_once_and_costs_the_others_nothing(
    embedded_settings: Callable[..., Settings],
    open_gateway: Callable[..., Door],
    serve: Callable[..., Any],
    echo: Echo,
    until: Callable[..., None],
) -> None:
    server = serve(echo)
    port = server.port
    door = open_gateway(
        embedded_settings(),
        {
            "catalog": open_upstream("catalog", f"http://127.0.0.1:{port}"),
            "programme": MountedUpstream(echo, "programme"),
        },
    )
    assert door("GET", "/api/v1/solutions").status == 200
    server.shutdown()
    server.server_close()
    guard = door.gateway.state.guards["catalog"]
    refused = [door("GET", "/api/v1/solutions") for _ in range(6)]
    assert {each.status for each in refused} == {503}
    assert all(int(each.headers["retry-after"]) >= 1 for each in refused)
    assert all("catalog" in each.body["detail"] for each in refused)
    assert guard.is_open
    assert door("GET", "/api/v1/targets").status == 200
    ready = door("GET", "/readyz")
    assert (ready.status, ready.body["status"]) == (200, "degraded")
    assert ready.body["dependencies"]["catalog"]["ok"] is False
    assert ready.body["dependencies"]["programme"]["ok"] is True
    found = door("GET", "/api/v1/search", query="q=x")
    assert found.status == 200
    assert any("catalog" in warning for warning in found.body["warnings"])
    # Back on the same port: a probe notices, no caller's request is risked for it.
    serve(echo, port)
    until(lambda: not guard.is_open)
    assert door("GET", "/api/v1/solutions").status == 200


def test_a_service_that_hangs_holds_up_nobody_for_long(
    embedded_settings: Callable[..., Settings],
    open_gateway: Callable[..., Door],
    over_http: Callable[[str, Any], Upstream],
    echo: Echo,
    until: Callable[..., None],
) -> None:
    other = Echo()
    door = open_gateway(
        embedded_settings(), {"catalog": over_http("catalog", echo), "programme": MountedUpstream(other, "programme")}
    )
    assert door("GET", "/api/v1/solutions").status == 200
    echo.stand_still.set()
    guard = door.gateway.state.guards["catalog"]
    with ThreadPoolExecutor(8) as pool:
        hanging = [pool.submit(door, "GET", "/api/v1/solutions") for _ in range(5)]
        until(lambda: len(guard._waiting) == 5)
        until(lambda: guard._stands_still(time.monotonic()), 4.0)
        started = time.monotonic()
        assert door("GET", "/api/v1/solutions").body["type"] == "/problems/dependency-down"
        assert guard.is_open
        assert door("GET", "/api/v1/targets").status == 200
        # Far below the ten seconds that a call may wait for its answer.
        assert time.monotonic() - started < 2
        echo.stand_still.clear()
        echo.released.set()
        assert {each.result().status for each in hanging} == {200}
    until(lambda: not guard.is_open)
    assert door("GET", "/api/v1/solutions").status == 200


def test_a_service_that_only_fails_is_left_alone_until_it_is_well(
    embedded_settings: Callable[..., Settings],
    open_gateway: Callable[..., Door],
    echo: Echo,
    until: Callable[..., None],
) -> None:
    door = open_gateway(embedded_settings(), {"catalog": MountedUpstream(echo, "catalog")})
    echo.fail = True
    statuses = [door("GET", "/api/v1/solutions").status for _ in range(7)]
    assert statuses == [500] * 5 + [503] * 2
    echo.fail = False
    until(lambda: door("GET", "/api/v1/solutions").status == 200)


def test_an_answer_that_breaks_off_is_no_whole_answer(
    embedded_settings: Callable[..., Settings], open_gateway: Callable[..., Door]
) -> None:
    def breaks(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", "100")])
        return [b"12345"]

    door = open_gateway(embedded_settings(), {"catalog": MountedUpstream(breaks, "catalog")})
    with pytest.raises(Exception, match="gateway"):
        door("GET", "/api/v1/solutions")


def test_a_stream_passes_part_by_part_and_ends_when_the_client_goes(
    embedded_settings: Callable[..., Settings], open_gateway: Callable[..., Door]
) -> None:
    closed = threading.Event()

    def endless(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        try:
            while True:
                yield b"x" * 1024
        finally:
            closed.set()

    door = open_gateway(embedded_settings(), {"catalog": MountedUpstream(endless, "catalog")})
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/api/v1/solutions", "REMOTE_ADDR": "198.51.100.7"}
    parts = door.gateway(environ, lambda status, headers, exc_info=None: lambda data: None)
    assert next(iter(parts)) == b"x" * 1024
    assert door.gateway.state.guards["catalog"]._inside == 1
    parts.close()  # type: ignore[attr-defined]
    assert closed.is_set()
    assert door.gateway.state.guards["catalog"]._inside == 0


# Documents.


@pytest.fixture
def whole(embedded_settings: Callable[..., Settings], open_gateway: Callable[..., Door]) -> Door:
    settings = embedded_settings()
    return open_gateway(settings, {"programme": MountedUpstream(create_programme(settings), "programme")})


def test_the_merged_document_is_valid_and_holds_every_services_operations(whole: Door) -> None:
    document = whole("GET", "/openapi.json").body
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert {"/api/v1/search", "/api/v1/keys", "/api/v1/targets", "/v2/models/{name}/infer"} <= set(document["paths"])
    assert not [path for path in document["paths"] if "/internal" in path]


def test_the_document_holds_what_is_known_while_a_service_is_away(
    embedded_settings: Callable[..., Settings], open_gateway: Callable[..., Door], echo: Echo
) -> None:
    door = open_gateway(embedded_settings(), {"catalog": open_upstream("catalog", "http://127.0.0.1:9")})
    document = door("GET", "/openapi.json")
    assert document.status == 200
    validate(document.body)


def test_the_page_to_read_it_needs_nothing_from_elsewhere(whole: Door) -> None:
    for language, word in (("zh", "需要密钥"), ("en", "key needed")):
        page = whole("GET", "/docs", query=f"lang={language}")
        text = page.raw.decode()
        assert page.status == 200
        assert word in text
        assert "curl -X POST" in text
        assert "/api/v1/subsidies/estimate" in text
        assert not [each for each in ("<script", "src=", "@import", "url(") if each in text]
        assert "default-src 'none'" in page.headers["content-security-policy"]


def test_metrics_count_calls_by_route_class_and_status(whole: Door) -> None:
    whole("GET", "/api/v1/targets")
    whole("GET", "/api/v1/nothing")
    whole.gateway.flask.extensions["zhigai"].parts["gateway"].flusher.flush()
    text = whole("GET", "/metrics").raw.decode()
    assert 'zhigai_requests_total{route="read",service="edge",status="200"}' in text
    assert 'zhigai_requests_total{route="none",service="edge",status="404"}' in text


def test_readiness_is_by_dependency(whole: Door) -> None:
    ready = whole("GET", "/readyz")
    assert (ready.status, ready.body["status"]) == (200, "ready")
    assert {"gateway", "programme"} <= set(ready.body["dependencies"]) <= set(SERVICES)
    assert whole("GET", "/healthz").body["status"] == "ok"


# A proxy that asks first.


@pytest.fixture
def asked(
    embedded_settings: Callable[..., Settings], open_gateway: Callable[..., Door], over_http: Any, echo: Echo
) -> Door:
    settings = embedded_settings(upstreams={"models": "http://127.0.0.1:9"})
    return open_gateway(settings, {"models": over_http("models", echo)})


def test_a_proxy_is_told_who_calls(asked: Door) -> None:
    question = {"X-Original-URI": "/v2/models/m/infer", "X-Original-Method": "POST"}
    allowed = asked("GET", "/internal/authorise", key=asked.admin_key, headers=question)
    assert (allowed.status, allowed.raw) == (204, b"")
    assert verify(allowed.headers[PRINCIPAL_HEADER.lower()], asked.settings.secret).role == "admin"
    assert asked("GET", "/internal/authorise", headers=question).status == 401
    assert asked("GET", "/internal/authorise", key="zg_live_no", headers=question).status == 401
    nowhere = asked("GET", "/internal/authorise", key=asked.admin_key, headers={"X-Original-URI": "/internal/search"})
    assert (nowhere.status, nowhere.headers["x-zhigai-reason"]) == (403, "no-such-path")


def test_without_such_a_proxy_nobody_can_ask(door: Door) -> None:
    question = {"X-Original-URI": "/v2/models/m/infer", "X-Original-Method": "POST"}
    assert door("GET", "/internal/authorise", key=door.admin_key, headers=question).status == 404
