"""Waiting on the event loop: event streams and long polls of jobs hold no thread.

Each watched job is asked for once every so often, however many wait for it, and only while somebody does.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import parse_qs

import orjson

from shared.http.call import Answer, Call, ReadBody
from shared.identity import PRINCIPAL_HEADER, sign, verify
from shared.settings import Secret

Ask = Callable[[Call], Awaitable[Answer]]

_EVENTS = re.compile(r"^/api/v1/jobs/[^/]+/events$")
_JOB = re.compile(r"^/api/v1/jobs/[^/]+$")
ENDED = frozenset({"done", "failed", "cancelled", "dead"})
LOOK_EVERY_S = 0.5
LONGEST_WAIT_S = 30.0
COMMENT_EVERY_S = 15.0
_PRINCIPAL = PRINCIPAL_HEADER.lower()
_IDENTITY = ("authorization", "x-api-key", "x-zhigai-guest", "x-zhigai-principal", "cookie")


class _Watch:
    """One job as one caller may see it, looked at while somebody waits."""

    def __init__(self) -> None:
        self.latest: Answer | None = None
        self.changed = asyncio.Condition()
        self.watchers = 0
        self.task: asyncio.Task[None] | None = None


class JobWaits:
    """`GET /api/v1/jobs/{id}/events` and `GET /api/v1/jobs/{id}?wait=20`."""

    def __init__(self, secret: Secret) -> None:
        self._ask: Ask | None = None
        self._secret = secret
        self._watches: dict[tuple[str, ...], _Watch] = {}
        self._ending = asyncio.Event()

    async def start(self, ask: Ask) -> None:
        self._ask = ask

    def end_streams(self) -> None:
        self._ending.set()

    def wants(self, method: str, path: str) -> bool:
        return method == "GET" and path.startswith("/api/v1/jobs/") and bool(_EVENTS.match(path) or _JOB.match(path))

    async def answer(self, call: Call, body: ReadBody) -> Answer:
        streaming = call.path.endswith("/events")
        path = call.path.removesuffix("/events") if streaming else call.path
        wait = _seconds(call)
        self._keep_identity(call)
        first = await self._look(call, path)
        if first.status != 200 or _ended(first) or (not streaming and wait <= 0):
            return _events(first) if streaming and first.status == 200 else first
        if streaming:
            headers = {"content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no"}
            return Answer(200, headers, self._changes(call, path, first))
        return await self._wait(call, path, first, wait)

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
        latest = first
        try:
            async with asyncio.timeout(seconds):
                async for latest in self._watch(call, path, first):
                    return latest
        except TimeoutError:
            return latest
        return latest

    async def _changes(self, call: Call, path: str, first: Answer) -> AsyncIterator[bytes]:
        yield _event(first)
        async for latest in self._watch(call, path, first, keep_alive=True):
            yield _event(latest) if latest is not _QUIET else b": \n\n"
            if latest is not _QUIET and _ended(latest):
                return

    async def _watch(self, call: Call, path: str, first: Answer, *, keep_alive: bool = False) -> AsyncIterator[Answer]:
        key = (path, *(call.headers.get(name, "") for name in _IDENTITY))
        watch = self._watches.get(key)
        if watch is None:
            watch = self._watches[key] = _Watch()
            watch.latest = first
            watch.task = asyncio.create_task(self._follow(key, watch, call, path))
        watch.watchers += 1
        seen = first.body
        try:
            while not self._ending.is_set():
                async with watch.changed:
                    try:
                        async with asyncio.timeout(COMMENT_EVERY_S):
                            await watch.changed.wait()
                    except TimeoutError:
                        if keep_alive:
                            yield _QUIET
                        continue
                if watch.latest is not None and watch.latest.body != seen:
                    seen = watch.latest.body
                    yield watch.latest
                if watch.task is None or watch.task.done():
                    return
        finally:
            watch.watchers -= 1

    async def _follow(self, key: tuple[str, ...], watch: _Watch, call: Call, path: str) -> None:
        try:
            while watch.watchers and not self._ending.is_set():
                await asyncio.sleep(LOOK_EVERY_S)
                latest = await self._look(call, path)
                if watch.latest is None or latest.body != watch.latest.body:
                    watch.latest = latest
                    async with watch.changed:
                        watch.changed.notify_all()
                if latest.status != 200 or _ended(latest):
                    return
        finally:
            self._watches.pop(key, None)
            async with watch.changed:
                watch.changed.notify_all()


_QUIET = Answer(0, {}, b"")


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
    return b"event: job\ndata: " + body.replace(b"\n", b" ").strip() + b"\n\n"


def _events(answer: Answer) -> Answer:
    return Answer(200, {"content-type": "text/event-stream", "cache-control": "no-store"}, _event(answer))
