"""A provider's own service on this machine, and the fixtures of tests in which the platform calls it.

A test module imports the fixtures that it wants; nobody else gets them.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from shared.settings import Settings
from tests.services.models.own_data import nobody_else_works
from tests.services.models.published import release

Behave = Callable[[BaseHTTPRequestHandler, bytes], None]


def answer(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, kind: str = "application/json") -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def good(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """2a + 3b, as the model of the other tests."""
    rows = json.loads(body)["instances"]
    said = [{"value": 2 * row["thickness"] + 3 * row["width"], "secret": "dropped"} for row in rows]
    answer(handler, json.dumps({"predictions": said}).encode())


class Service:
    """A provider's service on this machine."""

    def __init__(self) -> None:
        self.behave: Behave = good
        self.asked = 0
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                service.asked += 1
                try:
                    service.behave(self, self.rfile.read(int(self.headers["Content-Length"])))
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/score"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def says(text: bytes, **kwargs: Any) -> Behave:
    return lambda handler, _: answer(handler, text, **kwargs)


def with_endpoint(url: str, **more: Any) -> dict[str, Any]:
    body = {name: value for name, value in release().items() if name not in ("model", "intervals")}
    for example in body["examples"]:
        for prediction in example["answer"]["predictions"]:
            prediction.pop("interval")
    return {**body, "endpoint": {"url": url, "domains": ["127.0.0.1"]}, **more}


@pytest.fixture(name="settings")
def settings_with_loopback(settings: Settings) -> Settings:
    """Providers' services and webhooks of these tests listen on this machine."""
    return settings.with_(loopback_endpoints=True)


@pytest.fixture(name="service")
def service_on_loopback() -> Iterator[Service]:
    made = Service()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def jobs_only_by_hand(app: Any) -> None:
    """The jobs of these tests are done by `work`, not by a worker that a ring would start."""
    nobody_else_works(app)
