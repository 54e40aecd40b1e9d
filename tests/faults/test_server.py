"""The server as a real process under bad clients and dying parts."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from shared.settings import Secret, Settings
from tests.contract.waiting import wait_until
from tests.processes import Running, start_embedded


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    home = Path(tempfile.mkdtemp(prefix="zg-"))
    made = start_embedded(Settings(home=home, secret=Secret(token_hex(32)), port=0))
    yield made
    made.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def body(running: Running) -> dict[str, Any]:
    """A single-row request of the open protocol."""
    stored = running.get("/api/v1/components/steel-plate-faults")
    names = [each["name"] for each in stored["signature"]["inputs"]]
    row = [stored["examples"][0]["request"]["instances"][0][name] for name in names]
    return {"inputs": [{"name": "input", "shape": [1, len(row)], "datatype": "FP32", "data": row}]}


def infer(running: Running, body: dict[str, Any], timeout: float = 30) -> int:
    key = {"X-API-Key": running.admin_key}
    return running.call("POST", "/v2/models/steel-plate-faults/infer", body, headers=key, timeout=timeout).status


def port_of(running: Running) -> int:
    return int(running.url.rsplit(":", 1)[1])


def raw(running: Running, sent: bytes, *, close: bool = True) -> bytes:
    """What comes back for bytes as they are; `close` shuts our half, so that a cut body is known to be cut."""
    with socket.create_connection(("127.0.0.1", port_of(running)), timeout=15) as connection:
        connection.sendall(sent)
        if close:
            connection.shutdown(socket.SHUT_WR)
        parts = []
        connection.settimeout(5)
        try:
            while part := connection.recv(65536):
                parts.append(part)
        except TimeoutError:
            pass
    return b"".join(parts)


def runner_pid(running: Running) -> int | None:
    server = running.processes["serve"].pid
    for child in Path(f"/proc/{server}/task/{server}/children").read_text().split():
        try:
            if b"inference.runner" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
        except OSError:
            continue
    return None


def test_half_sent_bodies_and_open_streams_leave_everybody_else_alone(running: Running, body: dict[str, Any]) -> None:
    worked = running.get("/api/v1/components/stenter-heat-balance")["examples"][0]["request"]["instances"][0]
    key = {"X-API-Key": running.admin_key}
    path = "/api/v1/components/stenter-heat-balance/batch"
    # A job that waits: no worker can start, since we hold the home's only place for one.
    from shared.jobs.bell.child_process import only_worker

    with only_worker(running.home) as alone:
        assert alone
        accepted = running.call("POST", path, {"instances": [worked]}, headers=dict(key))
        events = (
            f"GET {accepted.headers['Location']}/events HTTP/1.1\r\nHost: t\r\nX-API-Key: {key['X-API-Key']}\r\n\r\n"
        )
        half = b"POST /api/v1/enquiries HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n{"
        hot = (
            b"POST /v2/models/steel-energy/infer HTTP/1.1\r\nHost: t\r\nX-API-Key: %s\r\nContent-Length: 1000\r\n\r\n{"
        )
        held = []
        try:
            for number in range(400):
                connection = socket.create_connection(("127.0.0.1", port_of(running)), timeout=10)
                connection.sendall(half if number % 2 else hot % key["X-API-Key"].encode())
                held.append(connection)
            for _ in range(200):
                connection = socket.create_connection(("127.0.0.1", port_of(running)), timeout=10)
                connection.sendall(events.encode())
                held.append(connection)
            streaming = held[-1]
            streaming.settimeout(10)
            assert b"text/event-stream" in streaming.recv(4096)
            for _ in range(3):
                began = time.monotonic()
                assert infer(running, body) == 200
                # The promise is a second; a loaded machine in a test run gets some slack.
                assert time.monotonic() - began < 2
                began = time.monotonic()
                assert running.call("GET", "/").status == 200
                assert time.monotonic() - began < 2
        finally:
            for connection in held:
                connection.close()
    assert infer(running, body) == 200


@pytest.mark.parametrize("path", ["/api/v1/enquiries", "/v2/models/steel-energy/infer", "/subsidy"])
def test_a_body_that_was_cut_short_is_refused(running: Running, path: str) -> None:
    key = running.admin_key.encode()
    answer = raw(
        running, b"POST %s HTTP/1.1\r\nHost: t\r\nX-API-Key: %s\r\nContent-Length: 100\r\n\r\n{}" % (path.encode(), key)
    )
    assert answer.startswith(b"HTTP/1.1 400"), answer[:300]
    assert b"application/problem+json" in answer


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", (400,)),
        (b"GET http://evil.example/ HTTP/1.1\r\nHost: a\r\n\r\n", (400,)),
        (b"GET /%2e%2e/x HTTP/1.1\r\nHost: a\r\n\r\n", (400, 404)),
        (b"GET //double HTTP/1.1\r\nHost: a\r\n\r\n", (400,)),
        (b"GET /a;b HTTP/1.1\r\nHost: a\r\n\r\n", (400,)),
        (b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", (400,)),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-Large: " + b"x" * 60_000 + b"\r\n\r\n", (431,)),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", (400,)),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n", (400,)),
    ],
    ids=["two hosts", "foreign host", "dot segment", "double slash", "semicolon", "nul", "large header", "two lengths", "negative"],
)  # fmt: skip
def test_requests_that_two_parsers_could_read_differently_are_refused(
    running: Running, sent: bytes, statuses: tuple[int, ...]
) -> None:
    answer = raw(running, sent, close=False)
    assert int(answer[9:12]) in statuses, answer[:200]


def test_a_body_over_the_limit_is_refused_before_it_is_sent(running: Running) -> None:
    for path in ("/api/v1/enquiries", "/v2/models/steel-energy/infer"):
        key = running.admin_key.encode()
        head = b"POST %s HTTP/1.1\r\nHost: t\r\nX-API-Key: %s\r\nContent-Length: 999999999\r\n\r\n"
        answer = raw(running, head % (path.encode(), key), close=False)
        assert answer.startswith(b"HTTP/1.1 413"), answer[:200]


def test_a_killed_runner_costs_the_calls_in_flight_and_is_back_in_two_seconds(
    running: Running, body: dict[str, Any]
) -> None:
    statuses: list[int] = []
    stop = threading.Event()

    def call() -> None:
        while not stop.is_set():
            statuses.append(infer(running, body))

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    try:
        wait_until(lambda: len(statuses) > 40, "calls are answered")
        first = runner_pid(running)
        assert first is not None
        os.kill(first, signal.SIGKILL)
        killed = time.monotonic()
        before = len(statuses)
        wait_until(lambda: runner_pid(running) not in (None, first) and 200 in statuses[before + 8 :], "it is back")
        assert time.monotonic() - killed < 4, "two seconds, with slack for a loaded machine"
    finally:
        stop.set()
        for caller in callers:
            caller.join(timeout=30)
    refused = [status for status in statuses if status != 200]
    assert set(refused) <= {503}
    # Four callers, each at most once in flight and perhaps once more while it starts.
    assert len(refused) <= 8, refused


def test_a_refusal_by_the_runner_says_when_to_come_back(running: Running) -> None:
    """503 carries Retry-After; asked while the runner is stopped, so that nobody answers."""
    pid = runner_pid(running)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    answers = [
        running.call("GET", "/v2/models/steel-energy", headers={"X-API-Key": running.admin_key}) for _ in range(3)
    ]
    for answer in answers:
        assert answer.status == 200 or (answer.status == 503 and int(answer.headers["Retry-After"]) >= 1)


def test_the_open_protocols_own_client_works_unchanged(running: Running) -> None:
    import numpy as np
    from tritonclient import http as triton
    from tritonclient.utils import InferenceServerException

    wait_until(lambda: runner_pid(running) is not None, "the runner is there")
    client = triton.InferenceServerClient(running.url.removeprefix("http://"))
    # The client writes into the headers it is given, so each call gets its own.
    key = {"X-API-Key": running.admin_key}
    assert client.is_server_live(headers=dict(key)) and client.is_model_ready("steel-plate-faults", headers=dict(key))
    metadata = client.get_model_metadata("steel-plate-faults", headers=dict(key))
    assert len(metadata["inputs"]) == 27
    rows = np.ones((3, 27), np.float32)
    answers = []
    for binary in (True, False):
        matrix = triton.InferInput("input", [3, 27], "FP32")
        matrix.set_data_from_numpy(rows, binary_data=binary)
        wanted = [triton.InferRequestedOutput("probabilities", binary_data=binary)]
        answers.append(client.infer("steel-plate-faults", [matrix], outputs=wanted, request_id="7", headers=dict(key)))
    columns = []
    for column, tensor in enumerate(metadata["inputs"]):
        columns.append(triton.InferInput(tensor["name"], [3, 1], "FP32"))
        columns[-1].set_data_from_numpy(rows[:, column : column + 1])
    answers.append(client.infer("steel-plate-faults", columns, headers=dict(key)))
    assert answers[0].get_response()["id"] == "7"
    for answer in answers:
        np.testing.assert_allclose(answer.as_numpy("probabilities"), answers[0].as_numpy("probabilities"))
    with pytest.raises(InferenceServerException) as no:
        client.infer("no-such-model", columns, headers=dict(key))
    assert "no-such-model" in str(no.value)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"inputs": [{"name": "input", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}]}, 400),
        ({"inputs": [{"name": "input", "shape": [1, 27], "datatype": "FP32", "data": [1] * 26}]}, 400),
        ({"inputs": [{"name": "input", "shape": [2, 27], "datatype": "FP32", "data": [[1] * 27, [1]]}]}, 400),
        ({"inputs": [{"name": "input", "shape": [1, 27], "datatype": "INT8", "data": [999] * 27}]}, 400),
        ({"inputs": [{"name": "input", "shape": [1, 27], "datatype": "TEXT", "data": ["a"] * 27}]}, 400),
        ({"inputs": [{"name": "X_Minimum", "shape": [1], "datatype": "FP32", "data": [1]}]}, 400),
        ({"inputs": []}, 400),
        ({"inputs": "many"}, 400),
        ({"unknown": 1, "inputs": [{}]}, 400),
    ],
)
def test_a_tensor_that_is_wrong_is_named(running: Running, change: dict[str, Any], status: int) -> None:
    answer = running.call(
        "POST", "/v2/models/steel-plate-faults/infer", change, headers={"X-API-Key": running.admin_key}
    )
    assert answer.status == status, answer.body
    assert answer.json()["error"]


def test_a_number_that_is_none_is_refused(running: Running) -> None:
    for number in (b"NaN", b"Infinity", b"1e999"):
        sent = (
            b'{"inputs":[{"name":"input","shape":[1,27],"datatype":"FP32","data":[' + b",".join([number] * 27) + b"]}]}"
        )
        answer = running.call(
            "POST", "/v2/models/steel-plate-faults/infer", sent, headers={"X-API-Key": running.admin_key}
        )
        assert answer.status == 400, (number, answer.body)
        json.loads(answer.body)


def test_sigterm_ends_the_server_in_its_time() -> None:
    home = Path(tempfile.mkdtemp(prefix="zg-"))
    made = start_embedded(Settings(home=home, secret=Secret(token_hex(32)), port=0))
    process = made.processes["serve"]
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    assert time.monotonic() - began < 15
    shutil.rmtree(home, ignore_errors=True)
