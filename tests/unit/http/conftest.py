from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tools.devservers import free_port

ROOT = Path(__file__).resolve().parents[3]
MANY = 1_000_000


@dataclass
class Served:
    """The sample app behind the real server, in its own process."""

    port: int
    home: Path
    process: subprocess.Popen[str]

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def raw(self, sent: bytes, *, half: bool = False) -> bytes:
        """Everything that comes back for these bytes until the server closes; `half` ends our side first."""
        with self.connect() as connection:
            connection.sendall(sent)
            if half:
                connection.shutdown(socket.SHUT_WR)
            found = b""
            while part := connection.recv(65536):
                found += part
        return found

    def get(self, path: str) -> Any:
        status, body = self.ask("GET", path)
        assert status == 200, (status, body)
        return json.loads(body)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def job(self, name: str, **state: Any) -> None:
        """Sets what the app says of a job, whole at any moment."""
        draft = self.home / f".{name}"
        draft.write_text(json.dumps(state))
        draft.replace(self.home / name)


Start = Callable[..., Served]


def _start(home: Path, **changes: Any) -> Served:
    port = changes.pop("port", None) or free_port()
    given = {"pages_per_second": MANY, "pages_per_second_per_address": MANY, **changes, "home": str(home), "port": port}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.unit.http.sample_server", json.dumps(given)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    said = process.stdout.readline()
    assert said == "ready\n", said + process.stdout.read()
    return Served(port, home, process)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    home = Path(tempfile.mkdtemp(prefix="zg-"))
    made = _start(home)
    yield made
    made.process.kill()
    made.process.wait()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def start(make_home: Callable[[], Path]) -> Iterator[Start]:
    """Starts servers with other limits; killed afterwards."""
    made: list[Served] = []

    def begin(**changes: Any) -> Served:
        made.append(_start(make_home(), **changes))
        return made[-1]

    yield begin
    for each in made:
        each.process.kill()
        each.process.wait()
