from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from services.gateway.app import create_app, migrate
from services.gateway.front import Gateway
from shared.http.upstream import MountedUpstream, Request, Upstream, open_upstream
from shared.settings import Settings


class Echo:
    """A service behind the gateway that answers with what it saw, or behaves badly on demand."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.stand_still = threading.Event()
        self.released = threading.Event()
        self.document: dict[str, Any] = {"openapi": "3.1.0", "info": {"title": "e", "version": "1"}, "paths": {}}
        self.fail = False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        if self.stand_still.is_set():
            self.released.wait(30)
        if path == "/openapi.json":
            return self._answer(start_response, 200, self.document)
        if path == "/internal/lexicon":
            return self._answer(start_response, 200, {"version": ""})
        if self.fail:
            return self._answer(start_response, 500, {"status": "failing"})
        if path in ("/readyz", "/healthz"):
            return self._answer(start_response, 200, {"status": "ready", "dependencies": {}})
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        names = {
            name[5:].lower().replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")
        }
        seen = {
            "method": environ["REQUEST_METHOD"],
            "path": path.encode("latin-1").decode("utf-8", "replace"),
            "query": environ["QUERY_STRING"],
            "headers": names,
            "type": environ.get("CONTENT_TYPE", ""),
            "body": len(body),
        }
        self.seen.append(seen)
        return self._answer(start_response, 200, seen)

    def _answer(self, start_response: Any, status: int, value: Any) -> list[bytes]:
        body = json.dumps(value).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Server", "inner/1.0")]
        start_response(f"{status} ", [*headers, ("X-Zhigai-Inner", "secret")])
        return [body]


@dataclass(frozen=True)
class Seen:
    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


class Door:
    """The gateway as its callers see it."""

    def __init__(self, gateway: Gateway, settings: Settings) -> None:
        self.gateway, self.settings = gateway, settings
        self._upstream = MountedUpstream(gateway, "gateway")

    @property
    def admin_key(self) -> str:
        return (self.settings.home / "admin.key").read_text(encoding="ascii").strip()

    def __call__(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        address: str = "198.51.100.7",
    ) -> Seen:
        sent = dict(headers or {})
        if key is not None:
            sent["X-API-Key"] = key
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        answer = self._upstream.call(
            Request(method=method, path=path, query=query, headers=sent, body=raw, address=address)
        )
        return Seen(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read())

    def new_key(self, key: str | None = None, **fields: Any) -> dict[str, Any]:
        made = self("POST", "/api/v1/keys", key=key or self.admin_key, body={"name": "test", **fields})
        assert made.status == 201, made.raw
        found: dict[str, Any] = made.body
        return found

    def new_organisation(self, role: str = "sme") -> str:
        made = self("POST", "/api/v1/organisations", key=self.admin_key, body={"name": "测试机构", "role": role})
        assert made.status == 201, made.raw
        return str(made.body["id"])


@pytest.fixture(params=["embedded", "distributed"])
def gateway_settings(request: pytest.FixtureRequest) -> Settings:
    """SQLite and limits in memory; PostgreSQL and limits in Redis."""
    if request.param == "embedded":
        make: Callable[..., Settings] = request.getfixturevalue("embedded_settings")
        return make()
    make = request.getfixturevalue("distributed_settings")
    return make(without=("elasticsearch",))


@pytest.fixture
def open_gateway() -> Iterator[Callable[..., Door]]:
    """Opens gateways, as several processes would; closed afterwards."""
    opened: list[Gateway] = []

    def open_one(settings: Settings, upstreams: Mapping[str, Upstream] | None = None) -> Door:
        migrate(settings)
        opened.append(create_app(settings, upstreams or {}))
        return Door(opened[-1], settings)

    yield open_one
    for gateway in opened:
        gateway.flask.extensions["zhigai"].close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    made = Echo()
    yield made
    made.released.set()


@pytest.fixture
def door(embedded_settings: Callable[..., Settings], open_gateway: Callable[..., Door], echo: Echo) -> Door:
    """A gateway before one echoing service that stands for all, mounted."""
    settings = embedded_settings()
    return open_gateway(settings, {name: MountedUpstream(echo, name) for name in ("catalog", "models", "programme")})


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        return


@pytest.fixture
def serve() -> Iterator[Callable[..., BaseWSGIServer]]:
    """Real HTTP servers, stopped afterwards; one that a test stopped itself can be started again on its port."""
    servers: list[tuple[BaseWSGIServer, threading.Thread]] = []

    def start(app: Any, port: int = 0) -> BaseWSGIServer:
        server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
        server.daemon_threads = True  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        servers.append((server, thread))
        return server

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def over_http(serve: Callable[..., BaseWSGIServer]) -> Iterator[Callable[[str, Any], Upstream]]:
    opened: list[Upstream] = []

    def start(name: str, app: Any) -> Upstream:
        opened.append(open_upstream(name, f"http://127.0.0.1:{serve(app).port}"))
        return opened[-1]

    yield start
    for upstream in opened:
        upstream.close()


def until(met: Callable[[], bool], seconds: float = 10.0) -> None:
    """Waits for a condition, not for a time."""
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


@pytest.fixture(name="until")
def until_fixture() -> Callable[..., None]:
    return until
