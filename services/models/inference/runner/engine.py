"""One ask answered: release looked up, contract checked, model run under a watch, refusals said as problems."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import orjson
from numpy.typing import NDArray

from services.models.errors import ModelFailed, TooSlow
from services.models.inference import oip_json
from services.models.inference.compute import Computed, compute
from services.models.inference.frames import (
    INDEX,
    INFER,
    LOAD,
    METADATA,
    OBSERVED,
    PREDICT,
    READY,
    RELOAD,
    UNLOAD,
    Ask,
    Reply,
)
from services.models.inference.metadata import model_metadata
from services.models.inference.oip_tool import infer_tool
from services.models.inference.predict import predict
from services.models.inference.release import (
    LoadedRelease,
    component_folder,
    entries,
    is_visible,
    open_release,
    versions_of,
)
from services.models.inference.runner.caps import CALL_SECONDS, GRACE_SECONDS, LOAD_SECONDS
from services.models.inference.runner.isolation import stand_behind
from services.models.inference.runner.observing import Observing
from services.models.inference.sessions import BUDGET_MB, Sessions
from services.models.inference.tool_call import checked_request, is_job
from services.models.problems import PROBLEMS as OWN
from shared.errors import MalformedJson, Refused
from shared.http import strict_json
from shared.problems import PROBLEMS, ProblemTable

log = logging.getLogger(__name__)

QUICK_S = 0.001
LONG_S = 0.25
LONG_REMEMBERED_S = 60.0
"""Whatever held the runner up for so long once is kept out of the others' way for a minute, however short it is then."""
_NOT_LOADED = {"state": "UNAVAILABLE", "reason": "未载入，下次调用时载入 / not loaded, its next call loads it"}

_Key = tuple[int, str, str]
_answering = threading.local()
"""Which release this thread answers with, for counting."""


class _Longer(Exception):
    """A call that has to load its release first."""


