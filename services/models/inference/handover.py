"""The hand-over on the event loop: policy as an argument, the raw body to the runner, its answer to the caller.

The serving process imports neither numpy nor onnxruntime.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from services.models.inference import frames
from services.models.inference.endpoints import Endpoints
from services.models.inference.frames import Ask, Reply
from services.models.inference.metadata import SERVER
from services.models.inference.runner_process import DEADLINE_S, Runner
from services.models.inference.runners import Runners, Stop
from services.models.inference.standing import Standings, admitted
from services.models.problems import PROBLEMS as OWN
from shared.errors import BadRequest, Forbidden, MethodNotAllowed, NoSuchPath, Refused
from shared.fields import language_of
from shared.http import strict_json
from shared.http.call import Admit, Answer, Call, ReadBody
from shared.http.waiting import Ask as AskPage
from shared.identity import Principal
from shared.problems import PROBLEMS as COMMON
from shared.problems import ProblemTable

__all__ = ["DEADLINE_S", "BeginJob", "Inference", "Runner", "owner_of"]

_MODEL = re.compile(r"^/v2/models/(?P<name>[^/]+)(/versions/(?P<version>[^/]+))?(?P<what>/infer|/ready)?$")
_REPOSITORY = re.compile(r"^/v2/repository/models/(?P<name>[^/]+)/(?P<what>load|unload)$")
_PREDICT = re.compile(r"^/api/v1/components/(?P<name>[^/]+)/predict$")
LARGEST_BODY = 8 * 1024 * 1024
UNPACKED_HERE = 16 * 1024
"""A compressed body up to this size takes less time to unpack than to hand to a thread."""


NO_HEADERS: Mapping[str, str] = {}
_PROBLEMS = ProblemTable(COMMON, OWN)
_SAID_HERE = frozenset(row.cls for row in OWN)

BeginJob = Callable[[Call, Ask, Reply], Answer]
"""Makes a job of a call that the runner has checked and does not compute itself. May block and raise `Refused`."""


class Inference:
    """`/v2/...` and `/api/v1/components/{name}/predict`, answered on the event loop."""

    def __init__(
        self,
        roots: Sequence[Path],
        admit: Admit,
        memory_mb: int,
        begin: BeginJob | None = None,
        standings: Standings | None = None,
        stop: Stop | None = None,
        endpoints: Endpoints | None = None,
    ) -> None:
        """`standings`: where each component stands; `stop` hears of one that is to be quarantined; `endpoints` calls
        the components that are a provider's own service."""
        self.runners = Runners(roots, memory_mb, stop)
        self._admit = admit
        self._begin = begin
        self._standings = standings or Standings()
        self._endpoints = endpoints

    @property
    def runner(self) -> Runner:
        """The platform's own."""
        return self.runners.platform

    async def start(self, _ask: AskPage) -> None:
        await self.runners.start()

    async def stop(self) -> None:
        await self.runners.stop()

    def wants(self, method: str, path: str) -> bool:
        return path.startswith("/v2") or (path.endswith("/predict") and path.startswith("/api/v1/components/"))

    async def answer(self, call: Call, body: ReadBody) -> Answer:
        refusal = self._admit(call)
        if refusal is not None:
            raise refusal
        try:
            return await self._answer(call, body)
        except Refused as refused:
            if type(refused) not in _SAID_HERE:
                raise
            # The server knows the common refusals only.
            language = language_of(call.headers.get("accept-language"))
            problem = _PROBLEMS.problem(refused, language=language, request_id=call.request_id)
            headers = {name.lower(): value for name, value in problem.headers.items()}
            return Answer(problem.status, headers, problem.encoded())

    async def _answer(self, call: Call, body: ReadBody) -> Answer:
        asked = _asked(call.path)
        if asked is not None:
            kind, name, version = asked
            if kind in (frames.PREDICT, frames.INFER):
                return await self._compute(call, body, kind, name, version)
            _only(call, "GET", "HEAD")
            ask = self._ask(call, kind, name, version)
            headers = admitted(self._standings.of(name), ask)
            if self._endpoints is not None and self._endpoints.wants(ask):
                return self._http(await self._endpoints.answer(ask), headers)
            return self._http(await self.runners.call(ask), headers)
        if call.path.startswith("/v2/repository/"):
            return await self._repository(call, body)
        return await self._server(call)

    async def _compute(self, call: Call, body: ReadBody, kind: int, name: str, version: str) -> Answer:
        _only(call, "POST")
        ask = self._ask(call, kind, name, version)
        # Before the body is read: what is not answered need not be sent.
        headers = admitted(self._standings.of(name), ask)
        json_length = 0
        given = call.headers.get("inference-header-content-length")
        if given is not None:
            if not given.isdigit() or len(given) > 9:
                raise BadRequest(reason="Inference-Header-Content-Length 不是整数 / is no whole number")
            json_length = int(given)
        content = await body()
        if "content-encoding" in call.headers and call.headers["content-encoding"] != "identity":
            content = await _unpacked(content, call.headers["content-encoding"])
        if json_length > len(content):
            raise BadRequest(reason="Inference-Header-Content-Length 超过正文 / longer than the body")
        ask.json_length, ask.body = json_length, content
        if self._endpoints is not None and self._endpoints.wants(ask):
            reply = await self._endpoints.answer(ask)
        else:
            reply = await self.runners.call(ask)
        if reply.status == 202 and self._begin is not None:
            # The row of a job is written by a thread: the event loop waits for no database.
            return await asyncio.to_thread(self._begin, call, ask, reply)
        return self._http(reply, headers)

    @staticmethod
    def _ask(call: Call, kind: int, name: str, version: str) -> Ask:
        language = language_of(call.headers.get("accept-language")) if "accept-language" in call.headers else "zh"
        return Ask(0, kind, name, version, call.request_id, language, organisation=owner_of(call.principal))

    async def _repository(self, call: Call, body: ReadBody) -> Answer:
        """The index, for everybody what exists for him; load and unload, for operators."""
        found = _REPOSITORY.match(call.path)
        if found is None and call.path != "/v2/repository/index":
            raise NoSuchPath(path=call.path[:200])
        _only(call, "POST")
        if found is not None and not _is_operator(call.principal):
            raise Forbidden(needed="admin")
        asked = _members(await body())
        if found is None:
            ask = self._ask(call, frames.INDEX, "", "")
            ask.body = b"ready" if asked.get("ready") else b""
            return self._http(await self.runners.call(ask))
        given = sorted(set(asked.get("parameters") or {}) - {"unload_dependents"})
        if given:
            # Files and configurations from outside do not go past the checks of publishing.
            reason = f"不接受参数 {', '.join(given)[:80]}，请发布新版本 / not taken, publish a release instead"
            raise BadRequest(reason=reason)
        kind = frames.LOAD if found["what"] == "load" else frames.UNLOAD
        ask = self._ask(call, kind, found["name"], "")
        admitted(self._standings.of(found["name"]), ask)
        return self._http(await self.runners.call(ask))

    async def _server(self, call: Call) -> Answer:
        _only(call, "GET", "HEAD")
        if call.path in ("/v2", "/v2/"):
            return Answer(200, {"content-type": "application/json"}, strict_json.dumps(SERVER))
        if call.path == "/v2/health/live":
            return Answer(200, {"content-type": "application/json"}, b'{"live":true}')
        if call.path == "/v2/health/ready":
            return self._http(await self.runners.call(Ask(0, frames.READY, "")))
        raise NoSuchPath(path=call.path[:200])

    @staticmethod
    def _http(reply: Reply, more: Mapping[str, str] = NO_HEADERS) -> Answer:
        headers = {"content-type": reply.media_type}
        for given in (reply.headers, more):
            if given:
                headers |= {name.lower(): value for name, value in given.items()}
        if reply.json_length:
            headers["inference-header-content-length"] = str(reply.json_length)
        return Answer(reply.status, headers, reply.body)


