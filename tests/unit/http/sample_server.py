"""A small app behind the real server, for tests of the server: `python -m tests.unit.http.sample_server '{…}'`."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from shared.http import rsgi, serve
from shared.http.call import Answer, Call, ReadBody
from shared.http.waiting import JobWaits
from shared.settings import Secret, Settings

SEEN = ("HTTP_HOST", "HTTP_TRANSFER_ENCODING", "HTTP_X_ZHIGAI_PRINCIPAL", "CONTENT_LENGTH", "REMOTE_ADDR")


class Sample:
    """Says what it saw. Counts what was asked, so that a test knows what never reached it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.asked: list[str] = []
        self.closed = 0
        self.asleep = self.most_asleep = 0

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
        if path == "/sleep":
            self.asked.append(path)
            self.asleep += 1
            self.most_asleep = max(self.most_asleep, self.asleep)
            time.sleep(float(query))
            self.asleep -= 1
        if path == "/stream":
            start("200 OK", [("Content-Type", "text/plain")])
            return _Stream(self)
        if path == "/fails":
            raise RuntimeError("a secret of the app")
        if path.startswith("/api/v1/jobs/"):
            guest = environ.get("HTTP_X_ZHIGAI_GUEST")
            self.asked.append(f"{path} as {guest}" if guest else path)
            return self._job(path.rsplit("/", 1)[1], start)
        if path == "/counts":
            found: dict[str, Any] = {"asked": self.asked, "closed": self.closed, "threads": threading.active_count()}
            found["most_asleep"] = self.most_asleep
            found["waiting"] = WAITS.waiting if WAITS is not None else 0
            return _json(start, found)
        self.asked.append(f"{environ['REQUEST_METHOD']} {path}")
        if path.startswith("/shared"):
            cookie = [("Set-Cookie", "a=1")] if path.endswith("cookie") else []
            own = [("X-Zhigai-Shared-For", "60"), ("X-Request-Id", environ.get("HTTP_X_REQUEST_ID", "")), *cookie]
            return _json(start, {"time": len(self.asked)}, more=own)
        body = environ["wsgi.input"].read()
        said = {name: environ.get(name) for name in SEEN}
        return _json(
            start, {"path": path, "query": query, "length": len(body), "last": body[-20:].decode("latin-1"), **said}
        )

    def _job(self, name: str, start: Callable[..., Any]) -> Iterable[bytes]:
        state = self._home / name
        if not state.exists():
            return _json(start, {"error": "no such job"}, "404 Not Found")
        return _json(start, {"id": name, **json.loads(state.read_text())})


class _Stream:
    """64 MB, part by part, until it is closed."""

    def __init__(self, sample: Sample) -> None:
        self._sample = sample

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(1024):
            yield b"x" * 65536

    def close(self) -> None:
        self._sample.closed += 1


class Hot:
    """A route on the event loop: answers the body it was sent."""

    def wants(self, method: str, path: str) -> bool:
        return path.startswith("/hot")

    async def answer(self, call: Call, body: ReadBody) -> Answer:
        return Answer(200, {"content-type": "text/plain"}, await body() or b"-")


def _json(
    start: Callable[..., Any], value: Any, status: str = "200 OK", more: Sequence[tuple[str, str]] = ()
) -> list[bytes]:
    body = json.dumps(value).encode()
    start(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *more])
    return [body]


WAITS: JobWaits | None = None


def main() -> None:
    global WAITS
    given = json.loads(sys.argv[1])
    home = Path(given.pop("home"))
    rsgi.BODY_SECONDS = given.pop("body_seconds", rsgi.BODY_SECONDS)
    serve.DRAIN_S = given.pop("drain_s", serve.DRAIN_S)
    settings = Settings(home=home, secret=Secret("s" * 40), **given)
    WAITS = JobWaits(settings.secret)
    serve.run(settings, Sample(home), [Hot(), WAITS], on_ready=lambda: print("ready", flush=True))


if __name__ == "__main__":
    main()
