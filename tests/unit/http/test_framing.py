"""What reaches an app is what one reader and only one could have understood; everything else is refused as a problem."""

from __future__ import annotations

import json

import pytest

from tests.unit.http.conftest import Served, Start

HOST = b"Host: a\r\nConnection: close\r\n"


def line(path: bytes, more: bytes = HOST, method: bytes = b"GET", version: bytes = b"HTTP/1.1") -> bytes:
    return method + b" " + path + b" " + version + b"\r\n" + more + b"\r\n"


def post(path: bytes, more: bytes, body: bytes) -> bytes:
    return line(path, HOST + more, b"POST") + body


CHUNKED = b"Transfer-Encoding: chunked\r\n"
REFUSED = {
    "encoded backslash": (line(b"/a%5cb"), 400),
    "encoded NUL": (line(b"/a%00b"), 400),
    "encoded dot segment": (line(b"/a/%2e%2e/b"), 400),
    "half-encoded dot segment": (line(b"/a/.%2E/b"), 400),
    "dot segment": (line(b"/a/../b"), 400),
    "dot segment after an encoded slash": (line(b"/a%2f../b"), 400),
    "single dot": (line(b"/a/./b"), 400),
    "semicolon": (line(b"/a;b"), 400),
    "encoded semicolon": (line(b"/a%3bb"), 400),
    "double slash": (line(b"/a//b"), 400),
    "double slash in front": (line(b"//evil/b"), 400),
    "slash beside an encoded slash": (line(b"/a/%2fb"), 400),
    "not UTF-8": (line(b"/a%ff"), 400),
    "encoded twice": (line(b"/a%252fb"), 400),
    "asterisk": (line(b"*", method=b"OPTIONS"), 400),
    "absolute, foreign host": (line(b"http://evil/x"), 400),
    "two hosts": (line(b"/x", b"Host: a\r\nHost: b\r\nConnection: close\r\n"), 400),
    "the same host twice": (line(b"/x", b"Host: a\r\nHost: a\r\nConnection: close\r\n"), 400),
    "no host": (line(b"/x", b"Connection: close\r\n"), 400),
    "two keys": (line(b"/x", HOST + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"), 400),
    "two lengths": (post(b"/x", b"Content-Length: 5\r\nContent-Length: 6\r\n", b"hello"), 400),
    "length with a sign": (post(b"/x", b"Content-Length: +5\r\n", b"hello"), 400),
    "negative length": (post(b"/x", b"Content-Length: -1\r\n", b"hello"), 400),
    "another coding before chunked": (post(b"/x", b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"), 400),
    "chunked twice": (post(b"/x", CHUNKED + CHUNKED, b"0\r\n\r\n"), 400),
    "identity": (post(b"/x", b"Transfer-Encoding: identity\r\n", b"hello"), 400),
    "folded header": (line(b"/x", HOST + b"X-A: b\r\n c\r\n"), 400),
    "space before the colon": (line(b"/x", HOST + b"X-A : b\r\n"), 400),
    "NUL in a header": (line(b"/x", HOST + b"X-A: b\x00c\r\n"), 400),
    "40 kB of headers": (line(b"/x", HOST + b"X-A: " + b"b" * 40_000 + b"\r\n"), 431),
    "200 kB of headers": (line(b"/x", HOST + b"X-A: " + b"b" * 200_000 + b"\r\n"), 431),
    "300 headers": (line(b"/x", HOST + b"".join(b"X-%d: b\r\n" % n for n in range(300))), 431),
    "40 kB of address": (line(b"/" + b"b" * 40_000), 431),
    "40 kB of query": (line(b"/x?" + b"b" * 40_000), 431),
    "broken chunk": (post(b"/x", CHUNKED, b"5\r\nhello\r\nZZ\r\n"), 400),
    "broken chunk, hot": (post(b"/hot", CHUNKED, b"5\r\nhello\r\nZZ\r\n"), 400),
    "trailers after the last chunk": (post(b"/x", CHUNKED, b"5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"), 400),
    "page over the limit": (post(b"/x", b"Content-Length: 99999999\r\n", b""), 413),
    "hot over the limit": (post(b"/hot", b"Content-Length: 99999999\r\n", b""), 413),
}
CUT = {
    "page": post(b"/x", b"Content-Length: 100\r\n", b"hello"),
    "hot": post(b"/hot", b"Content-Length: 100\r\n", b"hello"),
    "large hot": post(b"/hot", b"Content-Length: 100000\r\n", b"hello"),
    "chunk of a page": post(b"/x", CHUNKED, b"5\r\nhel"),
    "chunk of a hot call": post(b"/hot", CHUNKED, b"5\r\nhel"),
    "no last chunk of a page": post(b"/x", CHUNKED, b"5\r\nhello\r\n"),
    "no last chunk of a hot call": post(b"/hot", CHUNKED, b"5\r\nhello\r\n"),
}


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("name", REFUSED)
def test_what_could_be_read_in_two_ways_is_refused_and_reaches_no_app(served: Served, name: str) -> None:
    before = served.get("/counts")["asked"]
    sent, status = REFUSED[name]
    answer = served.raw(sent)
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    # The server itself refuses some without a body; what we refuse is a problem that says why.
    if body_of(answer):
        problem = json.loads(body_of(answer))
        assert problem["status"] == status and problem["error"] and problem["request_id"]
    assert served.get("/counts")["asked"] == before


@pytest.mark.parametrize("name", CUT)
def test_a_body_that_was_cut_short_is_refused_and_reaches_no_app(served: Served, name: str) -> None:
    before = served.get("/counts")["asked"]
    answer = served.raw(CUT[name], half=True)
    assert answer.startswith(b"HTTP/1.1 400 "), answer[:200]
    assert json.loads(body_of(answer))["type"] == "/problems/body-cut"
    assert served.get("/counts")["asked"] == before


def test_both_length_headers_are_one_request_and_the_connection_ends(served: Served) -> None:
    # hyper takes the length away before we see it, reads the chunks and closes: what follows is never a second request.
    hidden = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    sent = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n" + CHUNKED + b"\r\n0\r\n\r\n" + hidden
    answer = served.raw(sent)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert "GET /smuggled" not in served.get("/counts")["asked"]


def test_an_encoded_slash_is_the_same_path_to_policy_and_app(served: Served) -> None:
    # The server decodes before we see it, once, and everything behind reads the decoded path.
    found = json.loads(body_of(served.raw(line(b"/a%2fb"))))
    assert found["path"] == "/a/b"
    assert body_of(served.raw(line(b"/hot%2fx"))) == b"-"


def test_chunks_arrive_whole_with_their_length(served: Served) -> None:
    found = json.loads(body_of(served.raw(post(b"/x", CHUNKED, b"5\r\nhello\r\n3\r\n..!\r\n0\r\n\r\n"))))
    assert (found["length"], found["last"]) == (8, "hello..!")
    assert (found["CONTENT_LENGTH"], found["HTTP_TRANSFER_ENCODING"]) == ("8", None)
    assert body_of(served.raw(post(b"/hot", CHUNKED, b"5\r\nhello\r\n0\r\n\r\n"))) == b"hello"
    found = json.loads(body_of(served.raw(post(b"/x", CHUNKED, b"0\r\n\r\n"))))
    assert (found["length"], found["CONTENT_LENGTH"]) == (0, "0")


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 300_000, 2_000_000])
def test_bodies_of_any_size_arrive_whole(served: Served, size: int) -> None:
    sent = bytes(97 + n % 26 for n in range(26)) * (size // 26 + 1)
    sent = sent[:size]
    status, page = served.ask("POST", "/x", sent)
    assert status == 200 and json.loads(page)["length"] == size
    assert json.loads(page)["last"] == sent[-20:].decode()
    status, hot = served.ask("POST", "/hot", sent)
    assert status == 200 and hot == (sent or b"-")


def test_head_gives_the_headers_alone(served: Served) -> None:
    head = served.raw(line(b"/x", method=b"HEAD"))
    assert b"content-length: " in head and b"content-length: 0" not in head
    assert body_of(head) == b""


def test_expect_continue_and_old_versions_and_pipelines_work(served: Served) -> None:
    answer = served.raw(post(b"/x", b"Content-Length: 5\r\nExpect: 100-continue\r\n", b"hello"))
    assert b"100 Continue" in answer and b'"length": 5' in answer
    assert served.raw(b"GET /x HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 200")
    two = b"GET /one HTTP/1.1\r\nHost: a\r\n\r\n" + line(b"/two")
    answer = served.raw(two)
    assert answer.index(b'"/one"') < answer.index(b'"/two"')


def test_a_header_spelled_with_underscores_is_not_its_twin(served: Served) -> None:
    found = json.loads(body_of(served.raw(line(b"/x", HOST + b"X_Zhigai_Principal: forged\r\n"))))
    assert found["HTTP_X_ZHIGAI_PRINCIPAL"] is None


def test_a_client_cannot_name_its_own_address(served: Served) -> None:
    found = json.loads(body_of(served.raw(line(b"/x", HOST + b"X-Forwarded-For: 8.8.8.8\r\n"))))
    assert found["REMOTE_ADDR"] == "127.0.0.1"


def test_the_proxy_in_front_names_the_clients_address(start: Start) -> None:
    behind = start(trusted_proxies=["127.0.0.0/8"])
    found = json.loads(body_of(behind.raw(line(b"/x", HOST + b"X-Forwarded-For: 6.6.6.6, 8.8.8.8\r\n"))))
    assert found["REMOTE_ADDR"] == "8.8.8.8", "the last one is what the proxy itself saw"


def test_a_failing_app_answers_with_a_number_and_none_of_its_words(served: Served) -> None:
    status, body = served.ask("GET", "/fails")
    assert status == 500
    problem = json.loads(body)
    assert problem["type"] == "/problems/internal" and "secret" not in body.decode()


def test_a_slow_body_is_given_up_in_time(start: Start) -> None:
    hasty = start(body_seconds=0.3)
    for path in (b"/x", b"/hot"):
        with hasty.connect() as connection:
            connection.sendall(line(path, b"Host: a\r\nContent-Length: 5\r\n", b"POST") + b"he")
            answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 408 "), answer[:200]
    assert "POST /x" not in hasty.get("/counts")["asked"]
