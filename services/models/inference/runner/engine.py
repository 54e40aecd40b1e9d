"""One ask answered: release looked up, contract checked, model run under a watch, refusals said as problems."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnxruntime
import orjson

from services.models.errors import ModelFailed, NotAModel, TooSlow
from services.models.inference import oip_json
from services.models.inference.frames import INFER, METADATA, PREDICT, READY, RELOAD, Ask, Reply
from services.models.inference.metadata import model_metadata
from services.models.inference.predict import predict
from services.models.inference.release import open_release
from services.models.inference.runner.caps import CALL_SECONDS
from services.models.inference.sessions import Sessions
from services.models.problems import PROBLEMS as OWN
from shared.errors import MalformedJson, Refused
from shared.http import strict_json
from shared.problems import PROBLEMS, ProblemTable

log = logging.getLogger(__name__)


class Engine:
    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = tuple(roots)
        self._sessions = Sessions(roots)
        self._problems = ProblemTable(PROBLEMS, OWN)
        self._running: dict[int, tuple[Any, float, str]] = {}
        threading.Thread(target=self._watch, daemon=True, name="watch").start()

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
            release = self._sessions.get(ask.name, ask.release)
            if release.session is None:
                raise NotAModel(component=ask.name)
            body, json_length = self._watched(
                ask, lambda options: oip_json.infer(release, ask.body, ask.json_length, options)
            )
            media_type = "application/octet-stream" if json_length else "application/json"
            return Reply(ask.id, 200, media_type, body, json_length)
        if ask.kind == PREDICT:
            request = _lenient_loads(ask.body)
            named = request.get("release", "") if isinstance(request, dict) else ""
            release = self._sessions.get(ask.name, named if isinstance(named, str) else "?")
            answer = self._watched(ask, lambda options: predict(release, request, ask.language, options))
            return Reply(ask.id, 200, "application/json", orjson.dumps(answer))
        if ask.kind == METADATA:
            about = open_release(self._roots, ask.name, ask.release)
            return Reply(ask.id, 200, "application/json", orjson.dumps(model_metadata(about, self._roots)))
        if ask.kind == READY:
            if ask.name:
                self._sessions.get(ask.name, ask.release)
            return Reply(ask.id, 200, "application/json", b'{"ready":true}')
        if ask.kind == RELOAD:
            self._sessions.forget_aliases()
        return Reply(ask.id, 200, "application/json", b"{}")

    def _watched(self, ask: Ask, run: Any) -> Any:
        """Runs with options that the watch can terminate."""
        options = onnxruntime.RunOptions()
        me = threading.get_ident()
        self._running[me] = (options, time.monotonic() + CALL_SECONDS + len(ask.body) / 1_000_000, ask.name)
        try:
            return run(options)
        except ModelFailed:
            if options.terminate:
                raise TooSlow(component=ask.name, seconds=CALL_SECONDS) from None
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

    def _problem(self, ask: Ask, refused: BaseException) -> Reply:
        problem = self._problems.problem(refused, language=ask.language, request_id=ask.request_id)
        headers = {name: value for name, value in problem.headers.items() if name != "Content-Type"}
        return Reply(ask.id, problem.status, "application/problem+json", problem.encoded(), 0, headers)


def _lenient_loads(body: bytes) -> Any:
    """orjson is as strict as ours except for depth, repeated keys and large integers, which the checks behind refuse."""
    if not body:
        raise MalformedJson(reason="正文为空 / empty body")
    if body.count(b"[") + body.count(b"{") > 100_000:
        return strict_json.loads(body)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return strict_json.loads(body)
