"""Streams and waiting: part by part, no thread held, everything let go when the client leaves."""

from __future__ import annotations

import json
import socket
import threading
import time

from tests.contract.waiting import wait_until
from tests.unit.http.conftest import Served, Start

CLOSE = b"Connection: close\r\n\r\n"


def open_events(served: Served, name: str, *headers: str) -> socket.socket:
    connection = served.connect()
    lines = [f"GET /api/v1/jobs/{name}/events HTTP/1.1", "Host: a", *headers, "", ""]
    connection.sendall("\r\n".join(lines).encode())
    return connection


def test_an_answer_of_an_app_arrives_part_by_part(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(b"GET /stream HTTP/1.1\r\nHost: a\r\n" + CLOSE)
        size = 0
        while part := connection.recv(1 << 20):
            size += len(part)
    # 64 MB and the frames of the chunks; the process never held them at once, or it would not have started to send.
    assert size > 64 * 1024 * 1024


def test_a_client_that_hangs_up_lets_go_of_the_app(start: Start) -> None:
    served = start(page_threads=2)
    for _ in range(6):
        with served.connect() as connection:
            connection.sendall(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
            assert connection.recv(100)
    wait_until(lambda: served.get("/counts")["closed"] == 6, "each abandoned answer is closed")
    assert served.get("/x")["path"] == "/x"


def until(connection: socket.socket, wanted: bytes) -> bytes:
    """What arrives up to and with `wanted`; head and events may come in any number of parts."""
    found = b""
    while wanted not in found:
        part = connection.recv(65536)
        assert part, f"ended before {wanted!r}: {found!r}"
        found += part
    return found


def test_events_tell_each_state_once_and_end_with_the_job(served: Served) -> None:
    served.job("one", state="running", progress=0.1)
    with open_events(served, "one") as events:
        assert b"text/event-stream" in until(events, b'"progress": 0.1')
        served.job("one", state="running", progress=0.6)
        until(events, b'"progress": 0.6')
        served.job("one", state="done", result=7)
        found = until(events, b"0\r\n\r\n")
    assert found.count(b"event: job") == 1 and b'"state": "done"' in found


def test_a_page_follows_its_job_at_an_address_of_the_pages(served: Served) -> None:
    served.job("mine", state="done", result=3)
    with served.connect() as events:
        lines = ["GET /jobs/mine/events HTTP/1.1", "Host: a", "Cookie: x=1; zhigai_guest=token", "", ""]
        events.sendall("\r\n".join(lines).encode())
        assert b"text/event-stream" in until(events, b'"state": "done"')
    assert "/api/v1/jobs/mine as token" in served.get("/counts")["asked"]


def test_two_hundred_streams_hold_no_thread_and_ask_for_their_job_as_one(start: Start) -> None:
    served = start(page_threads=4)
    served.job("many", state="running")
    streams = [open_events(served, "many", "Authorization: Bearer k") for _ in range(200)]
    try:
        wait_until(lambda: served.get("/counts")["waiting"] == 200, "all wait")
        before = served.get("/counts")
        assert before["threads"] <= 4 + 2, "the pool, the main thread, the starter"
        began = time.monotonic()
        status, answer = served.ask("POST", "/x", b"hello")
        assert status == 200 and json.loads(answer)["length"] == 5
        assert time.monotonic() - began < 1
        # Each stream looks once when it begins; after that one look serves them all.
        wait_until(lambda: len(served.get("/counts")["asked"]) > len(before["asked"]) + 1, "it is looked at again")
        assert len(served.get("/counts")["asked"]) - len(before["asked"]) < 20
        served.job("many", state="done")
        for stream in streams:
            assert b'"state": "done"' in until(stream, b"0\r\n\r\n")
    finally:
        for stream in streams:
            stream.close()
    wait_until(lambda: served.get("/counts")["waiting"] == 0, "none waits any more")


def test_callers_with_different_keys_are_never_served_by_one_look(served: Served) -> None:
    served.job("mine", state="running")
    before = len(served.get("/counts")["asked"])
    with (
        open_events(served, "mine", "Authorization: Bearer a") as one,
        open_events(served, "mine", "Authorization: Bearer b") as other,
    ):
        assert one.recv(65536) and other.recv(65536)
        wait_until(lambda: len(served.get("/counts")["asked"]) >= before + 4, "two looks each")


def test_a_waiter_that_hangs_up_is_forgotten_though_nothing_changes(served: Served) -> None:
    served.job("still", state="running")
    stream = open_events(served, "still")
    assert stream.recv(65536)
    wait_until(lambda: served.get("/counts")["waiting"] == 1, "it waits")
    stream.close()
    wait_until(lambda: served.get("/counts")["waiting"] == 0, "it is forgotten")
    looked = len(served.get("/counts")["asked"])
    time.sleep(1.2)  # Two looks' time: the promise is that something does not happen.
    assert len(served.get("/counts")["asked"]) <= looked + 1, "nobody waits, so nobody looks"


def test_a_long_poll_answers_at_the_change_and_else_at_its_time(served: Served) -> None:
    served.job("poll", state="running", progress=0.0)
    began = time.monotonic()
    assert served.get("/api/v1/jobs/poll?wait=0.3")["progress"] == 0.0
    assert 0.3 <= time.monotonic() - began < 5
    changing = threading.Timer(0.3, lambda: served.job("poll", state="running", progress=0.5))
    changing.start()
    began = time.monotonic()
    assert served.get("/api/v1/jobs/poll?wait=20")["progress"] == 0.5
    assert time.monotonic() - began < 10
    changing.join()
    served.job("poll", state="done")
    assert served.get("/api/v1/jobs/poll?wait=20")["state"] == "done"
    assert served.get("/api/v1/jobs/poll")["state"] == "done"


def test_a_job_that_is_not_there_is_no_stream(served: Served) -> None:
    status, body = served.ask("GET", "/api/v1/jobs/none/events")
    assert (status, json.loads(body)["error"]) == (404, "no such job")
    for odd in ("?wait=nan", "?wait=x", "?wait=-1", "?wait=1e99"):
        assert served.ask("GET", f"/api/v1/jobs/none{odd}")[0] == 404


def test_one_address_cannot_take_all_places_to_wait(served: Served) -> None:
    served.job("full", state="running")
    streams = [open_events(served, "full") for _ in range(270)]
    try:
        wait_until(lambda: served.get("/counts")["waiting"] == 256, "so many and no more")
        status, body = served.ask("GET", "/api/v1/jobs/full/events")
        assert status == 503 and json.loads(body)["type"] == "/problems/busy"
    finally:
        for stream in streams:
            stream.close()
    wait_until(lambda: served.get("/counts")["waiting"] == 0, "all are let go")
