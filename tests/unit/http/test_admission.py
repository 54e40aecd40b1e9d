"""Pages have limits of their own, so that inference keeps its share of the interpreter."""

from __future__ import annotations

import http.client
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.errors import Busy
from shared.http.admission import Admission, BytesHeld
from shared.http.call import Call
from shared.settings import Secret, Settings
from tests.contract.waiting import wait_until
from tests.unit.http.conftest import Start


def settings(**changes: int) -> Settings:
    return Settings(home=Path("unused"), secret=Secret("s" * 40), **changes)  # type: ignore[arg-type]


def call(address: str = "1.2.3.4", path: str = "/x") -> Call:
    return Call(method="GET", path=path, headers={}, address=address)


def test_only_so_many_pages_are_in_work_at_once() -> None:
    admission = Admission(settings(page_limit_total=2))
    first, second, third = call(), call(), call()
    admission.enter(first)
    admission.enter(second)
    with pytest.raises(Busy):
        admission.enter(third)
    third.end()
    first.end()
    first.end()
    admission.enter(third)
    with pytest.raises(Busy):
        admission.enter(call())


def test_an_address_has_a_rate_and_all_together_have_one() -> None:
    admission = Admission(settings(pages_per_second=5, pages_per_second_per_address=3))
    for _ in range(3):
        admission.count(call("a"))
    with pytest.raises(Busy):
        admission.count(call("a"))
    for _ in range(2):
        admission.count(call("b"))
    with pytest.raises(Busy):
        admission.count(call("c"))
    admission.count(call("c", "/healthz"))


def test_behind_a_gateway_addresses_are_not_counted() -> None:
    admission = Admission(settings(pages_per_second=100, pages_per_second_per_address=1), by_address=False)
    for _ in range(50):
        admission.count(call("gateway"))


def test_bytes_of_arriving_bodies_are_bounded_together_and_let_go() -> None:
    held = BytesHeld(100)
    one, two = call(), call()
    hold_one, hold_two = held.account(one), held.account(two)
    hold_one(60)
    hold_two(40)
    with pytest.raises(Busy):
        hold_two(1)
    one.end()
    hold_two(60)
    two.end()
    assert held.now == 0


def test_half_sent_bodies_hold_no_place_among_the_pages(start: Start) -> None:
    served = start(page_limit_total=4)
    half = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{"
    held: list[socket.socket] = []
    try:
        for _ in range(100):
            held.append(served.connect())
            held[-1].sendall(half)
        assert served.ask("POST", "/x", b"hello")[0] == 200
        assert served.get("/x")["path"] == "/x"
    finally:
        for connection in held:
            connection.close()


def test_pages_take_turns_however_many_wait_and_one_that_waits_itself_holds_up_nobody(start: Start) -> None:
    served = start(pages_at_once=1)

    def asleep(seconds: float) -> int:
        return served.ask("GET", f"/sleep?{seconds}")[0]

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(asleep, [0.05] * 12)) == [200] * 12
        # One that a busy machine pauses may be passed.
        assert served.get("/counts")["most_asleep"] <= 3
        held = pool.submit(asleep, 3)
        wait_until(lambda: served.get("/counts")["asked"].count("/sleep") == 13, "it has the turn")
        assert served.get("/x")["path"] == "/x"
        assert not held.done()


def test_a_flood_of_pages_is_told_when_to_come_back_and_hot_calls_go_on(start: Start) -> None:
    served = start(page_threads=2, page_limit_total=3)

    def asleep() -> int:
        return served.ask("GET", "/sleep?1.5")[0]

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(asleep) for _ in range(8)]
        wait_until(lambda: sum(each.done() for each in asked) == 5, "five of eight are refused at once")
        assert {each.result() for each in asked if each.done()} == {503}
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=5)
        connection.request("GET", "/x")
        answer = connection.getresponse()
        assert answer.status == 503 and answer.headers["Retry-After"] == "1"
        assert json.loads(answer.read())["type"] == "/problems/busy"
        assert served.ask("POST", "/hot", b"hello") == (200, b"hello")
        assert sorted(each.result() for each in asked) == [200] * 3 + [503] * 5
    assert served.get("/x")["path"] == "/x"
