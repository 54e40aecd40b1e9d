"""The hand-over on the event loop: policy as an argument, the raw body to the runner, its answer to the caller.

The serving process imports neither numpy nor onnxruntime. A runner that dies costs the calls in flight (503 with
Retry-After) and is started again at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from services.models.inference import frames
from services.models.inference.frames import Ask, Reply, reply_of, whole_frames
from services.models.inference.metadata import SERVER
from shared.errors import BadRequest, Busy, MethodNotAllowed, NoSuchPath
from shared.fields import language_of
from shared.http import strict_json
from shared.http.call import Admit, Answer, Call, ReadBody
from shared.http.waiting import Ask as AskPage

log = logging.getLogger(__name__)

_MODEL = re.compile(r"^/v2/models/(?P<name>[^/]+)(/versions/(?P<version>[^/]+))?(?P<what>/infer|/ready)?$")
_PREDICT = re.compile(r"^/api/v1/components/(?P<name>[^/]+)/predict$")
MOST_IN_FLIGHT = 256
MOST_BYTES_IN_FLIGHT = 64 * 1024 * 1024
DEADLINE_S = 30.0
RESTART_PAUSE_S = 0.1
LONGEST_RESTART_PAUSE_S = 5.0
SHORT_LIFE_S = 5.0
"""A runner that ends sooner is started again after a pause that doubles, so that a broken one costs little."""
_WHAT = "模型执行进程 / model runner"


class Runner:
    """One runner process and the socket to it."""

    def __init__(self, roots: Sequence[Path], memory_mb: int, deadline_s: float = DEADLINE_S) -> None:
        self._roots = [str(root) for root in roots]
        self._memory_mb = memory_mb
        self._deadline_s = deadline_s
        self._waiting: dict[int, tuple[float, asyncio.Future[Reply]]] = {}
        """Deadline and future of each call, the oldest first."""
        self._sent: set[int] = set()
        self._bytes = 0
        self._next = 0
        self._last_reply = 0.0
        self._transport: asyncio.Transport | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._up = asyncio.Event()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._keep()), asyncio.create_task(self._sweep())]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._up.wait(), 20)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._transport is not None:
            self._transport.close()
        if self._process is not None and self._process.returncode is None:
            try:
                await asyncio.wait_for(self._process.wait(), 3)
            except TimeoutError:
                self._process.kill()

    async def call(self, ask: Ask) -> Reply:
        """Raises `Busy` when the runner is full, restarts, or does not answer in time."""
        size = len(ask.body)
        if len(self._waiting) >= MOST_IN_FLIGHT or (self._waiting and self._bytes + size > MOST_BYTES_IN_FLIGHT):
            raise Busy(what=_WHAT, retry_after_s=1)
        loop = asyncio.get_running_loop()
        self._next = (self._next + 1) & 0xFFFFFFFF
        ask.id, ask.deadline = self._next, time.monotonic() + self._deadline_s
        future: asyncio.Future[Reply] = loop.create_future()
        self._waiting[ask.id] = (ask.deadline, future)
        self._bytes += size
        try:
            if self._transport is None:
                await self._wait_for_restart()
            if self._transport is None:
                raise Busy(what=_WHAT, retry_after_s=1)
            self._sent.add(ask.id)
            self._transport.write(ask.packed())
            return await future
        finally:
            self._sent.discard(ask.id)
            self._bytes -= size
            self._waiting.pop(ask.id, None)

    async def _wait_for_restart(self) -> None:
        """A call that comes while the runner restarts waits a moment rather than failing."""
        try:
            await asyncio.wait_for(self._up.wait(), 1.5)
        except TimeoutError:
            raise Busy(what=_WHAT, retry_after_s=1) from None

    async def _sweep(self) -> None:
        """Ends the calls that are overdue; one look a second costs less than a timer for each of them."""
        while True:
            await asyncio.sleep(min(1.0, self._deadline_s / 2))
            now = time.monotonic()
            late = [future for deadline, future in self._waiting.values() if deadline < now and not future.done()]
            for future in late:
                future.set_exception(Busy(what=_WHAT, retry_after_s=2))
            if late and self._process is not None and self._last_reply < now - self._deadline_s:
                # Not a word in all that time: it hangs, and would for everybody.
                log.warning("the model runner does not answer and is ended")
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()

    def received(self, reply: Reply) -> None:
        self._last_reply = time.monotonic()
        waiting = self._waiting.get(reply.id)
        if waiting is not None and not waiting[1].done():
            waiting[1].set_result(reply)

    def lost(self, transport: asyncio.BaseTransport | None) -> None:
        """The runner is gone: everyone whose call it had is told so at once. Harmless for one that is gone already."""
        if transport is None or transport is not self._transport:
            return
        self._transport = None
        self._up.clear()
        for number in self._sent:
            _, future = self._waiting[number]
            if not future.done():
                future.set_exception(Busy(what=_WHAT, retry_after_s=1))

    async def _keep(self) -> None:
        """Starts the process and starts it again whenever it ends."""
        pause = RESTART_PAUSE_S
        while True:
            started = time.monotonic()
            try:
                await self._run_once()
            except Exception:
                log.exception("the model runner could not be started")
            if time.monotonic() - started > SHORT_LIFE_S:
                pause = RESTART_PAUSE_S
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_RESTART_PAUSE_S)

    async def _run_once(self) -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services.models.inference.runner", str(theirs.fileno()), str(self._memory_mb),
                *self._roots, pass_fds=(theirs.fileno(),), stdin=asyncio.subprocess.DEVNULL,
                env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )  # fmt: skip
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_accepted_socket(lambda: _Protocol(self), ours)
        self._transport = transport
        self._up.set()
        code = await self._process.wait()
        log.warning("the model runner ended with %s; it is started again", code)
        self.lost(transport)
        transport.close()


class _Protocol(asyncio.Protocol):
    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._buffer = bytearray()
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        for frame in whole_frames(self._buffer):
            self._runner.received(reply_of(frame))

    def connection_lost(self, wrong: Exception | None) -> None:
        self._runner.lost(self._transport)


class Inference:
    """`/v2/...` and `/api/v1/components/{name}/predict`, answered on the event loop."""

    def __init__(self, roots: Sequence[Path], admit: Admit, memory_mb: int) -> None:
        self.runner = Runner(roots, memory_mb)
        self._admit = admit

    async def start(self, _ask: AskPage) -> None:
        await self.runner.start()

    async def stop(self) -> None:
        await self.runner.stop()

    def wants(self, method: str, path: str) -> bool:
        return path.startswith("/v2") or (path.endswith("/predict") and path.startswith("/api/v1/components/"))

    async def answer(self, call: Call, body: ReadBody) -> Answer:
        refusal = self._admit(call)
        if refusal is not None:
            raise refusal
        found = _PREDICT.match(call.path)
        if found:
            return await self._compute(call, body, frames.PREDICT, found["name"], "")
        found = _MODEL.match(call.path)
        if found:
            name, version, what = found["name"], found["version"] or "", found["what"] or ""
            if what == "/infer":
                return await self._compute(call, body, frames.INFER, name, version)
            _only(call, "GET", "HEAD")
            kind = frames.READY if what == "/ready" else frames.METADATA
            return self._http(await self.runner.call(self._ask(call, kind, name, version)))
        return await self._server(call)

    async def _compute(self, call: Call, body: ReadBody, kind: int, name: str, version: str) -> Answer:
        _only(call, "POST")
        json_length = 0
        given = call.headers.get("inference-header-content-length")
        if given is not None:
            if not given.isdigit() or len(given) > 9:
                raise BadRequest(reason="Inference-Header-Content-Length 不是整数 / is no whole number")
            json_length = int(given)
        content = await body()
        if "content-encoding" in call.headers and call.headers["content-encoding"] != "identity":
            content = _unpacked(content, call.headers["content-encoding"])
        if json_length > len(content):
            raise BadRequest(reason="Inference-Header-Content-Length 超过正文 / longer than the body")
        ask = self._ask(call, kind, name, version)
        ask.json_length, ask.body = json_length, content
        return self._http(await self.runner.call(ask))

    @staticmethod
    def _ask(call: Call, kind: int, name: str, version: str) -> Ask:
        if len(name) > 80 or len(version) > 40 or not (name + version).isascii():
            raise NoSuchPath(path=call.path[:200])
        language = language_of(call.headers.get("accept-language")) if "accept-language" in call.headers else "zh"
        return Ask(0, kind, name, version, call.request_id, language)

    async def _server(self, call: Call) -> Answer:
        _only(call, "GET", "HEAD")
        if call.path in ("/v2", "/v2/"):
            return Answer(200, {"content-type": "application/json"}, strict_json.dumps(SERVER))
        if call.path == "/v2/health/live":
            return Answer(200, {"content-type": "application/json"}, b'{"live":true}')
        if call.path == "/v2/health/ready":
            return self._http(await self.runner.call(Ask(0, frames.READY, "")))
        raise NoSuchPath(path=call.path[:200])

    @staticmethod
    def _http(reply: Reply) -> Answer:
        headers = {"content-type": reply.media_type, **{name.lower(): value for name, value in reply.headers.items()}}
        if reply.json_length:
            headers["inference-header-content-length"] = str(reply.json_length)
        return Answer(reply.status, headers, reply.body)


def _only(call: Call, *methods: str) -> None:
    if call.method not in methods:
        raise MethodNotAllowed(method=call.method, allowed=methods)


def _unpacked(content: bytes, encoding: str) -> bytes:
    """A compressed body, up to the limit of a plain one."""
    import zlib

    bits = {"gzip": 31, "deflate": 15}.get(encoding.strip().lower())
    if bits is None:
        raise BadRequest(reason=f"Content-Encoding {encoding[:40]} 不支持，可用 gzip、deflate / not supported")
    machine = zlib.decompressobj(bits)
    try:
        plain = machine.decompress(content, 8 * 1024 * 1024)
    except zlib.error:
        raise BadRequest(reason="正文无法解压 / the body cannot be unpacked") from None
    if machine.unconsumed_tail or not machine.eof:
        raise BadRequest(reason="解压后的正文过大或不完整 / the unpacked body is too large or cut short")
    return plain
