"""Calls to the runner from a thread: pages that are served in this process call predict without the event loop.

While the server runs, its own runner answers. Without a server (one command, a test client) a runner is started at the
first call and ended with the service.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from services.models.inference.frames import Ask, Reply, reply_of, whole_frames
from services.models.inference.handover import DEADLINE_S, Inference, Runner
from shared.errors import Busy
from shared.http.call import Admit
from shared.http.waiting import Ask as AskPage

_WHAT = "模型执行进程 / model runner"


class RunnerFromThreads:
    """`call(ask)` from any thread. Raises `Busy`."""

    def __init__(self, roots: Sequence[Path], memory_mb: int) -> None:
        self._roots = [str(root) for root in roots]
        self._memory_mb = memory_mb
        self._served: tuple[asyncio.AbstractEventLoop, Runner] | None = None
        self._own: _OwnRunner | None = None
        self._lock = threading.Lock()

    def serve_by(self, loop: asyncio.AbstractEventLoop, runner: Runner) -> None:
        """From now on the server's runner answers."""
        self._served = (loop, runner)

    def serve_alone(self) -> None:
        self._served = None

    def call(self, ask: Ask) -> Reply:
        served = self._served
        if served is None:
            return self._alone(ask)
        loop, runner = served
        waiting = asyncio.run_coroutine_threadsafe(runner.call(ask), loop)
        try:
            return waiting.result(DEADLINE_S)
        except TimeoutError:
            waiting.cancel()
            raise Busy(what=_WHAT, retry_after_s=2) from None

    def _alone(self, ask: Ask) -> Reply:
        with self._lock:
            if self._own is None:
                self._own = _OwnRunner(self._roots, self._memory_mb)
            try:
                return self._own.call(ask)
            except OSError:
                # It died; the next call starts another one.
                self._own.close()
                self._own = None
                raise Busy(what=_WHAT, retry_after_s=1) from None

    def close(self) -> None:
        with self._lock:
            if self._own is not None:
                self._own.close()
            self._own = None


class _OwnRunner:
    """A runner process for one call at a time."""

    def __init__(self, roots: Sequence[str], memory_mb: int) -> None:
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(DEADLINE_S)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [
                    sys.executable,
                    "-m",
                    "services.models.inference.runner",
                    str(theirs.fileno()),
                    str(memory_mb),
                    *roots,
                ],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
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
    """The hand-over, whose runner threads may use too."""

    def __init__(self, roots: Sequence[Path], admit: Admit, memory_mb: int, threads: RunnerFromThreads) -> None:
        super().__init__(roots, admit, memory_mb)
        self._threads = threads

    async def start(self, ask: AskPage) -> None:
        await super().start(ask)
        self._threads.serve_by(asyncio.get_running_loop(), self.runner)

    async def stop(self) -> None:
        self._threads.serve_alone()
        await super().stop()
