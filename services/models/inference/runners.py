"""One runner for the platform's own releases, one for each organisation that provides others, started on demand.

A provider's runner ends after a while without calls. A component that was being computed whenever its runner ended, so
often in so short a time, is stopped; the others of that provider go on in the next process.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from services.models.errors import Quarantined
from services.models.inference.frames import INDEX, METADATA, OBSERVED, RELOAD, Ask, Reply
from services.models.inference.release import entry_of
from services.models.inference.runner_process import DEADLINE_S, Runner
from shared.errors import Busy

log = logging.getLogger(__name__)

MOST_PROVIDERS = 6
"""Runners of providers at once: each takes about a hundred megabytes."""
PROVIDER_MEMORY_MB = 512
IDLE_S = 300.0
LOOK_EVERY_S = 5.0
CRASHES, WITHIN_S = 3, 120.0
STOPPED, REST_S = 3, 10.0
"""A component whose calls had to be stopped so often in that time is left alone for a while: each took two seconds."""
CRASHED = "运行时多次使执行进程崩溃 / it ended its process again and again"
MOST_REMEMBERED = 10_000

Stop = Callable[[str, str], None]
"""`(component, reason)`: a component is to be quarantined. Called on the event loop, must not block."""


class Crashes:
    """Which components were being computed when a runner ended, lately."""

    def __init__(self, stop: Stop | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stop, self._clock = stop, clock
        self._times: dict[str, deque[float]] = {}
        self._stopped: dict[str, float] = {}
        self._slow: dict[str, deque[float]] = {}
        self._rests: dict[str, float] = {}

    def too_slow(self, name: str) -> None:
        """A call of it ran until it was stopped."""
        now = self._clock()
        times = self._slow.setdefault(name, deque(maxlen=STOPPED))
        times.append(now)
        if len(times) == STOPPED and now - times[0] <= WITHIN_S:
            times.clear()
            self._rests[name] = now + REST_S

    def ended(self, names: set[str]) -> None:
        """A runner ended while these were being computed."""
        now = self._clock()
        for name in names:
            times = self._times.setdefault(name, deque(maxlen=CRASHES))
            times.append(now)
            if len(times) == CRASHES and now - times[0] <= WITHIN_S and name not in self._stopped:
                log.error("%s ended its runner %s times in %.0f s and is quarantined", name, CRASHES, now - times[0])
                self._stopped[name] = now
                if self._stop is not None:
                    self._stop(name, CRASHED)

    def check(self, name: str) -> None:
        """Raises `Quarantined`, or `Busy` for one that rests. After the window the row's stage alone decides: it is what
        somebody lifts."""
        rests = self._rests.get(name)
        if rests is not None:
            if self._clock() < rests:
                raise Busy(
                    what=f"「{name}」多次超时，暂停一会儿 / it took too long again and again", retry_after_s=int(REST_S)
                )
            del self._rests[name]
        since = self._stopped.get(name)
        if since is None:
            return
        if self._clock() - since > WITHIN_S:
            del self._stopped[name]
            self._times.pop(name, None)
            return
        raise Quarantined(component=name, reason=CRASHED)


class Runners:
    """`call(ask)` goes to the runner that the component belongs to."""

    def __init__(self, roots: Sequence[Path], memory_mb: int, stop: Stop | None = None) -> None:
        self._roots = tuple(roots)
        self._memory_mb = memory_mb
        self._crashes = Crashes(stop)
        self.platform = Runner(roots, memory_mb, ended=self._crashes.ended)
        self._providers: dict[str, Runner] = {}
        self._starting = asyncio.Lock()
        self._provider_of: dict[str, str] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await self.platform.start()
        self._tasks = [asyncio.create_task(self._let_go())]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        running, self._providers = list(self._providers.values()), {}
        await asyncio.gather(self.platform.stop(), *(each.stop() for each in running))

    @property
    def providers(self) -> dict[str, int | None]:
        """Organisations whose runner is up, and its process."""
        return {name: each.pid for name, each in self._providers.items()}

    async def call(self, ask: Ask) -> Reply:
        """Raises `Busy`, `Quarantined`."""
        if ask.kind in (METADATA, INDEX, RELOAD, OBSERVED) or not ask.name:
            return await self.platform.call(ask)
        self._crashes.check(ask.name)
        provider = self._provider(ask.name)
        if not provider:
            return await self.platform.call(ask)
        reply = await (await self._of(provider)).call(ask)
        if reply.status == 503 and b"/problems/model-too-slow" in reply.body:
            self._crashes.too_slow(ask.name)
        return reply

    async def everywhere(self, kind: int) -> list[Reply]:
        """The same to every runner that is up: aliases moved, or counts are fetched."""
        running = [self.platform, *self._providers.values()]
        found = await asyncio.gather(*(each.call(Ask(0, kind, "")) for each in running), return_exceptions=True)
        return [each for each in found if isinstance(each, Reply)]

    def _provider(self, name: str) -> str:
        """A component keeps its provider, so it is looked up once."""
        known = self._provider_of.get(name)
        if known is None:
            entry = entry_of(self._roots, name)
            if entry is None:
                return ""
            if len(self._provider_of) >= MOST_REMEMBERED:
                self._provider_of.clear()
            known = self._provider_of[name] = entry.provider
        return known

    async def _of(self, provider: str) -> Runner:
        runner = self._providers.get(provider)
        if runner is not None:
            return runner
        async with self._starting:
            if provider not in self._providers:
                await self._make_room()
                runner = Runner(self._roots, min(self._memory_mb, PROVIDER_MEMORY_MB), DEADLINE_S, provider,
                                self._crashes.ended)  # fmt: skip
                await runner.start()
                self._providers[provider] = runner
            return self._providers[provider]

    async def _make_room(self) -> None:
        if len(self._providers) < MOST_PROVIDERS:
            return
        idle = [name for name, each in self._providers.items() if not each.busy]
        if not idle:
            raise Busy(what="服务商的执行进程 / providers' runners", retry_after_s=2)
        await self._end(min(idle, key=lambda name: self._providers[name].used_at))

    async def _let_go(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now = time.monotonic()
            for name, each in list(self._providers.items()):
                if not each.busy and now - each.used_at > IDLE_S:
                    await self._end(name)

    async def _end(self, name: str) -> None:
        await self._providers.pop(name).stop()
