"""WSGI on the event loop's server: apps run in a pool of threads, bodies are spooled first, answers stream.

A thread is taken only while Python works. A body that is slow or cut never reaches one. The interpreter goes round all
threads that want it, so with four pages at work the event loop, and inference with it, had a fifth of it: pages take
turns instead, and one that waits for something else than the interpreter holds up the others for a moment only.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import IO, Any, TypeVar

from granian._granian import RSGIHTTPProtocol as HTTPProtocol
from granian._granian import RSGIProtocolClosed as ProtocolClosed
from granian._granian import RSGIProtocolError as ProtocolError

from shared.errors import BodyCut, TooLarge
from shared.http.call import Answer, Call

SPOOL_IN_MEMORY = 256 * 1024
JSON_LIMIT = 2 * 1024 * 1024
UPLOAD_LIMIT = 64 * 1024 * 1024
WHOLE_ANSWER = 512 * 1024
TURN_WAIT_S = 0.25
"""When no turn has ended for so long, pages go on without one: those before them wait for a lock, a disk or a server."""
_UPLOADS = ("/api/v1/datasets", "/api/v1/documents", "/data")
_UPLOADS_BELOW = "/predict-file"


_T = TypeVar("_T")


@dataclass
class PageAnswer:
    status: int
    pairs: list[tuple[str, str]]
    body: bytes | AsyncIterator[bytes]


class Bridge:
    def __init__(
        self, wsgi: Any, threads: int, spent: Callable[[float], None] = lambda seconds: None, at_once: int = 1
    ) -> None:
        self._wsgi, self._spent = wsgi, spent
        self._turns = asyncio.Semaphore(at_once)
        self._turns_ended = 0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="page")
        self._running: set[Future[Any]] = set()

    @property
    def busy(self) -> bool:
        """Whether a thread is at work, even if nobody waits for it any more."""
        return any(each.running() for each in list(self._running))

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    @staticmethod
    def body_limit(path: str) -> int:
        return UPLOAD_LIMIT if path.startswith(_UPLOADS) or path.endswith(_UPLOADS_BELOW) else JSON_LIMIT

    async def spool(self, call: Call, proto: HTTPProtocol, limit: int, hold: Callable[[int], None]) -> IO[bytes]:
        """The body in memory, or on disk when it is large. Raises `BodyCut`, `TooLarge` or `Busy`."""
        spool: Any = tempfile.SpooledTemporaryFile(SPOOL_IN_MEMORY)  # noqa: SIM115 - closed after the answer
        size = 0
        try:
            async for part in parts_of(call, proto, limit, hold):
                size += len(part)
                spool.write(part)
        except BaseException:
            spool.close()
            raise
        call.body_length = size
        spool.seek(0)
        return spool  # type: ignore[no-any-return]

    async def answer(self, call: Call, scheme: str, spool: IO[bytes] | None) -> PageAnswer:
        """Runs the app. Small answers come whole, large ones as a stream that takes a thread chunk by chunk."""
        run = _Run(self._wsgi, _environ(call, scheme, spool), spool, self._spent)
        call.at_end(run.close)
        whole = await self._in_turn(run.start)
        pairs = [*run.headers, *call.answer_headers.items()]
        if whole is not None:
            return PageAnswer(run.status, pairs, b"" if call.method == "HEAD" else whole)
        return PageAnswer(run.status, pairs, self._rest(run))

    async def ask(self, call: Call) -> Answer:
        """A short GET of the app for a hot route that waits for something to change."""
        answer = await self.answer(call, "http", None)
        body = answer.body if isinstance(answer.body, bytes) else b"".join([part async for part in answer.body])
        return Answer(answer.status, {name.lower(): value for name, value in answer.pairs}, body)

    async def _rest(self, run: _Run) -> AsyncIterator[bytes]:
        while part := await self._in_pool(run.next_part):
            yield part

    async def _in_turn(self, work: Callable[[], _T]) -> _T:
        mine = await self._turn()
        try:
            return await self._in_pool(work)
        finally:
            if mine:
                self._turns_ended += 1
                self._turns.release()

    async def _turn(self) -> bool:
        """Waits for a turn, in the order of coming; False when there is none to be had."""
        if not self._turns.locked():
            return await self._turns.acquire()
        acquiring = asyncio.ensure_future(self._turns.acquire())
        try:
            while True:
                ended = self._turns_ended
                await asyncio.wait((acquiring,), timeout=TURN_WAIT_S)
                if acquiring.done():
                    return True
                if self._turns_ended == ended:
                    acquiring.cancel()
                    return False
        except asyncio.CancelledError:
            if not acquiring.cancel():
                self._turns.release()
            raise

    def _in_pool(self, work: Callable[[], _T]) -> asyncio.Future[_T]:
        future = self._pool.submit(work)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        return asyncio.wrap_future(future)


async def parts_of(call: Call, proto: HTTPProtocol, limit: int, hold: Callable[[int], None]) -> AsyncIterator[bytes]:
    """The body part by part. Raises `BodyCut`, also for a faulty or missing chunk, and `TooLarge`."""
    size = empty = 0
    try:
        async for part in proto:
            if not part:
                empty += 1
                continue
            size += len(part)
            if size > limit:
                raise TooLarge(limit_bytes=limit)
            hold(len(part))
            yield part
    except (ProtocolError, ProtocolClosed, RuntimeError):
        raise BodyCut(expected_bytes=call.body_length, received_bytes=size) from None
    # granian ends every body with one empty part, and with a second one when the framing broke or trailers follow, which
    # nobody here reads; it says no more.
    if empty > 1 or (call.body_length is not None and size != call.body_length):
        raise BodyCut(expected_bytes=call.body_length, received_bytes=size)


class _Run:
    """One call of the WSGI app, pulled part by part from pool threads."""

    def __init__(
        self, wsgi: Any, environ: dict[str, Any], spool: IO[bytes] | None, spent: Callable[[float], None]
    ) -> None:
        self._wsgi, self._environ, self._spool, self._spent = wsgi, environ, spool, spent
        self.status = 500
        self.headers: list[tuple[str, str]] = []
        self._parts: Iterable[bytes] = ()
        self._iterator: Iterator[bytes] = iter(())
        self._held: list[bytes] = []
        self._working = Lock()
        self._abandoned = False

    def start(self) -> bytes | None:
        """The whole answer when it is small, else None: then `next_part` gives it."""
        with self._at_work():
            if self._abandoned:
                return b""
            self._parts = self._wsgi(self._environ, self._start_response)
            self._iterator = iter(self._parts)
            size = 0
            for part in self._iterator:
                self._held.append(part)
                size += len(part)
                if size > WHOLE_ANSWER:
                    return None
            return b"".join(self._held)

    def next_part(self) -> bytes:
        with self._at_work():
            if self._held:
                held, self._held = b"".join(self._held), []
                return held
            return next((part for part in self._iterator if part), b"")

    @contextlib.contextmanager
    def _at_work(self) -> Iterator[None]:
        began = time.thread_time()
        try:
            with self._working:
                yield
        finally:
            self._spent(time.thread_time() - began)
            if self._abandoned:
                self.close()

    def close(self) -> None:
        """Lets everything go; while a thread is at work in the app, that thread does it when it comes out."""
        self._abandoned = True
        if not self._working.acquire(blocking=False):
            return
        try:
            close, self._parts = getattr(self._parts, "close", None), ()
            spool, self._spool = self._spool, None
            if close is not None:
                close()
            if spool is not None:
                spool.close()
        finally:
            self._working.release()

    def _start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        self.status = int(status.split(" ", 1)[0])
        self.headers = [(name.lower(), value) for name, value in headers]
        return self._held.append


def _environ(call: Call, scheme: str, spool: IO[bytes] | None) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": call.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": call.path.encode("utf-8").decode("latin-1"),
        "QUERY_STRING": call.query,
        "SERVER_NAME": call.headers.get("host", "").split(":")[0] or "localhost",
        "SERVER_PORT": call.headers.get("host", "").partition(":")[2] or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": call.address,
        "HTTP_X_REQUEST_ID": call.request_id,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": spool if spool is not None else _EMPTY,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if spool is not None or call.method in ("POST", "PUT", "PATCH"):
        environ["CONTENT_LENGTH"] = str(call.body_length or 0)
    for name, value in call.headers.items():
        if name == "content-type":
            environ["CONTENT_TYPE"] = value
        elif name not in ("content-length", "transfer-encoding", "x-request-id") and "_" not in name:
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    return environ


class _Empty:
    """A body that is not there."""

    def read(self, _size: int = -1) -> bytes:
        return b""

    def readline(self, _size: int = -1) -> bytes:
        return b""

    def __iter__(self) -> Iterator[bytes]:
        return iter(())


_EMPTY = _Empty()
