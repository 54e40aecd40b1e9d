"""Waiting on the event loop: event streams and long polls of jobs hold no thread.

Each watched job is asked for once every so often, however many wait for it, and only while somebody does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from urllib.parse import parse_qs

import orjson

from shared.errors import Busy, Refused
from shared.http.call import Answer, Call, ReadBody
from shared.identity import GUEST_COOKIE, GUEST_HEADER, PRINCIPAL_HEADER, sign, verify
from shared.settings import Secret

log = logging.getLogger(__name__)

Ask = Callable[[Call], Awaitable[Answer]]

_EVENTS = re.compile(r"^/api/v1/jobs/[^/]+/events$")
_JOB = re.compile(r"^/api/v1/jobs/[^/]+$")
_OF_PAGES = re.compile(r"^/jobs/[^/]+/events$")
"""The same stream for a page of the portal: a browser cannot send the guest's token but as its cookie."""
_GUEST_COOKIE = re.compile(rf"(?:^|;\s*){GUEST_COOKIE}=([^;]+)")
ENDED = frozenset({"done", "failed", "cancelled", "dead"})
LOOK_EVERY_S = 0.5
LOOK_AT_LEAST_EVERY_S = 2.0
LOOKS_PER_S = 100
"""Over all watched jobs: with more of them each is looked at less often, so that waiting never crowds out pages."""
LONGEST_WAIT_S = 30.0
COMMENT_EVERY_S = 15.0
BUSY_TRIES = 6
LONGEST_STREAM_S = 600.0
"""Browsers open an ended stream again, and whoever may no longer see the job is then refused."""
MOST_WAITING = 2000
MOST_WAITING_PER_ADDRESS = 256
PASSING = frozenset({429, 500, 502, 503, 504})
"""An answer that says nothing about the job; it is asked for again."""
_PRINCIPAL = PRINCIPAL_HEADER.lower()
_IDENTITY = ("authorization", "x-api-key", "x-zhigai-guest", "x-zhigai-principal", "cookie")


class _Watch:
    """One job as one caller may see it, looked at while somebody waits."""

    def __init__(self, latest: Answer) -> None:
        self.latest = latest
        self.over = False
        self.watchers = 0
        self._changed = asyncio.Event()

    def wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def next_change(self) -> asyncio.Event:
        """To be taken before `latest` is read: a change in between is then not missed."""
        return self._changed


