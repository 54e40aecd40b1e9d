"""The services behind the gateway: their guards, their documents, their readiness."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

from services.gateway.openapi import Document, with_protocol
from services.gateway.policy.guard import Guard
from services.gateway.search.learning import Learner
from shared.errors import DependencyDown, Refused, UpstreamTimeout
from shared.http.call import Call
from shared.http.upstream import Request, Response, Upstream
from shared.identity import ANONYMOUS, PRINCIPAL_HEADER, sign
from shared.settings import UPSTREAM_SERVICES, Settings

log = logging.getLogger(__name__)

INFERENCE_AT_ONCE = 1024
"""In one process inference is many short calls on the event loop; beyond this it answers 503 at once."""
WAITING_AT_ONCE = 4
"""Event streams and long polls that come through the gateway's threads. A proxy should pass them by."""
PROBE_S = 1.0
READY_S = 2.0
SEARCH_S = 3.0
LARGEST_ANSWER = 32 * 1024 * 1024
_PARAMETER = re.compile(r"\{[^/}]+\}")


def make_guards(settings: Settings) -> dict[str, Guard]:
    """A service that hangs may hold half of the threads, for half a second, before the others are preferred."""
    threads = settings.page_threads
    half = max(2, threads // 2)
    guards = {name: Guard(name, most=max(2, threads), when_slow=half) for name in UPSTREAM_SERVICES}
    if "models" in settings.upstreams:
        guards["models.inference"] = Guard("models", most=max(2, threads), when_slow=half)
    else:
        guards["models.inference"] = Guard("models", most=INFERENCE_AT_ONCE)
    guards["waiting"] = Guard("jobs", most=min(WAITING_AT_ONCE, half))
    return guards


class Services:
    """What is known about the services behind, refreshed in the background."""

    def __init__(self, settings: Settings, upstreams: Mapping[str, Upstream], guards: Mapping[str, Guard]) -> None:
        self.upstreams = dict(upstreams)
        self._secret = settings.secret
        self._guards = guards
        self._documents: dict[str, Document] = {}
        self._tables: dict[str, list[tuple[re.Pattern[str], frozenset[str]]]] = {}
        self._lock = threading.Lock()

    def upstream(self, name: str) -> Upstream:
        found = self.upstreams.get(name)
        if found is None:
            raise DependencyDown(dependency=name)
        return found

    def documents(self) -> dict[str, Document]:
        """The API document of each service that answers, or that answered before."""
        missing = [name for name in self.upstreams if name not in self._documents]
        for name in missing:
            self._fetch_document(name)
        return {name: self._documents[name] for name in self.upstreams if name in self._documents}

    def refresh_documents(self) -> None:
        for name in self.upstreams:
            self._fetch_document(name)

    def _fetch_document(self, name: str) -> None:
        try:
            document = self._get_json(name, "/openapi.json", READY_S)
        except Refused:
            return
        if document == self._documents.get(name):
            return
        table = []
        for path, operations in with_protocol(name, document)["paths"].items():
            methods = {method.upper() for method in operations if method.lower() not in ("parameters", "summary")}
            if "GET" in methods:
                methods |= {"HEAD", "OPTIONS"}
            literal = "[^/]+".join(re.escape(part) for part in _PARAMETER.split(path))
            table.append((re.compile(literal), frozenset(methods)))
        with self._lock:
            self._documents[name], self._tables[name] = document, table

    def methods_of(self, service: str, path: str) -> frozenset[str] | None:
        """The methods that the service lists for a path: empty when it has no such path, None when not known yet."""
        table = self._tables.get(service)
        if not table:
            return None
        found: frozenset[str] = frozenset()
        for pattern, methods in table:
            if pattern.fullmatch(path):
                found |= methods
        return found

    def readiness(self) -> dict[str, dict[str, Any]]:
        """What each service says about itself, asked at once; one that is away is named and holds up nobody."""
        names = [name for name in self.upstreams if name != "gateway"]
        if not names:
            return {}
        with ThreadPoolExecutor(len(names), thread_name_prefix="ready") as pool:
            return dict(zip(names, pool.map(self._readiness_of, names), strict=True))

    def _readiness_of(self, name: str) -> dict[str, Any]:
        try:
            found = self._get_json(name, "/readyz", READY_S, any_status=True)
        except Refused as refused:
            return {"ok": False, "detail": type(refused).__name__}
        dependencies = found.get("dependencies")
        bad = [part for part, state in dependencies.items() if not state.get("ok")] if dependencies else []
        ready = found.get("status") == "ready"
        return {"ok": ready, "detail": ", ".join(bad), "dependencies": dependencies or {}}

    def search(self, service: str, request: Mapping[str, Any], token: str) -> dict[str, Any] | None:
        """A service's part of a merged search; None when it is away, known to be away, or refuses."""
        return self._asked(service, "/internal/search", request, token)

    def entries(self, service: str, ids: Sequence[str], marks: Sequence[str], token: str) -> dict[str, Any] | None:
        """What results show of these hits of a service; None when it is away, known to be away, or refuses."""
        return self._asked(service, "/internal/entries", {"ids": list(ids), "marks": list(marks)}, token)

    def _asked(self, service: str, path: str, request: Mapping[str, Any], token: str) -> dict[str, Any] | None:
        guard = self._guards.get(service)
        call = Call(method="POST", path=path, headers={}, address="")
        if guard is not None and guard.enter(call) is not None:
            return None
        try:
            found = self._post_json(service, path, request, token)
            call.status = 200
            return found
        except (DependencyDown, UpstreamTimeout):
            call.status = 504
            return None
        except Refused:
            return None
        finally:
            if guard is not None:
                guard.leave(call)

    def read(self, service: str, path: str, query: str, token: str, language: str) -> tuple[int, dict[str, Any]] | None:
        """A service's answer to a GET as its status and body; None when it is away or known to be away."""
        guard = self._guards.get(service)
        call = Call(method="GET", path=path, headers={}, address="")
        if guard is not None and guard.enter(call) is not None:
            return None
        headers = {PRINCIPAL_HEADER: token, "Accept": "application/json", "Accept-Language": language}
        try:
            answer = self.upstream(service).call(
                Request(method="GET", path=path, query=query, headers=headers, timeout_s=SEARCH_S)
            )
            call.status = answer.status
            body = _at_most(service, answer)
            return call.status, _object(service, 200, body)
        except (DependencyDown, UpstreamTimeout):
            call.status = 504
            return None
        finally:
            if guard is not None:
                guard.leave(call)

    def _post_json(self, service: str, path: str, request: Mapping[str, Any], token: str) -> dict[str, Any]:
        headers = {PRINCIPAL_HEADER: token, "Content-Type": "application/json"}
        body = json.dumps(request, ensure_ascii=False).encode()
        answer = self.upstream(service).call(
            Request(method="POST", path=path, headers=headers, body=body, timeout_s=SEARCH_S)
        )
        return _object(service, answer.status, _at_most(service, answer))

    def lexicon(self, service: str, have: str) -> dict[str, Any]:
        """How a service's texts write, or only the version when it is the one that is had. Raises as calls do."""
        return self._get_json(service, "/internal/lexicon", READY_S, query=urlencode({"have": have}))

    def probe(self) -> None:
        """Closes the guards of services that answer again."""
        for name, guard in self._guards.items():
            service = name.partition(".")[0]
            if not guard.is_open or service not in self.upstreams:
                continue
            try:
                self._get_json(service, "/healthz", PROBE_S)
            except Refused:
                continue
            log.info("%s answers again", service)
            guard.close()

    def _get_json(
        self, name: str, path: str, timeout_s: float, *, any_status: bool = False, query: str = ""
    ) -> dict[str, Any]:
        headers = {PRINCIPAL_HEADER: sign(ANONYMOUS, self._secret), "Accept": "application/json"}
        request = Request(method="GET", path=path, query=query, headers=headers, timeout_s=timeout_s)
        answer = self.upstream(name).call(request)
        return _object(name, 200 if any_status else answer.status, _at_most(name, answer))


def _at_most(name: str, answer: Response) -> bytes:
    """The whole body of an answer that is meant for the gateway itself; one without an end is none."""
    parts: list[bytes] = []
    size = 0
    try:
        for part in answer.body:
            size += len(part)
            if size > LARGEST_ANSWER:
                raise DependencyDown(dependency=name)
            parts.append(part)
    finally:
        answer.close()
    return b"".join(parts)


def _object(name: str, status: int, body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body) if status == 200 else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise DependencyDown(dependency=name)
    return found


DOCUMENTS_EVERY_S = 300.0
WORDS_EVERY_S = 60.0


class Prober:
    """One thread that looks after the services behind: it may wait for them, nobody waits for it."""

    def __init__(self, services: Services, learner: Learner) -> None:
        self._services, self._learner = services, learner
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gateway-probes", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        documents_at, words_at = -DOCUMENTS_EVERY_S, -WORDS_EVERY_S
        while True:
            try:
                self._services.probe()
                if not self._learner.is_complete or time.monotonic() - words_at > WORDS_EVERY_S:
                    self._learner.look()
                    words_at = time.monotonic()
                if time.monotonic() - documents_at > DOCUMENTS_EVERY_S:
                    self._services.refresh_documents()
                    documents_at = time.monotonic()
            except Exception:
                log.exception("a look at the services behind failed")
            if self._stop.wait(PROBE_S):
                return
