"""Components that are a provider's own service: checked, called through the guarded client, and its answer checked.

A provider whose service fails or stands still is left alone for a while, and holds up nobody but its own callers.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.models.errors import BadInstances, EndpointFailed, NotAModel
from services.models.inference import outside
from services.models.inference.counts import Counts
from services.models.inference.endpoint_counts import EndpointCounts, count_rows
from services.models.inference.frames import INFER, LOAD, PREDICT, READY, Ask, Reply
from services.models.inference.plain_instances import Checked, checked_instances
from services.models.inference.release import ReleaseFolder, entry_of, open_release
from shared.errors import Busy, DependencyDown, MalformedJson
from shared.http import strict_json

THREADS = 12
MOST_OF_ONE = 4
"""Calls of one provider at once."""
MOST_WAITING = 100
FAILURES, REST_S = 5, 20.0
MOST_INSTANCES = 1000
_KINDS = (PREDICT, INFER, READY, LOAD)

Post = Callable[[outside.Target, bytes, Mapping[str, str]], outside.Got]


@dataclass
class _Provider:
    """How it went lately with the service of one provider."""

    inside: int = 0
    failures: int = 0
    rests_until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Endpoints:
    """`answer(ask)` on the event loop, `call(ask)` from a thread."""

    def __init__(self, roots: Sequence[Path], *, loopback: bool = False, clock: Callable[[], float] = time.monotonic):
        """`loopback`: whether plain http to this machine is called too, for tests on one machine."""
        self._roots = tuple(roots)
        self._loopback = loopback
        self._clock = clock
        self._providers: dict[str, _Provider] = {}
        self._pool = ThreadPoolExecutor(THREADS, "endpoint")
        self._is_http: dict[str, bool] = {}
        self._waiting = 0
        self._counts = EndpointCounts()

    def wants(self, ask: Ask) -> bool:
        if ask.kind not in _KINDS:
            return False
        known = self._is_http.get(ask.name)
        if known is None:
            entry = entry_of(self._roots, ask.name)
            if entry is None:
                return False
            if len(self._is_http) > 10_000:
                self._is_http.clear()
            known = self._is_http[ask.name] = entry.kind == "http"
        return known

    async def answer(self, ask: Ask) -> Reply:
        """Raises what `call` raises, and `Busy`."""
        if self._waiting >= MOST_WAITING:
            raise Busy(what="服务商的接口 / providers' endpoints", retry_after_s=1)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self.call, ask)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def call(self, ask: Ask) -> Reply:
        """Raises `UnknownRelease`, `BadInstances`, `NotAModel`, `Busy`, `DependencyDown`, `EndpointFailed`,
        `UnsafeAddress`."""
        if ask.kind == INFER:
            raise NotAModel(component=ask.name)
        if ask.kind in (READY, LOAD):
            open_release(self._roots, ask.name, ask.release, ask.organisation)
            return Reply(ask.id, 200, "application/json", b'{"ready":true}')
        request = strict_json.loads(ask.body) if ask.body else None
        if request is None:
            raise MalformedJson(reason="正文为空 / empty body")
        named = request.get("release") if isinstance(request, dict) else None
        about = open_release(
            self._roots, ask.name, named if isinstance(named, str) and named else ask.release, ask.organisation
        )
        answer = self._counted(about, request, ask)
        return Reply(ask.id, 200, "application/json", strict_json.dumps(answer))

    def taken(self) -> dict[str, Any]:
        """What was counted of calls since the last time."""
        return self._counts.taken()

    def _counted(self, about: ReleaseFolder, request: Any, ask: Ask) -> dict[str, Any]:
        """As in the runner, a caller's mistake is a call without an error, and one for which there was no room is none."""
        began = time.perf_counter()
        try:
            checked, predictions = self._predicted(about, request, ask.request_id)
        except Busy:
            raise
        except Exception as wrong:
            self._counts.called(about, time.perf_counter() - began, failed=not isinstance(wrong, BadInstances))
            raise
        self._counts.called(about, time.perf_counter() - began, failed=False)
        self._counts.answered(about, checked.instances, predictions)
        return _told(about, predictions, ask.language)

    def predict(
        self,
        about: ReleaseFolder,
        request: Any,
        request_id: str = "",
        language: str = "zh",
        counts: Counts | None = None,
    ) -> dict[str, Any]:
        """The friendly answer of one release. It is no call: a check is not counted, and a job adds every row to `counts`,
        which it keeps itself. Raises what `call` raises."""
        checked, predictions = self._predicted(about, request, request_id)
        if counts is not None:
            count_rows(counts, about, checked.instances, predictions)
        return _told(about, predictions, language)

    def _predicted(self, about: ReleaseFolder, request: Any, request_id: str) -> tuple[Checked, list[dict[str, Any]]]:
        checked = checked_instances(about.signature, request, MOST_INSTANCES)
        provider = self._providers.setdefault(str(about.component.get("provider") or about.name), _Provider())
        self._enter(about, provider)
        ok = False
        try:
            said = self._said(about, checked.instances, request_id)
            ok = True
        finally:
            self._leave(provider, ok=ok)
        predictions = [
            {
                **_prediction(about, each, index),
                "in_range": all(warning["code"] != "out_of_range" for warning in warnings),
                "warnings": warnings,
            }
            for index, (each, warnings) in enumerate(zip(said, checked.warnings, strict=True))
        ]
        return checked, predictions

    def _said(self, about: ReleaseFolder, instances: list[dict[str, Any]], request_id: str) -> list[Any]:
        given = about.endpoint or {"url": "", "domains": []}
        target = outside.resolved(given["url"], given["domains"], loopback=self._loopback)
        body = strict_json.dumps({"instances": instances, "release": about.version})
        got = outside.post(target, body, {"X-Request-Id": request_id})
        if got.status != 200:
            raise EndpointFailed(component=about.name, reason=f"回答 {got.status}，应为 200 / answered {got.status}")
        if got.media_type != "application/json":
            reason = f"回答的类型是「{got.media_type[:60]}」，应为 application/json / wrong content type"
            raise EndpointFailed(component=about.name, reason=reason)
        try:
            answer = strict_json.loads(got.body)
        except MalformedJson as wrong:
            reason = f"回答不是可用的 JSON / unusable JSON: {wrong.reason[:120]}"
            raise EndpointFailed(component=about.name, reason=reason) from None
        said = answer.get("predictions") if isinstance(answer, dict) else None
        if not isinstance(said, list) or len(said) != len(instances):
            reason = f"predictions 应有 {len(instances)} 项 / must hold one prediction for each instance"
            raise EndpointFailed(component=about.name, reason=reason)
        return said

    def _enter(self, about: ReleaseFolder, provider: _Provider) -> None:
        with provider.lock:
            if self._clock() < provider.rests_until:
                raise DependencyDown(dependency=f"「{about.name}」的服务 / the provider's service", retry_after_s=5)
            if provider.inside >= MOST_OF_ONE:
                raise Busy(what=f"「{about.name}」的服务 / the provider's service", retry_after_s=1)
            if provider.failures >= FAILURES:
                # One call tries whether it is back; the others are told to wait until that one returns.
                provider.rests_until = self._clock() + REST_S
            provider.inside += 1

    def _leave(self, provider: _Provider, *, ok: bool) -> None:
        with provider.lock:
            provider.inside -= 1
            provider.failures = 0 if ok else provider.failures + 1
            rests = provider.failures >= FAILURES
            provider.rests_until = self._clock() + REST_S if rests else 0.0