class JobWaits:
    """`GET /api/v1/jobs/{id}/events` and `GET /api/v1/jobs/{id}?wait=20`."""

    counts_as_page = True

    def __init__(self, secret: Secret) -> None:
        self._ask: Ask | None = None
        self._secret = secret
        self._watches: dict[tuple[str, ...], _Watch] = {}
        self._looking: dict[tuple[str, ...], asyncio.Future[Answer]] = {}
        self._following: set[asyncio.Task[None]] = set()
        self._waiting: Counter[str] = Counter()
        self._ending = False

    @property
    def waiting(self) -> int:
        """How many callers wait."""
        return self._waiting.total()

    async def start(self, ask: Ask) -> None:
        self._ask = ask

    def end_streams(self) -> None:
        self._ending = True
        for watch in self._watches.values():
            watch.wake()

    def wants(self, method: str, path: str) -> bool:
        if method != "GET":
            return False
        if path.startswith("/jobs/"):
            return bool(_OF_PAGES.match(path))
        return path.startswith("/api/v1/jobs/") and bool(_EVENTS.match(path) or _JOB.match(path))

    async def answer(self, call: Call, body: ReadBody) -> Answer:
        streaming = call.path.endswith("/events")
        path = call.path.removesuffix("/events") if streaming else call.path
        if path.startswith("/jobs/"):
            path = f"/api/v1{path}"
            _take_guest_of_cookie(call)
        wait = _seconds(call)
        self._keep_identity(call)
        first = await self._first(call, path)
        if first.status != 200 or _ended(first) or (not streaming and wait <= 0):
            return _events(first) if streaming and first.status == 200 else first
        self._enter(call)
        if streaming:
            headers = {"content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no"}
            return Answer(200, headers, self._changes(call, path, first))
        return await self._wait(call, path, first, wait)

    def _enter(self, call: Call) -> None:
        """Counts one more who waits until `call.end()`. Raises `Busy`."""
        if self.waiting >= MOST_WAITING or self._waiting[call.address] >= MOST_WAITING_PER_ADDRESS:
            raise Busy(what="事件流 / event streams", retry_after_s=5)
        self._waiting[call.address] += 1
        call.at_end(lambda: self._leave(call.address))

    def _leave(self, address: str) -> None:
        self._waiting[address] -= 1
        if not self._waiting[address]:
            del self._waiting[address]

    async def _first(self, call: Call, path: str) -> Answer:
        """How the job stands now. Callers that come at once share one look, and one who is told to come back does."""
        key = _key_of(call, path)
        watch = self._watches.get(key)
        if watch is not None and watch.latest is not None:
            return watch.latest
        looking = self._looking.get(key)
        if looking is None:
            looking = self._looking[key] = asyncio.ensure_future(self._patient_look(call, path))
            looking.add_done_callback(lambda _: self._looking.pop(key, None))
        return await asyncio.shield(looking)

    async def _patient_look(self, call: Call, path: str) -> Answer:
        answer = await self._look(call, path)
        for _ in range(BUSY_TRIES):
            if answer.status != 503:
                break
            await asyncio.sleep(LOOK_EVERY_S)
            answer = await self._look(call, path)
        return answer

    def _keep_identity(self, call: Call) -> None:
        """A principal signed by the gateway is good for a minute, and a stream may be watched for longer."""
        token = call.headers.get(_PRINCIPAL)
        if token:
            call.principal = verify(token, self._secret)

    async def _look(self, call: Call, path: str) -> Answer:
        if self._ask is None:
            raise RuntimeError("not started")
        headers = dict(call.headers)
        if _PRINCIPAL in headers:
            headers[_PRINCIPAL] = sign(call.principal, self._secret)
        asked = Call(method="GET", path=path, headers=headers, address=call.address, request_id=call.request_id)
        try:
            return await self._ask(asked)
        finally:
            asked.end()

    async def _wait(self, call: Call, path: str, first: Answer, seconds: float) -> Answer:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), contextlib.aclosing(self._watch(call, path, first)) as changes:
                async for latest in changes:
                    if latest is not _QUIET:
                        return latest
        return first

    async def _changes(self, call: Call, path: str, first: Answer) -> AsyncIterator[bytes]:
        yield _event(first)
        async with contextlib.aclosing(self._watch(call, path, first)) as changes:
            async for latest in changes:
                yield b": \n\n" if latest is _QUIET else _event(latest)

    async def _watch(self, call: Call, path: str, first: Answer) -> AsyncGenerator[Answer, None]:
        """Each state of the job after `first`, to its end; `_QUIET` now and then while nothing changes."""
        key = _key_of(call, path)
        watch = self._watches.get(key)
        if watch is None:
            watch = self._watches[key] = _Watch(first)
            following = asyncio.create_task(self._follow(key, watch, call, path))
            self._following.add(following)
            following.add_done_callback(self._following.discard)
        watch.watchers += 1
        seen = first.body
        clock = asyncio.get_running_loop().time
        end = clock() + LONGEST_STREAM_S
        try:
            while not self._ending and clock() < end:
                changed = watch.next_change()
                if watch.latest.body != seen:
                    seen = watch.latest.body
                    yield watch.latest
                elif watch.over:
                    return
                else:
                    try:
                        async with asyncio.timeout(COMMENT_EVERY_S):
                            await changed.wait()
                    except TimeoutError:
                        yield _QUIET
        finally:
            watch.watchers -= 1

    async def _follow(self, key: tuple[str, ...], watch: _Watch, call: Call, path: str) -> None:
        pause = LOOK_EVERY_S
        try:
            while True:
                await asyncio.sleep(max(pause, len(self._watches) / LOOKS_PER_S))
                if not watch.watchers or self._ending:
                    return
                latest = await self._look(call, path)
                if latest.status in PASSING or latest.body == watch.latest.body:
                    pause = min(pause * 1.3, LOOK_AT_LEAST_EVERY_S)
                    continue
                pause = LOOK_EVERY_S
                watch.latest = latest
                if _ended(latest):
                    return
                watch.wake()
        except Refused as refused:
            log.info("a watched job is let go: %s", refused)
        finally:
            self._watches.pop(key, None)
            watch.over = True
            watch.wake()


_QUIET = Answer(0, {}, b"")


def _take_guest_of_cookie(call: Call) -> None:
    """Reading only: a page of another site can neither read the stream nor, the cookie being SameSite, open it."""
    found = _GUEST_COOKIE.search(call.headers.get("cookie", ""))
    if found is not None:
        call.headers = {**call.headers, GUEST_HEADER.lower(): found[1]}


def _key_of(call: Call, path: str) -> tuple[str, ...]:
    """A job as one caller may see it."""
    return (path, *(call.headers.get(name, "") for name in _IDENTITY))


def _seconds(call: Call) -> float:
    try:
        return min(float(parse_qs(call.query).get("wait", ["0"])[0]), LONGEST_WAIT_S)
    except ValueError:
        return 0.0


def _ended(answer: Answer) -> bool:
    if answer.status != 200 or not isinstance(answer.body, bytes):
        return True
    return orjson.loads(answer.body).get("state") in ENDED


def _event(answer: Answer) -> bytes:
    body = answer.body if isinstance(answer.body, bytes) else b""
    name = b"job" if answer.status == 200 else b"error"
    return b"event: " + name + b"\ndata: " + body.replace(b"\n", b" ").strip() + b"\n\n"


def _events(answer: Answer) -> Answer:
    return Answer(200, {"content-type": "text/event-stream", "cache-control": "no-store"}, _event(answer))
