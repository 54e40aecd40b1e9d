"""The runner's process, started and watched by the event loop, and the calls that wait for it.

One that dies costs the calls in flight (503 with Retry-After) and is started again at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from services.models.inference.frames import Ask, Reply, reply_of, whole_frames
from services.models.inference.lines import Lines
from shared.errors import Busy

log = logging.getLogger(__name__)

DEADLINE_S = 30.0
RESTART_PAUSE_S = 0.1
LONGEST_RESTART_PAUSE_S = 5.0
SHORT_LIFE_S = 5.0
"""A runner that ends sooner is started again after a pause that doubles, so that a broken one costs little."""
WHAT = "模型执行进程 / model runner"


class Runner:
    """One runner process and the socket to it."""

    def __init__(
        self,
        roots: Sequence[Path],
        memory_mb: int,
        deadline_s: float = DEADLINE_S,
        provider: str = "",
        ended: Callable[[set[str]], None] | None = None,
    ) -> None:
        """`provider`: whose releases it runs, isolated. `ended` hears which components were being computed when the
        process ended by itself."""
        self.provider = provider
        self.used_at = time.monotonic()
        self._ended = ended
        self._roots = [str(root) for root in roots]
        self._memory_mb = memory_mb
        self._deadline_s = deadline_s
        self._waiting: dict[int, tuple[float, asyncio.Future[Reply]]] = {}
        """Deadline and future of each call, the oldest first."""
        self._sent: dict[int, str] = {}
        """The component of each call that the process has."""
        self._lines = Lines()
        self._next = 0
        self._last_reply = 0.0
        self._transport: asyncio.Transport | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._up = asyncio.Event()

    @property
    def busy(self) -> bool:
        """Whether anybody waits for it."""
        return bool(self._waiting)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._keep()), asyncio.create_task(self._sweep())]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._up.wait(), 20)

    async def stop(self) -> None:
        self._ended = None
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._transport is not None:
            self._transport.close()
        if self._process is not None and self._process.returncode is None:
            try:
                await asyncio.wait_for(self._process.wait(), 3)
            except TimeoutError:
                self._process.kill()

    async def call(self, ask: Ask) -> Reply:
        """Raises `Busy` when the runner or the model's queue is full, when it restarts, or does not answer in time."""
        size = len(ask.body)
        if ask.name:
            self.used_at = time.monotonic()
        number = self._next = (self._next + 1) & 0xFFFFFFFF
        self._lines.enter(ask.name, number, size)
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        ask.id, ask.deadline = number, time.monotonic() + self._deadline_s
        self._waiting[number] = (ask.deadline, future)
        try:
            if self._transport is None:
                await self._wait_for_restart()
            if self._transport is None:
                raise Busy(what=WHAT, retry_after_s=1)
            self._sent[number] = ask.name
            self._transport.write(ask.packed())
            return await future
        finally:
            self._sent.pop(number, None)
            self._waiting.pop(number, None)
            self._lines.leave(ask.name, number, size)

    async def _wait_for_restart(self) -> None:
        """A call that comes while the runner restarts waits a moment rather than failing."""
        try:
            await asyncio.wait_for(self._up.wait(), 1.5)
        except TimeoutError:
            raise Busy(what=WHAT, retry_after_s=1) from None

    async def _sweep(self) -> None:
        """Ends the calls that are overdue; one look a second costs less than a timer for each of them."""
        while True:
            await asyncio.sleep(min(1.0, self._deadline_s / 2))
            now = time.monotonic()
            late = [future for deadline, future in self._waiting.values() if deadline < now and not future.done()]
            for future in late:
                future.set_exception(Busy(what=WHAT, retry_after_s=2))
            if late and self._process is not None and self._last_reply < now - self._deadline_s:
                # Not a word in all that time: it hangs, and would for everybody.
                log.warning("the model runner does not answer and is ended")
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()

    def received(self, reply: Reply) -> None:
        self._last_reply = time.monotonic()
        waiting = self._waiting.get(reply.id)
        if waiting is not None and not waiting[1].done():
            waiting[1].set_result(reply)

    def lost(self, transport: asyncio.BaseTransport | None) -> None:
        """The runner is gone: everyone whose call it had is told so at once. Harmless for one that is gone already."""
        if transport is None or transport is not self._transport:
            return
        self._transport = None
        self._up.clear()
        if self._ended is not None:
            self._ended({name for name in self._sent.values() if name})
        for number in self._sent:
            _, future = self._waiting[number]
            if not future.done():
                future.set_exception(Busy(what=WHAT, retry_after_s=1))

    async def _keep(self) -> None:
        """Starts the process and starts it again whenever it ends."""
        pause = RESTART_PAUSE_S
        while True:
            started = time.monotonic()
            try:
                await self._run_once()
            except Exception:
                log.exception("the model runner could not be started")
            if time.monotonic() - started > SHORT_LIFE_S:
                pause = RESTART_PAUSE_S
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_RESTART_PAUSE_S)

    async def _run_once(self) -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                *command(self._roots, self._memory_mb, theirs.fileno(), self.provider), pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL, env=environment(self.provider),
            )  # fmt: skip
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_accepted_socket(lambda: _Protocol(self), ours)
        self._transport = transport
        self._up.set()
        code = await self._process.wait()
        log.warning("the model runner ended with %s; it is started again", code)
        self.lost(transport)
        transport.close()


def command(roots: Sequence[str], memory_mb: int, descriptor: int, provider: str = "") -> list[str]:
    """How a runner is started."""
    whose = [f"--provider={provider}"] if provider else []
    return [
        sys.executable, "-m", "services.models.inference.runner", *whose, str(descriptor), str(memory_mb), *roots
    ]  # fmt: skip


def environment(provider: str = "") -> dict[str, str]:
    """Of a runner. One with somebody else's models is given none of ours: it holds secrets."""
    kept = {"PATH": os.environ.get("PATH", "")} if provider else dict(os.environ)
    return {**kept, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


class _Protocol(asyncio.Protocol):
    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._buffer = bytearray()
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        for frame in whole_frames(self._buffer):
            self._runner.received(reply_of(frame))

    def connection_lost(self, wrong: Exception | None) -> None:
        self._runner.lost(self._transport)