@lru_cache(maxsize=4096)
def _asked(path: str) -> tuple[int, str, str] | None:
    """Kind of call, component and version that a path names; None for paths that name no component to be asked.

    Raises `NoSuchPath` for a name or version that none can have.
    """
    found = _PREDICT.match(path)
    if found:
        kind, name, version = frames.PREDICT, found["name"], ""
    else:
        found = _MODEL.match(path)
        if not found:
            return None
        kind = {"/infer": frames.INFER, "/ready": frames.READY}.get(found["what"], frames.METADATA)
        name, version = found["name"], found["version"] or ""
    if len(name) > 80 or len(version) > 40 or not (name + version).isascii():
        raise NoSuchPath(path=path[:200])
    return kind, name, version


def _only(call: Call, *methods: str) -> None:
    if call.method not in methods:
        raise MethodNotAllowed(method=call.method, allowed=methods)


def owner_of(principal: Principal) -> str:
    """Whose private components this caller may call: empty for nobody's."""
    return principal.owner or ""


def _is_operator(principal: Principal) -> bool:
    return principal.role == "admin" or not principal.scopes.isdisjoint(("admin", "*"))


def _members(body: bytes) -> dict[str, Any]:
    """The request's JSON object, {} for an empty body. Raises `MalformedJson`, `BadRequest`."""
    found = strict_json.loads(body) if body else {}
    if not isinstance(found, dict) or not isinstance(found.get("parameters") or {}, dict):
        raise BadRequest(reason="正文应为 JSON 对象 / the body must be a JSON object")
    return found


async def _unpacked(content: bytes, encoding: str) -> bytes:
    """A compressed body, up to the limit of a plain one. Raises `BadRequest`."""
    bits = {"gzip": 31, "deflate": 15}.get(encoding.strip().lower())
    if bits is None:
        raise BadRequest(reason=f"Content-Encoding {encoding[:40]} 不支持，可用 gzip、deflate / not supported")
    if len(content) > UNPACKED_HERE:
        return await asyncio.to_thread(_decompressed, content, bits)
    return _decompressed(content, bits)


def _decompressed(content: bytes, bits: int) -> bytes:
    machine = zlib.decompressobj(bits)
    try:
        plain = machine.decompress(content, LARGEST_BODY)
    except zlib.error:
        raise BadRequest(reason="正文无法解压 / the body cannot be unpacked") from None
    if machine.unconsumed_tail or machine.unused_data or not machine.eof:
        raise BadRequest(reason="解压后的正文过大或不完整 / the unpacked body is too large or cut short")
    return plain
