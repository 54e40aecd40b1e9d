"""A component that is a provider's own service: called through the guarded client, believed in nothing."""

from __future__ import annotations

import itertools
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.models.errors import EndpointFailed, UnsafeAddress
from services.models.inference import outside
from services.models.inference.endpoints import FAILURES, Endpoints
from services.models.inference.frames import INFER, PREDICT, Ask
from shared.errors import DependencyDown, Refused
from tests.services.callers import Callers
from tests.services.models import published
from tests.services.models.own_data import nobody_else_works
from tests.services.models.provider_service import (  # noqa: F401 - fixtures are found by their names
    Behave,
    Service,
    answer,
    good,
    says,
    service_on_loopback,
    settings_with_loopback,
    with_endpoint,
)
from tests.services.models.published import ABOUT, NAME, PROVIDER, asked, move, release


def component(root: Path, url: str, domains: list[str]) -> None:
    folder = root / "theirs" / "releases" / "1.0.0"
    folder.mkdir(parents=True)
    about = {"name": "theirs", "kind": "http", "aliases": {"stable": "1.0.0"}, "public": True, "provider": "org-p"}
    (root / "theirs" / "component.yaml").write_text(yaml.safe_dump(about))
    (folder / "signature.yaml").write_text(yaml.safe_dump(release()["signature"]))
    (folder / "endpoint.json").write_text(json.dumps({"url": url, "domains": domains}))


@pytest.fixture
def endpoints(tmp_path: Path, service: Service) -> Iterator[Endpoints]:
    component(tmp_path, service.url, ["127.0.0.1"])
    made = Endpoints([tmp_path], loopback=True)
    yield made
    made.close()


def ask(**changes: Any) -> Ask:
    return Ask(1, PREDICT, "theirs", body=json.dumps({**asked(1, 2), **changes}).encode())


def test_the_answer_has_our_unit_and_range_check_and_nothing_that_was_not_declared(endpoints: Endpoints) -> None:
    assert endpoints.wants(ask())
    (prediction,) = json.loads(endpoints.call(ask()).body)["predictions"]
    assert prediction == {"value": 8, "unit": "h", "in_range": True, "warnings": []}
    (outside_range,) = json.loads(endpoints.call(ask(instances=[{"thickness": 500, "width": 1}])).body)["predictions"]
    assert outside_range["in_range"] is False
    assert outside_range["warnings"][0]["limit"] == 100


