"""A page that reads the same for everybody is rendered once for many; nobody gets another's page or misses a change."""

from __future__ import annotations

import http.client
import time

import pytest

from shared.http.call import Call
from shared.http.page_cache import LARGEST_PAGE, PageCache, seconds_shared
from tests.unit.http.conftest import Served, Start


def asked(served: Served, path: str) -> int:
    return int(served.get("/counts")["asked"].count(f"GET {path}"))


def test_a_marked_page_is_rendered_once_and_the_mark_is_not_sent(served: Served) -> None:
    answers = []
    for number in range(3):
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
        connection.request("GET", "/shared/once", headers={"X-Request-Id": f"number-{number}-of-three"})
        answer = connection.getresponse()
        answers.append((answer.read(), answer.headers))
        connection.close()
    assert len({body for body, _ in answers}) == 1
    assert asked(served, "/shared/once") == 1
    assert [headers["X-Request-Id"] for _, headers in answers] == [f"number-{number}-of-three" for number in range(3)]
    assert all(headers["X-Zhigai-Shared-For"] is None for _, headers in answers)


@pytest.mark.parametrize(
    "header",
    [("Cookie", "zhigai_guest=x"), ("Authorization", "Bearer x"), ("X-API-Key", "k"), ("X-Partial", "1")],
    ids=lambda pair: pair[0],
)
def test_whoever_shows_an_identity_gets_a_page_of_their_own(served: Served, header: tuple[str, str]) -> None:
    path = f"/shared/{header[0]}"
    served.ask("GET", path)
    served.ask("GET", path, **dict([header]))
    served.ask("GET", path, **dict([header]))
    assert asked(served, path) == 3


def test_a_cookie_that_says_nothing_of_its_reader_shares_the_page(served: Served) -> None:
    for value in ("counter=1", "counter=2; seen=3"):
        served.ask("GET", "/shared/counted", Cookie=value)
    assert asked(served, "/shared/counted") == 1


def test_languages_queries_and_cookies_do_not_mix(served: Served) -> None:
    for query in ("", "?lang=en", "?lang=en"):
        served.ask("GET", f"/shared/q{query}")
    served.ask("GET", "/shared/q", **{"Accept-Language": "en"})
    assert asked(served, "/shared/q") == 3
    served.ask("GET", "/shared/cookie")
    served.ask("GET", "/shared/cookie")
    assert asked(served, "/shared/cookie") == 2


def test_a_write_empties_it(served: Served) -> None:
    served.ask("GET", "/shared/changes")
    served.ask("POST", "/anything", "x")
    served.ask("GET", "/shared/changes")
    assert asked(served, "/shared/changes") == 2


def test_a_flood_of_one_kept_page_still_meets_its_limit_and_waits_for_the_refusal(start: Start) -> None:
    served = start(pages_per_second_per_address=5)
    answers = [served.ask("GET", "/shared/flood") for _ in range(8)]
    refused = [body for status, body in answers if status == 503]
    assert refused
    assert all(status in (200, 503) for status, _ in answers)


def call(**headers: str) -> Call:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Call(method="GET", path="/x", headers=named, address="1.2.3.4")


def test_it_holds_so_many_bytes_and_drops_the_oldest() -> None:
    pages = PageCache(most_bytes=100)
    for name in "abc":
        pages.keep(name, [], b"x" * 40, 60, pages.generation)
    assert pages.find("a") is None
    assert pages.find("b") and pages.find("c")
    pages.keep("large", [], b"x" * (LARGEST_PAGE + 1), 60, pages.generation)
    assert pages.find("large") is None


def test_a_page_lasts_as_long_as_its_app_said(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = PageCache()
    pages.keep("a", [], b"x", 2, pages.generation)
    assert pages.find("a")
    later = time.monotonic() + 2.5
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert pages.find("a") is None


def test_what_was_rendered_before_a_write_is_not_kept_after_it() -> None:
    pages = PageCache()
    before = pages.generation
    pages.empty()
    pages.keep("a", [], b"old", 60, before)
    assert pages.find("a") is None


def test_proxies_add_headers_that_change_nothing() -> None:
    assert PageCache.key_of(call(x_forwarded_for="1.1.1.1", host="a")) == PageCache.key_of(call(host="a"))
    assert PageCache.key_of(call(x_something="1")) == ""
    assert PageCache.key_of(call(cookie="a=1; zhigai_guest=b")) == ""


def test_an_answer_that_sets_a_cookie_is_nobody_elses() -> None:
    assert seconds_shared([("x-zhigai-shared-for", "2"), ("set-cookie", "a")]) == ([("set-cookie", "a")], 0.0)
    assert seconds_shared([("x-zhigai-shared-for", "2"), ("a", "b")]) == ([("a", "b")], 2.0)