def _told(about: ReleaseFolder, predictions: list[dict[str, Any]], language: str) -> dict[str, Any]:
    source = about.component.get("source")
    told = {"source": source.get(language) or source.get("zh")} if isinstance(source, Mapping) else {}
    return {"component": about.name, "release": about.version, "predictions": predictions, **told}


def _prediction(about: ReleaseFolder, said: Any, index: int) -> dict[str, Any]:
    """What is kept of a provider's prediction: a value of the declared kind, an interval, probabilities; nothing else."""
    place = f"predictions.{index}"
    if not isinstance(said, dict):
        raise EndpointFailed(component=about.name, reason=f"{place} 应为对象 / must be an object")
    signature = about.signature
    value, found = said.get("value"), dict[str, Any]()
    if signature.classes:
        if value not in signature.classes:
            raise EndpointFailed(component=about.name, reason=f"{place}.value 不是申报的类别 / is no declared class")
        found = {"value": value, "unit": ""}
        shares = said.get("probabilities")
        if isinstance(shares, dict) and set(shares) == set(signature.classes) and all(map(_finite, shares.values())):
            found["probabilities"] = {name: float(shares[name]) for name in signature.classes}
        return found
    if not _finite(value):
        raise EndpointFailed(component=about.name, reason=f"{place}.value 应为有限数值 / must be a finite number")
    found = {"value": value, "unit": signature.outputs[0].unit}
    band = said.get("interval")
    if band is not None:
        ends: list[Any] = [band.get(name) for name in ("low", "high", "coverage")] if isinstance(band, dict) else [None]
        if not all(map(_finite, ends)) or not ends[0] <= ends[1] or not 0 < ends[2] < 1:
            raise EndpointFailed(component=about.name, reason=f"{place}.interval 无法读取 / cannot be read")
        found["interval"] = {"low": ends[0], "high": ends[1], "coverage": ends[2]}
    return found


def _finite(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, (int, float)) and math.isfinite(value)
