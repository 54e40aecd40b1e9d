"""Calls to the runner from a thread: pages that are served in this process call predict without the event loop.

While the server runs, its own runner answers. Without a server (one command, a test client) a runner is started at the
first call and ended with the service.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from services.models.inference.endpoints import Endpoints
from services.models.inference.frames import METADATA, Ask, Reply, reply_of, whole_frames
from services.models.inference.handover import BeginJob, Inference
from services.models.inference.release import entry_of
from services.models.inference.runner_process import DEADLINE_S, WHAT, command, environment
from services.models.inference.runners import Runners, Stop
from services.models.inference.standing import Standings
from shared.errors import Busy
from shared.http.call import Admit
from shared.http.waiting import Ask as AskPage


class RunnerFromThreads:
    """`call(ask)` from any thread. Raises `Busy`."""

    def __init__(self, roots: Sequence[Path], memory_mb: int) -> None:
        self._roots = [str(root) for root in roots]
        self._memory_mb = memory_mb
        self._served: tuple[asyncio.AbstractEventLoop, Runners] | None = None
        self._own: dict[str, _OwnRunner] = {}
        """By provider; the platform's own under an empty name."""
        self._lock = threading.Lock()

    def serve_by(self, loop: asyncio.AbstractEventLoop, runners: Runners) -> None:
        """From now on the server's runners answer."""
        self._served = (loop, runners)

    def serve_alone(self) -> None:
        self._served = None

    def call(self, ask: Ask) -> Reply:
        """Raises `Busy`, `Quarantined`."""
        served = self._served
        if served is None:
            return self._alone(ask)
        loop, runners = served
        waiting = asyncio.run_coroutine_threadsafe(runners.call(ask), loop)
        try:
            return waiting.result(DEADLINE_S)
        except TimeoutError:
            waiting.cancel()
            raise Busy(what=WHAT, retry_after_s=2) from None

    def everywhere(self, kind: int) -> list[Reply]:
        """The same to every runner that is up; none is started for it."""
        served = self._served
        if served is None:
            with self._lock:
                return [each.call(Ask(0, kind, "")) for each in self._own.values()]
        loop, runners = served
        waiting = asyncio.run_coroutine_threadsafe(runners.everywhere(kind), loop)
        try:
            return waiting.result(DEADLINE_S)
        except TimeoutError:
            waiting.cancel()
            return []

    def _alone(self, ask: Ask) -> Reply:
        entry = None if ask.kind == METADATA else entry_of([Path(root) for root in self._roots], ask.name)
        provider = entry.provider if entry is not None else ""
        with self._lock:
            if provider not in self._own:
                self._own[provider] = _OwnRunner(self._roots, self._memory_mb, provider)
            try:
                return self._own[provider].call(ask)
            except OSError:
                # It died; the next call starts another one.
                self._own.pop(provider).close()
                raise Busy(what=WHAT, retry_after_s=1) from None

    def close(self) -> None:
        with self._lock:
            while self._own:
                self._own.popitem()[1].close()


class _OwnRunner:
    """A runner process for one call at a time."""

    def __init__(self, roots: Sequence[str], memory_mb: int, provider: str = "") -> None:
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(DEADLINE_S)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                command(roots, memory_mb, theirs.fileno(), provider),
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                env=environment(provider),
            )
        self._next = 0

    def call(self, ask: Ask) -> Reply:
        """Raises OSError when the process is gone or does not answer."""
        self._next += 1
        ask.id = self._next
        self._socket.sendall(ask.packed())
        buffer = bytearray()
        while received := self._socket.recv(256 * 1024):
            buffer += received
            for frame in whole_frames(buffer):
                reply = reply_of(frame)
                if reply.id == ask.id:
                    return reply
        raise ConnectionError("the runner ended")

    def close(self) -> None:
        self._socket.close()
        try:
            self._process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=3)


class SharedInference(Inference):
    """The hand-over, whose runners threads may use too."""

    def __init__(
        self,
        roots: Sequence[Path],
        admit: Admit,
        memory_mb: int,
        threads: RunnerFromThreads,
        begin: BeginJob | None = None,
        standings: Standings | None = None,
        stop: Stop | None = None,
        endpoints: Endpoints | None = None,
        around: Sequence[tuple[Callable[[], None], Callable[[], None]]] = (),
    ) -> None:
        """`around`: pairs of what starts after the runners and what stops before them."""
        super().__init__(roots, admit, memory_mb, begin, standings, stop, endpoints)
        self._threads = threads
        self._around = around

    async def start(self, ask: AskPage) -> None:
        await super().start(ask)
        self._threads.serve_by(asyncio.get_running_loop(), self.runners)
        for begin, _ in self._around:
            begin()

    async def stop(self) -> None:
        for _, end in self._around:
            await asyncio.to_thread(end)
        self._threads.serve_alone()
        await super().stop()
