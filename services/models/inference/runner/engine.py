"""One ask answered: release looked up, contract checked, model run under a watch, refusals said as problems."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import onnxruntime
import orjson

from services.models.errors import ModelFailed, NotAModel, TooSlow
from services.models.inference import oip_json
from services.models.inference.frames import INFER, METADATA, PREDICT, READY, RELOAD, Ask, Reply
from services.models.inference.metadata import model_metadata
from services.models.inference.predict import predict
from services.models.inference.release import LoadedRelease, open_release
from services.models.inference.runner.caps import CALL_SECONDS, GRACE_SECONDS, LOAD_SECONDS
from services.models.inference.sessions import Sessions
from services.models.problems import PROBLEMS as OWN
from shared.errors import MalformedJson, Refused
from shared.http import strict_json
from shared.problems import PROBLEMS, ProblemTable

log = logging.getLogger(__name__)


QUICK_S = 0.001


class Engine:
    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = tuple(roots)
        self._sessions = Sessions(roots)
        self._problems = ProblemTable(PROBLEMS, OWN)
        self._ranges: dict[tuple[str, str], tuple[LoadedRelease, oip_json.Ranges]] = {}
        self._running: dict[int, tuple[Any, float, str]] = {}
        self._took: dict[tuple[int, str, str], float] = {}
        threading.Thread(target=self._watch, daemon=True, name="watch").start()

    def is_quick(self, ask: Ask) -> bool:
        """Whether calls like this one have been short, so that nobody minds waiting behind it."""
        return self._took.get((ask.kind, ask.name, ask.release), 1.0) < QUICK_S

    def timed(self, ask: Ask) -> Reply:
        """`answer`, and remembers how long calls like it take."""
        began = time.perf_counter()
        reply = self.answer(ask)
        took = time.perf_counter() - began
        key = (ask.kind, ask.name, ask.release)
        if reply.status == 200 or key in self._took:
            # The latest counts for half: one hiccup of the machine is soon forgotten.
            self._took[key] = (self._took.get(key, took) + took) / 2
        return reply

    def answer(self, ask: Ask) -> Reply:
        """Never raises: whatever goes wrong is the answer."""
        try:
            return self._answer(ask)
        except Refused as refused:
            return self._problem(ask, refused)
        except MemoryError:
            return self._problem(ask, ModelFailed(component=ask.name, reason="内存不足 / out of memory"))
        except Exception as wrong:
            log.exception("the runner failed on %s", ask.name)
            return self._problem(ask, wrong)

    def _answer(self, ask: Ask) -> Reply:
        if ask.kind == INFER:
            release = self._release(ask, ask.release)
            if release.session is None:
                raise NotAModel(component=ask.name)
            body, json_length = self._watched(
                ask,
                _seconds_of(ask),
                lambda options: oip_json.infer(release, self._ranges_of(release), ask.body, ask.json_length, options),
            )
            media_type = "application/octet-stream" if json_length else "application/json"
            return Reply(ask.id, 200, media_type, body, json_length)
        if ask.kind == PREDICT:
            request = _loads(ask.body)
            named = request.get("release", "") if isinstance(request, dict) else ""
            release = self._release(ask, named if isinstance(named, str) else "?")
            answer = self._watched(
                ask, _seconds_of(ask), lambda options: predict(release, request, ask.language, options)
            )
            return Reply(ask.id, 200, "application/json", orjson.dumps(answer))
        if ask.kind == METADATA:
            about = open_release(self._roots, ask.name, ask.release)
            return Reply(ask.id, 200, "application/json", orjson.dumps(model_metadata(about, self._roots)))
        if ask.kind == READY:
            if ask.name:
                self._release(ask, ask.release)
            return Reply(ask.id, 200, "application/json", b'{"ready":true}')
        if ask.kind == RELOAD:
            self._sessions.forget_aliases()
        return Reply(ask.id, 200, "application/json", b"{}")

    def _release(self, ask: Ask, release: str) -> LoadedRelease:
        """The release, loaded under the watch: a hostile model may hang in its first run."""
        known = self._sessions.known(ask.name, release)
        if known is not None:
            return known
        loaded: LoadedRelease = self._watched(
            ask, LOAD_SECONDS, lambda options: self._sessions.get(ask.name, release, options)
        )
        return loaded

    def _ranges_of(self, release: LoadedRelease) -> oip_json.Ranges:
        key = (release.name, release.version)
        held = self._ranges.get(key)
        if held is None or held[0] is not release:
            held = self._ranges[key] = (release, oip_json.Ranges(release.signature))
        return held[1]

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
                elif now > deadline + GRACE_SECONDS:
                    # The calls in flight get 503 and a new process takes over; those that waited behind it need not.
                    log.error("a run of %s cannot be terminated; the runner ends", name)
                    os._exit(70)

    def _problem(self, ask: Ask, refused: BaseException) -> Reply:
        problem = self._problems.problem(refused, language=ask.language, request_id=ask.request_id)
        headers = {name: value for name, value in problem.headers.items() if name != "Content-Type"}
        return Reply(ask.id, problem.status, "application/problem+json", problem.encoded(), 0, headers)


def _seconds_of(ask: Ask) -> float:
    return CALL_SECONDS + len(ask.body) / 1_000_000


def _loads(body: bytes) -> Any:
    """The strict reader: a feature given twice would otherwise be answered for one of its values, silently."""
    if not body:
        raise MalformedJson(reason="正文为空 / empty body")
    return strict_json.loads(body)
