"""The model routes behind the real server, on components of the test's own."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.processes import ROOT, Answer
from tools.devservers import free_port
from tools.server_process import Server

OPERATOR = "k"


@dataclass
class ModelServer:
    server: Server

    @property
    def address(self) -> str:
        return self.server.url.removeprefix("http://")

    @property
    def runner_pid(self) -> int:
        children = Path(f"/proc/{self.server.pid}/task/{self.server.pid}/children").read_text().split()
        return next(
            int(child) for child in children if b"inference.runner" in Path(f"/proc/{child}/cmdline").read_bytes()
        )

    def call(
        self, method: str, path: str, body: Any = None, *, key: str = OPERATOR, headers: Mapping[str, str] | None = None
    ) -> Answer:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {"X-API-Key": key, **(headers or {})}
        request = urllib.request.Request(self.server.url + path, data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, refused.headers, refused.read())

    def infer(self, model: str, *tensors: Mapping[str, Any], key: str = OPERATOR, **members: Any) -> Answer:
        return self.call("POST", f"/v2/models/{model}/infer", {"inputs": list(tensors), **members}, key=key)


@contextmanager
def serving(*roots: Path, memory_mb: int = 1024) -> Iterator[ModelServer]:
    """A server and its runner, ended afterwards."""
    folder, port = Path(tempfile.mkdtemp(prefix="zg-")), free_port()
    module = "tests.services.models.inference_server"
    command = [sys.executable, "-m", module, str(folder), str(port), str(memory_mb), *map(str, roots)]
    server = Server(
        "models", f"http://127.0.0.1:{port}", port, folder, command, {**os.environ, "PYTHONPATH": str(ROOT)}
    )
    made = ModelServer(server)
    server.ready = lambda: made.call("GET", "/v2/health/ready").status == 200
    server.start()
    try:
        yield made
    finally:
        server.stop()


def tensor(name: str, shape: list[int], data: Any, datatype: str = "FP32", **more: Any) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data, **more}


def values(answer: Answer, name: str) -> Any:
    """The data of one output of a JSON answer."""
    assert answer.status == 200, answer.body
    return next(each["data"] for each in answer.json()["outputs"] if each["name"] == name)