@pytest.mark.parametrize(
    "wrong",
    [
        {"instances": []}, {"instances": [{"thickness": 1}]}, {"instances": [{"thickness": "1", "width": 1}]},
        {"instances": [{"thickness": 1, "width": 1, "more": 1}]}, {"instances": [7]}, {"nonsense": 1},
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_here_and_never_sent(endpoints: Endpoints, service: Service, wrong: Any) -> None:
    with pytest.raises(Refused):
        endpoints.call(ask(**wrong))
    with pytest.raises(Refused):
        endpoints.call(Ask(1, INFER, "theirs", body=b"{}"))
    assert service.asked == 0


def _redirect(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    handler.send_response(302)
    handler.send_header("Location", "http://127.0.0.1:1/")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def _cut(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{")
    handler.close_connection = True


def _garbage(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    handler.wfile.write(b"\x00\xff nonsense\r\n\r\n")
    handler.close_connection = True


def _hangs_up(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def _endless(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    for _ in range(1000):
        handler.wfile.write(b"[" * 65_536)
    handler.close_connection = True


def _packed(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    import gzip

    body = gzip.compress(b'{"predictions":[{"value":1}]}')
    handler.send_response(200)
    for name, value in (
        ("Content-Type", "application/json"),
        ("Content-Encoding", "gzip"),
        ("Content-Length", len(body)),
    ):
        handler.send_header(name, str(value))
    handler.end_headers()
    handler.wfile.write(body)


HOSTILE: dict[str, Behave] = {
    "redirects": _redirect,
    "500": says(b"{}", status=500),
    "404": says(b"{}", status=404),
    "201": says(b'{"predictions":[{"value":1}]}', status=201),
    "a page": says(b"<script>alert(1)</script>", kind="text/html"),
    "no JSON": says(b"nothing"),
    "nothing": says(b""),
    "NaN": says(b'{"predictions":[{"value":NaN}]}'),
    "infinity": says(b'{"predictions":[{"value":1e999}]}'),
    "a text instead of a number": says(b'{"predictions":[{"value":"8"}]}'),
    "true instead of a number": says(b'{"predictions":[{"value":true}]}'),
    "no value": says(b'{"predictions":[{}]}'),
    "two predictions": says(b'{"predictions":[{"value":1},{"value":2}]}'),
    "no predictions": says(b'{"predictions":[]}'),
    "a list": says(b"[1]"),
    "a key twice": says(b'{"predictions":[{"value":1}],"predictions":[]}'),
    "nested too deep": says(b"[" * 5000),
    "an interval upside down": says(b'{"predictions":[{"value":1,"interval":{"low":2,"high":1,"coverage":0.9}}]}'),
    "an interval without its ends": says(b'{"predictions":[{"value":1,"interval":{}}]}'),
    "an interval that is a list": says(b'{"predictions":[{"value":1,"interval":[1,2]}]}'),
    "too much": says(b'{"predictions":[{"value":1,"more":"' + b"x" * 2_000_000 + b'"}]}'),
    "endless": _endless,
    "cut short": _cut,
    "garbage": _garbage,
    "hangs up": _hangs_up,
    "packed": _packed,
    "no UTF-8": says(b'{"predictions":[{"value":1}],"x":"\xff"}'),
    "a lone surrogate": says(b'{"predictions":[{"value":1}],"x":"\\ud800"}'),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_a_service_says_is_a_refusal_and_not_an_answer(
    endpoints: Endpoints, service: Service, name: str
) -> None:
    service.behave = HOSTILE[name]
    with pytest.raises(EndpointFailed) as refused:
        endpoints.call(ask())
    assert refused.value.reason
    service.behave = good
    assert json.loads(endpoints.call(ask()).body)["predictions"][0]["value"] == 8


def test_a_service_that_never_answers_is_left_in_time(
    endpoints: Endpoints, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "READ_S", 0.3)
    monkeypatch.setattr(outside, "WHOLE_S", 0.6)
    ended = threading.Event()

    def silent(_handler: BaseHTTPRequestHandler, _: bytes) -> None:
        ended.wait(20)

    def dribbles(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while not ended.wait(0.1):
            handler.wfile.write(b"a")

    for behave in (silent, dribbles):
        service.behave = behave
        with pytest.raises(EndpointFailed):
            endpoints.call(ask())
    ended.set()


def test_a_service_that_fails_is_left_alone_and_tried_again_by_one(tmp_path: Path, service: Service) -> None:
    component(tmp_path, service.url, ["127.0.0.1"])
    now = [0.0]
    endpoints = Endpoints([tmp_path], loopback=True, clock=lambda: now[0])
    service.behave = HOSTILE["500"]
    for _ in range(FAILURES):
        with pytest.raises(EndpointFailed):
            endpoints.call(ask())
    for _ in range(3):
        with pytest.raises(DependencyDown):
            endpoints.call(ask())
    assert service.asked == FAILURES
    now[0] += 100
    service.behave = good
    assert endpoints.call(ask()).status == 200
    assert endpoints.call(ask()).status == 200
    endpoints.close()


INSIDE = [
    "https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://0.0.0.0/", "https://10.0.0.1/",
    "https://172.16.3.4/", "https://192.168.1.1/", "https://169.254.169.254/latest/meta-data", "https://[fd00::1]/",
    "https://[fe80::1]/", "https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/",
    "https://2130706433/", "https://0x7f.1/", "https://127.1/", "https://017700000001/", "https://100.64.0.1/",
    "https://intranet/", "https://metadata/", "http://api.example.com/", "ftp://api.example.com/",
    "file:///etc/passwd", "gopher://api.example.com/", "https://user:pw@api.example.com/",
    "https://api.example.com@127.0.0.1/", "https://api.example.com:22/", "https://api.example.com:8443/",
    "https://api.example.com/#x", "https://", "https:///path", "javascript:alert(1)", "", " https://api.example.com/",
    "https://api.example.com/\r\nX: y", "https://api.example.com\\@127.0.0.1/", "https://ａpi.example.com/",
    "https://api.example.com:99999/", "https://evil.com/", "https://example.com.evil.com/", "https://notexample.com/",
    "https://[::]/", "https://api.example.com/" + "a" * 600,
]  # fmt: skip


@pytest.mark.parametrize("url", INSIDE)
def test_an_address_that_is_inside_or_not_declared_is_never_called(url: str) -> None:
    with pytest.raises(UnsafeAddress):
        outside.resolved(url, ["example.com"])


ADDRESSES = [
    "127.0.0.1", "10.1.2.3", "172.31.255.255", "192.168.0.9", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "192.0.0.8", "198.18.0.1", "240.0.0.1", "::1", "::", "fe80::1%eth0", "fd12::1", "ff02::1",
    "::ffff:10.0.0.1", "::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:a00:1::", "2001::1", "2001:db8::1",
    "203.0.113.7", "192.0.2.1", "fec0::1",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_name_that_leads_inside_is_never_called(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Also where a public address stands beside the inner one."""
    for found in ([address], ["93.184.216.34", address]):
        said = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in found]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, said=said, **__: said)
        with pytest.raises(UnsafeAddress):
            outside.resolved("https://api.example.com/", ["example.com"])


def test_a_name_is_resolved_once_and_the_connection_goes_to_that_address(
    monkeypatch: pytest.MonkeyPatch, service: Service
) -> None:
    """A resolver that says something else the second time is not asked a second time."""
    port = int(service.url.rpartition(":")[2].partition("/")[0])
    answers = itertools.chain(["127.0.0.1"], itertools.repeat("169.254.169.254"))
    real = socket.getaddrinfo

    def rebinding(host: str, *rest: Any, **more: Any) -> Any:
        return real(host if host == "127.0.0.1" else next(answers), *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    target = outside.resolved(f"http://localhost:{port}/score", loopback=True)
    assert target.address == "127.0.0.1"
    assert outside.post(target, json.dumps(asked(1, 2)).encode(), {}).status == 200


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch, endpoints: Endpoints) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert endpoints.call(ask()).status == 200


def test_an_endpoint_is_published_when_it_gives_its_stored_answers_and_then_called(
    app: Any, callers: Callers, service: Service
) -> None:
    nobody_else_works(app)
    assert callers.post("/api/v1/components", {**ABOUT, "kind": "http"}, PROVIDER).status_code == 201
    model = callers.post(f"/api/v1/components/{NAME}/releases", release(), PROVIDER)
    assert model.status_code == 422, "a model is another kind of component"
    service.behave = says(b'{"predictions":[{"value":1}]}')
    assert "example-answer" in published.send(app, callers, with_endpoint(service.url), PROVIDER)["problem"]["detail"]
    service.behave = good
    job = published.send(app, callers, with_endpoint(service.url), PROVIDER)
    assert job["state"] == "done", job["problem"]
    assert move(callers, "published").status_code == 200
    path = f"/api/v1/components/{NAME}/predict"
    assert callers.post(path, asked(3, 4)).get_json()["predictions"][0]["value"] == 18
    service.behave = HOSTILE["a page"]
    refused = callers.post(path, asked(3, 4))
    assert (refused.status_code, refused.get_json()["type"]) == (502, "/problems/endpoint-failed")
    assert "script" not in refused.get_data(as_text=True)


def test_calls_of_a_dead_service_hold_up_nobody_else(endpoints: Endpoints, service: Service, tmp_path: Path) -> None:
    """Four of them may wait at once; the fifth is told at once."""
    entered, ended = threading.Semaphore(0), threading.Event()

    def waits(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        entered.release()
        ended.wait(4)
        good(handler, body)

    service.behave = waits
    said: list[Any] = []
    threads = [threading.Thread(target=lambda: said.append(endpoints.call(ask()).status)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in threads:
        entered.acquire(timeout=10)
    with pytest.raises(Refused):
        endpoints.call(ask())
    ended.set()
    for thread in threads:
        thread.join()
    assert said == [200] * 4