class Engine:
    def __init__(self, roots: Sequence[Path], budget_mb: float = BUDGET_MB, provider: str = "") -> None:
        """`budget_mb` is what loaded releases may take together; `provider`: whose releases are loaded here, empty for
        the platform's own."""
        self._provider = provider
        self._observing = Observing(self._of_other)
        self._roots = tuple(roots)
        self._sessions = Sessions(roots, budget_mb)
        self._problems = ProblemTable(PROBLEMS, OWN)
        self._running: dict[int, tuple[Any, float, str]] = {}
        self._took: dict[_Key, float] = {}
        self._long_until: dict[_Key, float] = {}
        threading.Thread(target=self._watch, daemon=True, name="watch").start()

    def answer_at_once(self, ask: Ask) -> Reply | None:
        """The reply when calls like this one have been short and its release is loaded, so that nobody minds waiting
        behind it; None for all others."""
        key = (ask.kind, ask.name, ask.release)
        if self._took.get(key, 1.0) >= QUICK_S:
            return None
        if key in self._long_until:
            if time.monotonic() < self._long_until[key]:
                return None
            del self._long_until[key]
        try:
            return self._timed(ask, may_load=False)
        except _Longer:
            return None

    def answer(self, ask: Ask) -> Reply:
        """The reply, however long it takes. Never raises: whatever goes wrong is the answer."""
        return self._timed(ask, may_load=True)

    def _timed(self, ask: Ask, may_load: bool) -> Reply:
        """Remembers how long calls like it take."""
        began, worked = time.perf_counter(), time.thread_time()
        _answering.release, _answering.failed = None, False
        reply = self._said(ask, may_load)
        took, worked = time.perf_counter() - began, time.thread_time() - worked
        if ask.kind in (INFER, PREDICT) and _answering.release is not None:
            self._observing.called(_answering.release, took, failed=_answering.failed)
        key = (ask.kind, ask.name, ask.release)
        if reply.status == 200 or key in self._took:
            # Of the processor, so that a busy machine makes no call a long one. The latest counts for half.
            self._took[key] = (self._took.get(key, worked) + worked) / 2
            if took > LONG_S:
                self._long_until[key] = time.monotonic() + LONG_REMEMBERED_S
        return reply

    def _said(self, ask: Ask, may_load: bool) -> Reply:
        try:
            return self._answer(ask, may_load)
        except _Longer:
            raise
        except Refused as refused:
            _answering.failed = isinstance(refused, (ModelFailed, TooSlow))
            return self._problem(ask, refused)
        except MemoryError:
            _answering.failed = True
            return self._problem(ask, ModelFailed(component=ask.name, reason="内存不足 / out of memory"))
        except Exception as wrong:
            log.exception("the runner failed on %s", ask.name)
            _answering.failed = True
            return self._problem(ask, wrong)

    def _answer(self, ask: Ask, may_load: bool) -> Reply:
        if ask.kind == INFER:
            release = self._release(ask, ask.release, may_load)
            body, json_length = self._watched(ask, _seconds_of(ask), lambda options: _infer(release, ask, options))
            media_type = "application/octet-stream" if json_length else "application/json"
            return Reply(ask.id, 200, media_type, body, json_length)
        if ask.kind == PREDICT:
            request = _loads(ask.body)
            named = (request.get("release") or ask.release) if isinstance(request, dict) else ""
            logged = isinstance(request, dict) and request.pop("log", False) is True
            release = self._release(ask, named if isinstance(named, str) else "?", may_load)
            if is_job(release):
                # Not computed here: whoever asked hands what was checked to the worker.
                return _json(ask, checked_request(release, request), 202)
            answer = self._watched(
                ask, _seconds_of(ask), lambda options: predict(release, request, ask.language, options)
            )
            if logged or release.about.component.get("organisation"):
                self._observing.identified(release, ask.organisation, answer)
            return _json(ask, answer)
        if ask.kind == METADATA:
            return _json(ask, model_metadata(open_release(self._roots, ask.name, ask.release, ask.organisation)))
        if ask.kind == READY:
            if ask.name:
                self._release(ask, ask.release, may_load)
            return _json(ask, {"ready": True})
        return self._for_operators(ask)

    def _for_operators(self, ask: Ask) -> Reply:
        """The repository: what there is, what is loaded, and aliases that moved."""
        if ask.kind == INDEX:
            return _json(ask, self._index(ask))
        if ask.kind == LOAD:
            # Aliases are looked up anew, and a release that failed a moment ago is tried again.
            self._sessions.forget_failures(ask.name)
            self._load(ask, "")
        if ask.kind == UNLOAD:
            component_folder(self._roots, ask.name, ask.organisation)
            self._sessions.unload(ask.name)
        if ask.kind == RELOAD:
            self._sessions.forget_aliases()
        if ask.kind == OBSERVED:
            return _json(ask, self._observing.taken())
        return _json(ask, {})

    def _index(self, ask: Ask) -> list[dict[str, str]]:
        """Every release that exists for the caller, or with the body `ready` only those that are loaded."""
        loaded = self._sessions.loaded()
        found = []
        for entry in entries(self._roots, ask.organisation):
            for version in versions_of(entry.folder):
                if (entry.name, version) in loaded:
                    found.append({"name": entry.name, "version": version, "state": "READY", "reason": ""})
                elif ask.body != b"ready":
                    found.append({"name": entry.name, "version": version, **_NOT_LOADED})
        return found

    def _release(self, ask: Ask, release: str, may_load: bool) -> LoadedRelease:
        known = self._sessions.known(ask.name, release)
        if known is None:
            if not may_load:
                raise _Longer
            return self._load(ask, release)
        if not is_visible(known.about.component.get("organisation"), ask.organisation):
            # Refused in the very words that are used for what does not exist.
            component_folder(self._roots, ask.name, ask.organisation)
        _answering.release = known
        return known

    def _load(self, ask: Ask, release: str) -> LoadedRelease:
        """The release, loaded under the watch: a hostile model may hang in its first run."""
        about = open_release(self._roots, ask.name, release, ask.organisation)
        if str(about.component.get("provider") or "") != self._provider:
            log.error("%s is another runner's to load", ask.name)
            raise ModelFailed(component=ask.name, reason="须由其提供方的进程执行 / belongs in its provider's runner")
        loaded: LoadedRelease = self._watched(
            ask, LOAD_SECONDS, lambda options: self._sessions.get(ask.name, release, options, ask.organisation)
        )
        self._observing.watch(loaded)
        _answering.release = loaded
        return loaded

    def _of_other(self, name: str, version: str, matrix: NDArray[np.float32]) -> tuple[LoadedRelease, Computed] | None:
        """What the candidate says beside the stable release, and the other way round, under the same watch as a call."""
        aliases = open_release(self._roots, name, version).component.get("aliases", {})
        stable, candidate = aliases.get("stable"), aliases.get("candidate")
        if not candidate or candidate == stable or version not in (stable, candidate):
            return None
        wanted = candidate if version == stable else stable
        ask = Ask(0, LOAD, name)
        other = self._sessions.known(name, wanted) or self._watched(
            ask, LOAD_SECONDS, lambda options: self._sessions.get(name, wanted, options)
        )
        if other.session is None or matrix.shape[1] != len(other.signature.inputs):
            return None
        return other, self._watched(ask, CALL_SECONDS, lambda options: compute(other, matrix, options))

    def _watched(self, ask: Ask, seconds: float, run: Callable[[Any], Any]) -> Any:
        """Runs with options that the watch can terminate."""
        options = onnxruntime.RunOptions()
        me = threading.get_ident()
        self._running[me] = (options, time.monotonic() + seconds, ask.name)
        try:
            return run(options)
        except Exception as wrong:
            if options.terminate and not isinstance(wrong, MemoryError):
                raise TooSlow(component=ask.name, seconds=round(seconds, 1)) from None
            raise
        finally:
            self._running.pop(me, None)

    def _watch(self) -> None:
        while True:
            time.sleep(0.25)
            now = time.monotonic()
            for options, deadline, name in list(self._running.values()):
                if now > deadline and not options.terminate:
                    log.warning("a run of %s is terminated", name)
                    options.terminate = True
                    if self._provider:
                        stand_behind()
                elif now > deadline + GRACE_SECONDS:
                    # The calls in flight get 503 and a new process takes over; those that waited behind it need not.
                    log.error("a run of %s cannot be terminated; the runner ends", name)
                    os._exit(70)

    def _problem(self, ask: Ask, refused: BaseException) -> Reply:
        problem = self._problems.problem(refused, language=ask.language, request_id=ask.request_id)
        headers = {name: value for name, value in problem.headers.items() if name != "Content-Type"}
        return Reply(ask.id, problem.status, "application/problem+json", problem.encoded(), 0, headers)


def _infer(release: LoadedRelease, ask: Ask, options: Any) -> tuple[bytes, int]:
    if release.session is None:
        return infer_tool(release, ask.body, ask.json_length, ask.language)
    return oip_json.infer(release, ask.body, ask.json_length, options)


def _json(ask: Ask, value: Any, status: int = 200) -> Reply:
    return Reply(ask.id, status, "application/json", orjson.dumps(value))


def _seconds_of(ask: Ask) -> float:
    return CALL_SECONDS + len(ask.body) / 1_000_000


def _loads(body: bytes) -> Any:
    """The strict reader: a feature given twice would otherwise be answered for one of its values, silently."""
    if not body:
        raise MalformedJson(reason="正文为空 / empty body")
    return strict_json.loads(body)
