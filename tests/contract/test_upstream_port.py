"""What `shared.http.upstream` promises, of a mounted service and of one behind a socket."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request as WerkzeugRequest

from shared.errors import BodyCut, DependencyDown, UpstreamTimeout
from shared.http.upstream import MountedUpstream, Request, Upstream, open_upstream
from shared.http.upstream.port import outside_headers


class Service:
    """A service whose app tells what it saw."""

    def __init__(self) -> None:
        self.closed = threading.Event()
        self.goon = threading.Event()
        self.read_whole: list[bytes] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        name = environ["PATH_INFO"].strip("/").split("/")[0] or "echo"
        found: Any = getattr(self, f"_{name}")(environ, start_response)
        return found

    def _echo(self, environ: dict[str, Any], start_response: Any) -> Any:
        body = WerkzeugRequest(environ).get_data()
        self.read_whole.append(body)
        start_response(
            "201 CREATED",
            [
                ("Content-Type", "application/octet-stream"),
                (
                    "X-Saw-Path",
                    environ["PATH_INFO"].encode("latin-1").decode("utf-8").encode("unicode-escape").decode(),
                ),
                ("X-Saw-Query", environ["QUERY_STRING"]),
                ("X-Saw-Method", environ["REQUEST_METHOD"]),
                ("X-Saw-Headers", " ".join(sorted(name for name in environ if name.startswith("HTTP_")))),
                ("X-Saw-Address", environ.get("HTTP_X_FORWARDED_FOR", environ["REMOTE_ADDR"])),
                ("X-Saw-Type", environ.get("CONTENT_TYPE", "")),
                ("Link", "</a>"),
                ("Link", "</b>"),
            ],
        )
        return [body]

    def _parts(self, _environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        service = self

        class Parts:
            def __init__(self) -> None:
                self._left = [b"first", b"second"]

            def __iter__(self) -> Iterator[bytes]:
                return self

            def __next__(self) -> bytes:
                if len(self._left) == 1:
                    assert service.goon.wait(10)
                if not self._left:
                    raise StopIteration
                return self._left.pop(0)

            def close(self) -> None:
                service.closed.set()

        return Parts()

    def _endless(self, _environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        try:
            while True:
                yield b"x" * 65536
        finally:
            self.closed.set()

    def _cut(self, _environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", "100")])
        return [b"12345"]

    def _breaks(self, _environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", "100")])
        yield b"12345"
        raise ZeroDivisionError

    def _redirects(self, _environ: Any, start_response: Any) -> Any:
        start_response("302 FOUND", [("Location", "/elsewhere"), ("Content-Length", "0")])
        return []

    def _hops(self, _environ: Any, start_response: Any) -> Any:
        # Only what the server between does not speak for itself.
        start_response("200 OK", [("Keep-Alive", "timeout=5"), ("Proxy-Authenticate", "Basic"), ("X-Kept", "yes")])
        return [b"ok"]

    def _gzip(self, _environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Encoding", "gzip")])
        return [b"\x1f\x8bnot really"]


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        return


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture(params=["mounted", "http"])
def upstream(request: pytest.FixtureRequest, service: Service) -> Iterator[Upstream]:
    if request.param == "mounted":
        yield MountedUpstream(service, "sample")
        return
    server = make_server("127.0.0.1", 0, service, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with closing(open_upstream("sample", f"http://127.0.0.1:{server.port}")) as made:
        yield made
    service.goon.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_method_path_query_headers_and_body_arrive_as_sent(upstream: Upstream) -> None:
    answer = upstream.call(
        Request(
            method="PUT",
            path="/echo/%E5%AE%9A%E5%9E%8B",
            query="q=%E6%9C%BA&b=1",
            headers={"Content-Type": "application/json", "X-Own": "1", "Accept-Language": "en"},
            body=b"\x00\xffbody",
            address="203.0.113.9",
        )
    )
    assert answer.status == 201
    assert answer.headers["X-Saw-Method"] == "PUT"
    assert answer.headers["X-Saw-Path"] == "/echo/\\u5b9a\\u578b"
    assert answer.headers["X-Saw-Query"] == "q=%E6%9C%BA&b=1"
    assert answer.headers["X-Saw-Type"] == "application/json"
    assert answer.headers["X-Saw-Address"] == "203.0.113.9"
    assert {"HTTP_X_OWN", "HTTP_ACCEPT_LANGUAGE"} <= set(answer.headers["X-Saw-Headers"].split())
    assert answer.headers["Link"] == "</a>, </b>"
    assert answer.read() == b"\x00\xffbody"


def test_hop_by_hop_headers_pass_in_neither_direction(upstream: Upstream) -> None:
    sent = {"Connection": "X-Secret, close", "X-Secret": "1", "TE": "trailers", "Upgrade": "h2c", "X-Kept": "1"}
    seen = upstream.call(Request(method="GET", path="/echo", headers=sent))
    names = seen.headers["X-Saw-Headers"].split()
    seen.close()
    assert "HTTP_X_KEPT" in names
    assert not {"HTTP_X_SECRET", "HTTP_TE", "HTTP_UPGRADE"} & set(names)
    answer = upstream.call(Request(method="GET", path="/hops"))
    assert answer.read() == b"ok"
    assert answer.headers["X-Kept"] == "yes"
    assert not {"keep-alive", "proxy-authenticate", "connection"} & {name.lower() for name in answer.headers}


def test_an_answer_streams_part_by_part(upstream: Upstream, service: Service) -> None:
    answer = upstream.call(Request(method="GET", path="/parts"))
    assert next(answer.body) == b"first"
    assert not service.closed.is_set()
    service.goon.set()
    assert b"".join(answer.body) == b"second"
    assert service.closed.wait(5)


def test_a_stream_as_body_arrives_whole_with_and_without_a_length(upstream: Upstream, service: Service) -> None:
    body = bytes(range(256)) * 2000
    for length in (len(body), None):
        answer = upstream.call(Request(method="POST", path="/echo", body=io.BytesIO(body), body_length=length))
        assert answer.read() == body
    assert service.read_whole == [body, body]


def test_a_request_body_cut_short_is_never_taken_for_a_whole_one(upstream: Upstream, service: Service) -> None:
    with pytest.raises(BodyCut) as caught:
        upstream.call(Request(method="POST", path="/echo", body=io.BytesIO(b"x" * 500), body_length=1000))
    assert (caught.value.expected_bytes, caught.value.received_bytes) == (1000, 500)
    assert b"x" * 500 not in service.read_whole
    assert upstream.call(Request(method="POST", path="/echo", body=b"after")).read() == b"after"


@pytest.mark.parametrize("path", ["/cut", "/breaks"])
def test_an_answer_that_breaks_off_never_ends_as_if_it_were_whole(upstream: Upstream, path: str) -> None:
    # Who sees the head before the break reads the part that came; a mounted app may break before that.
    with pytest.raises(DependencyDown) as caught:
        upstream.call(Request(method="GET", path=path)).read()
    assert caught.value.dependency == "sample"


def test_closing_early_tells_the_service_to_stop(upstream: Upstream, service: Service) -> None:
    answer = upstream.call(Request(method="GET", path="/endless"))
    assert next(answer.body)
    answer.close()
    assert service.closed.wait(10)
    assert upstream.call(Request(method="GET", path="/echo")).read() == b""


def test_closing_an_answer_that_nobody_read_tells_the_service_to_stop(upstream: Upstream, service: Service) -> None:
    service.goon.set()
    upstream.call(Request(method="GET", path="/endless")).close()
    assert service.closed.wait(10)


def test_redirects_and_encodings_are_passed_on_untouched(upstream: Upstream) -> None:
    answer = upstream.call(Request(method="GET", path="/redirects"))
    answer.close()
    assert (answer.status, answer.headers["Location"]) == (302, "/elsewhere")
    assert upstream.call(Request(method="GET", path="/gzip")).read() == b"\x1f\x8bnot really"


def test_many_calls_at_once_do_not_mix(upstream: Upstream) -> None:
    wrong: list[int] = []

    def send(number: int) -> None:
        body = str(number).encode() * 1000
        if upstream.call(Request(method="POST", path="/echo", body=body)).read() != body:
            wrong.append(number)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# What only a service behind a socket can do to us.


@pytest.fixture
def raw_server() -> Iterator[Callable[[Callable[[socket.socket, int], None]], str]]:
    """A server that answers connections by hand; it counts them."""
    listeners: list[socket.socket] = []

    def start(answer: Callable[[socket.socket, int], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve() -> None:
            number = 0
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                number += 1
                threading.Thread(target=answer, args=(connection, number), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def test_a_service_that_does_not_answer_in_time_is_a_timeout(raw_server: Callable[..., str]) -> None:
    url = raw_server(lambda connection, _: time.sleep(30))
    with closing(open_upstream("slow", url)) as upstream, pytest.raises(UpstreamTimeout) as caught:
        upstream.call(Request(method="GET", path="/", timeout_s=0.2))
    assert (caught.value.upstream, caught.value.seconds) == ("slow", 0.2)


def test_an_answer_that_stands_still_is_given_up(raw_server: Callable[..., str]) -> None:
    def half(connection: socket.socket, _: int) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        time.sleep(30)

    with closing(open_upstream("half", raw_server(half))) as upstream:
        answer = upstream.call(Request(method="GET", path="/", timeout_s=0.2))
        assert next(answer.body) == b"12345"
        with pytest.raises(DependencyDown):
            next(answer.body)


def test_a_bad_chunk_is_a_break_and_not_an_end(raw_server: Callable[..., str]) -> None:
    def garbage(connection: socket.socket, _: int) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n")
        connection.close()

    with closing(open_upstream("garbage", raw_server(garbage))) as upstream, pytest.raises(DependencyDown):
        upstream.call(Request(method="GET", path="/")).read()


def test_nobody_there_is_a_dependency_that_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with closing(open_upstream("away", url)) as upstream, pytest.raises(DependencyDown) as caught:
        upstream.call(Request(method="GET", path="/"))
    assert caught.value.dependency == "away"


@pytest.mark.parametrize(("method", "sent"), [("GET", 2), ("POST", 1)])
def test_only_reading_is_sent_again_over_a_connection_that_was_closed(
    raw_server: Callable[..., str], method: str, sent: int
) -> None:
    arrived: list[int] = []

    def closes_the_first(connection: socket.socket, number: int) -> None:
        connection.recv(65536)
        arrived.append(number)
        if number > 1:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        connection.close()

    with closing(open_upstream("closing", raw_server(closes_the_first))) as upstream:
        if method == "GET":
            assert upstream.call(Request(method=method, path="/")).read() == b"ok"
        else:
            with pytest.raises(DependencyDown):
                upstream.call(Request(method=method, path="/", body=b"x"))
    assert len(arrived) == sent


def test_what_a_client_says_about_identity_and_origin_is_not_passed_on() -> None:
    said = {
        "X-Zhigai-Principal": "forged", "x-zhigai-guest": "g", "X_Zhigai_Principal": "f", "X-Zhigai_Principal": "f",
        "X-Authenticated-User": "root", "X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1",
        "X-Real-IP": "127.0.0.1", "X-Original-URI": "/admin", "Connection": "X-Tenant", "X-Tenant": "other",
        "Host": "elsewhere", "Content-Length": "3", "Transfer-Encoding": "chunked", "Accept": "*/*",
    }  # fmt: skip
    assert outside_headers(said) == {"Accept": "*/*"}
