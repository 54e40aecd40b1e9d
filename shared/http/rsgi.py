"""The RSGI application: refuses what two parsers could read differently, then hot route or page."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import re
import time
from collections.abc import AsyncIterator, Sequence
from functools import lru_cache
from typing import Any

from granian._granian import RSGIHTTPProtocol as HTTPProtocol
from granian._granian import RSGIProtocolClosed as ProtocolClosed
from granian._granian import RSGIProtocolError as ProtocolError

from shared import telemetry
from shared.errors import BadRequest, BodyCut, BodyTooSlow, HeadersTooLarge, Refused, TooLarge
from shared.fields import language_of
from shared.http.admission import Admission, BytesHeld
from shared.http.call import Call, HotRoute
from shared.http.page_cache import KeptPage, PageCache, seconds_shared
from shared.http.wsgi_bridge import Bridge, parts_of
from shared.problems import PROBLEMS, ProblemTable
from shared.settings import Settings

log = logging.getLogger(__name__)

HOT_BODY_LIMIT = 8 * 1024 * 1024
SMALL_BODY = 64 * 1024
"""A hot body up to this size is awaited in one piece, which is faster; larger ones are counted as they come."""
MOST_BYTES_HELD = 512 * 1024 * 1024
BODY_SECONDS = 10.0
BODY_BYTES_PER_SECOND = 64 * 1024
HEADER_LIMIT = 32 * 1024
SLOWED_S = 0.1
MOST_SLOWED = 1000
"""Surplus pages that wait for their 503 at once; beyond it they get it at once."""
THREADS_A_TURN = 4
"""For each page that computes three more may wait for a lock, a disk or a server."""
_CLOSE = ("connection", "close")
_READS = ("GET", "HEAD", "OPTIONS")
_ODD_PATH = re.compile(r"//|;|\\|\x00|/\.\.?(/|$)|[\ud800-\udfff\ufffd]|%")
"""In a decoded path: what servers and proxies normalise differently."""


class Application:
    """What granian calls for each request."""

    def __init__(self, settings: Settings, wsgi: Any, hot: Sequence[HotRoute], *, public: bool = True) -> None:
        self._hot = tuple((route, bool(getattr(route, "counts_as_page", False))) for route in hot)
        self._settings = settings
        self._problems = ProblemTable(PROBLEMS)
        self._admission = Admission(settings, by_address=public)
        self._held = BytesHeld(MOST_BYTES_HELD)
        at_once = settings.pages_at_once or (1 if settings.embedded else 4)
        # More threads than that only make the one that runs a different one each time.
        threads = min(settings.page_threads, THREADS_A_TURN * at_once)
        self._bridge = Bridge(wsgi, threads, self._admission.spent, at_once)
        self._pages = PageCache()
        self._waiting: dict[asyncio.Task[Any], float] = {}
        self._open = 0
        self._slowed = 0
        self._stopping = False
        self._trusted = tuple(ipaddress.ip_network(each, strict=False) for each in settings.trusted_proxies)
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._sweeper = asyncio.create_task(self._sweep())
        for route, _ in self._hot:
            start = getattr(route, "start", None)
            if start is not None:
                await start(self._bridge.ask)

    async def stop(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
        for route, _ in self._hot:
            stop = getattr(route, "stop", None)
            if stop is not None:
                await stop()
        self._bridge.close()

    @property
    def pages_done(self) -> bool:
        return not self._bridge.busy

    async def drain(self, seconds: float) -> None:
        """Waits for what is in work; streams are ended."""
        self._stopping = True
        for route, _ in self._hot:
            end = getattr(route, "end_streams", None)
            if end is not None:
                end()
        deadline = time.monotonic() + seconds
        while self._open and time.monotonic() < deadline:
            await asyncio.sleep(0.02)

    async def __rsgi__(self, scope: Any, proto: HTTPProtocol) -> None:
        self._open += 1
        call: Call | None = None
        try:
            headers, refusal = _headers(scope)
            call = Call(
                method=scope.method,
                path=scope.path,
                query=scope.query_string,
                headers=headers,
                address=self._address(scope.client, headers),
                request_id=telemetry.request_id_of(headers.get("x-request-id")),
            )
            if refusal is not None:
                raise refusal
            length = headers.get("content-length")
            if length is not None:
                call.body_length = _length(length)
            for route, counts_as_page in self._hot:
                if route.wants(call.method, call.path):
                    if counts_as_page:
                        self._admission.count(call)
                    await self._answer_hot(route, call, proto)
                    return
            await self._answer_page(call, scope, proto)
        except Refused as refused:
            self._refuse(proto, call, refused)
        except (ProtocolClosed, ProtocolError):
            # The client hung up: nobody is left to answer.
            return
        except asyncio.CancelledError:
            if call is not None and asyncio.current_task() in self._waiting:
                raise
            log.info("a request was cancelled")
        except Exception as wrong:
            log.exception("the server failed to answer")
            self._refuse(proto, call, wrong)
        finally:
            self._open -= 1
            if call is not None:
                call.end()

    async def _answer_hot(self, route: HotRoute, call: Call, proto: HTTPProtocol) -> None:
        async def body() -> bytes:
            return await self._body(call, proto)

        answer = await route.answer(call, body)
        call.status = answer.status
        headers = [*answer.headers.items(), *call.answer_headers.items(), ("x-request-id", call.request_id)]
        if self._stopping:
            headers.append(_CLOSE)
        if isinstance(answer.body, bytes):
            proto.response_bytes(answer.status, headers, answer.body)
            return
        await _stream(proto, answer.status, headers, answer.body)

    async def _answer_page(self, call: Call, scope: Any, proto: HTTPProtocol) -> None:
        await self._counted(call)
        key = self._pages.key_of(call)
        kept = self._pages.find(key)
        if kept is not None:
            self._answer_kept(call, kept, proto)
            return
        generation = self._pages.generation
        limit = self._bridge.body_limit(call.path)
        if call.body_length is not None and call.body_length > limit:
            raise TooLarge(limit_bytes=limit)
        chunked = "transfer-encoding" in call.headers
        spool = None
        if call.body_length or chunked:
            body = self._bridge.spool(call, proto, limit, self._held.account(call))
            spool = await self._guarded(body, _body_time(call.body_length))
        try:
            # Only now: a body that never comes must not hold a place among the pages.
            self._admission.enter(call)
        except Refused:
            if spool is not None:
                spool.close()
            raise
        answer = await self._bridge.answer(call, scope.scheme, spool)
        call.status = answer.status
        pairs, seconds = seconds_shared(answer.pairs)
        if call.method not in _READS:
            self._pages.empty()
        elif seconds and answer.status == 200 and isinstance(answer.body, bytes):
            self._pages.keep(key, pairs, answer.body, seconds, generation)
        if self._stopping:
            pairs.append(_CLOSE)
        if isinstance(answer.body, bytes):
            proto.response_bytes(answer.status, pairs, answer.body)
        else:
            await _stream(proto, answer.status, pairs, answer.body)

    def _answer_kept(self, call: Call, kept: KeptPage, proto: HTTPProtocol) -> None:
        call.status = 200
        pairs = [pair for pair in kept.pairs if pair[0] != "x-request-id"]
        pairs.append(("x-request-id", call.request_id))
        if self._stopping:
            pairs.append(_CLOSE)
        proto.response_bytes(200, pairs, kept.body)

    async def _counted(self, call: Call) -> None:
        """Counts a page; one too many is refused after a moment, so that a client in a tight loop cannot spin."""
        try:
            self._admission.count(call)
        except Refused:
            if self._slowed < MOST_SLOWED:
                self._slowed += 1
                try:
                    await asyncio.sleep(SLOWED_S)
                finally:
                    self._slowed -= 1
            raise

    async def _body(self, call: Call, proto: HTTPProtocol) -> bytes:
        """The whole body of a hot call, in time and under the limit."""
        expected = call.body_length
        if expected is not None and expected > HOT_BODY_LIMIT:
            raise TooLarge(limit_bytes=HOT_BODY_LIMIT)
        if expected is None and "transfer-encoding" not in call.headers:
            return b""
        if expected is None or expected > SMALL_BODY:
            return b"".join(await self._guarded(self._all_parts(call, proto), _body_time(expected)))
        task = asyncio.current_task()
        if task is not None:
            self._waiting[task] = time.monotonic() + _body_time(expected)
        try:
            body: bytes = await proto()
        except (ProtocolError, ProtocolClosed, RuntimeError):
            raise BodyCut(expected_bytes=expected) from None
        except asyncio.CancelledError:
            raise BodyTooSlow(seconds=_body_time(expected)) from None
        finally:
            if task is not None:
                self._waiting.pop(task, None)
        if expected is not None and len(body) != expected:
            raise BodyCut(expected_bytes=expected, received_bytes=len(body))
        return body

    async def _all_parts(self, call: Call, proto: HTTPProtocol) -> list[bytes]:
        return [part async for part in parts_of(call, proto, HOT_BODY_LIMIT, self._held.account(call))]

    async def _guarded(self, work: Any, seconds: float) -> Any:
        try:
            async with asyncio.timeout(seconds):
                return await work
        except TimeoutError:
            raise BodyTooSlow(seconds=seconds) from None

    async def _sweep(self) -> None:
        """Once a second ends the bodies that are overdue: far cheaper than a timer round each of them."""
        while True:
            await asyncio.sleep(1.0)
            now = time.monotonic()
            for task, deadline in list(self._waiting.items()):
                if deadline < now:
                    self._waiting.pop(task, None)
                    task.cancel()

    def _refuse(self, proto: HTTPProtocol, call: Call | None, refused: BaseException) -> None:
        headers = call.headers if call is not None else {}
        language = language_of(headers.get("accept-language"))
        request_id = call.request_id if call is not None else telemetry.request_id_of(None)
        problem = self._problems.problem(refused, language=language, request_id=request_id)
        if call is not None:
            call.status = problem.status
            problem.headers.update(call.answer_headers)
        pairs = [*((name.lower(), value) for name, value in problem.headers.items()), ("x-request-id", request_id)]
        if isinstance(refused, (BadRequest, BodyCut, BodyTooSlow)):
            # After a fault in the framing nothing that follows on this connection can be trusted.
            pairs.append(_CLOSE)
        try:
            proto.response_bytes(problem.status, pairs, problem.encoded())
        except (ProtocolClosed, ProtocolError, RuntimeError):
            return

    def _address(self, client: str, headers: dict[str, str]) -> str:
        address = client.rsplit(":", 1)[0].strip("[]")
        if self._trusted and _is_in(address, self._trusted):
            forwarded = headers.get("x-forwarded-for", "").split(",")[-1].strip()
            if forwarded:
                return forwarded
        return address


@lru_cache(maxsize=4096)
def _is_in(address: str, networks: tuple[Any, ...]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks)


def _headers(scope: Any) -> tuple[dict[str, str], Refused | None]:
    """Headers as a dict, and why the request is refused if its framing or path is odd."""
    found: dict[str, str] = {}
    size = len(scope.path) + len(scope.query_string)
    refusal: Refused | None = None
    for name, value in scope.headers.items():
        size += len(name) + len(value)
        if name in found:
            if name in ("host", "content-length", "transfer-encoding", "content-type", "authorization"):
                refusal = BadRequest(reason=f"标头 {name} 出现两次 / header {name} given twice")
            found[name] = f"{found[name]}, {value}"
        else:
            found[name] = value
    if size > HEADER_LIMIT:
        refusal = HeadersTooLarge(limit_bytes=HEADER_LIMIT)
    if found.get("transfer-encoding", "chunked").lower() != "chunked":
        refusal = BadRequest(reason="Transfer-Encoding 只接受 chunked / only chunked is taken")
    if "host" not in found and scope.http_version == "1.1":
        refusal = BadRequest(reason="缺少标头 Host / header Host is missing")
    if not scope.path.startswith("/") or _ODD_PATH.search(scope.path):
        refusal = BadRequest(reason="地址中有含义不明的字符 / the path has ambiguous characters")
    authority = scope.authority
    if authority and found.get("host") and authority != found["host"]:
        refusal = BadRequest(reason="地址与 Host 不一致 / the address and Host differ")
    return found, refusal


def _length(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise BadRequest(reason="Content-Length 不是整数 / Content-Length is no whole number")
    return int(text)


def _body_time(expected: int | None) -> float:
    return BODY_SECONDS + (expected or 0) / BODY_BYTES_PER_SECOND


async def _stream(proto: HTTPProtocol, status: int, headers: list[tuple[str, str]], body: AsyncIterator[bytes]) -> None:
    """Sends part by part until the end or until the client hangs up, which a quiet stream would not notice by itself."""
    transport = proto.response_stream(status, headers)

    async def send() -> None:
        async for part in body:
            await transport.send_bytes(part)

    sending = asyncio.ensure_future(send())
    gone = asyncio.ensure_future(proto.client_disconnect())
    try:
        await asyncio.wait((sending, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        sending.cancel()
        # The client is gone or the server stops: there is nobody to send the rest to.
        with contextlib.suppress(asyncio.CancelledError, ProtocolClosed, ProtocolError, ConnectionError):
            await sending
        close = getattr(body, "aclose", None)
        if close is not None:
            await close()
