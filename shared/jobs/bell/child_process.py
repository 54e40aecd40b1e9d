"""One machine: a child worker that starts when there is work and ends when it has been idle for a while.

A file lock in the home makes it one worker, whoever rings. It runs at nice 10 with one thread per library, so that
inference keeps most of its rate during a training; at 19 it would hardly start beside anything busy.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from shared.settings import Settings

log = logging.getLogger(__name__)

NICE = 10
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0


class ChildProcessBell:
    def __init__(self, settings: Settings, command: Sequence[str] | None = None) -> None:
        self._home = settings.home
        self._command = list(command or (sys.executable, "-m", "zhigai", "worker", "--until-idle"))
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._pause_s = 0.0
        self._not_before = 0.0

    @property
    def pid(self) -> int | None:
        """The running child's, for whoever wants to look at it."""
        return None if self._child is None or self._child.poll() is not None else self._child.pid

    def ring(self, job_id: str) -> None:
        with self._lock:
            if self._runs() or time.monotonic() < self._not_before or is_working(self._home):
                return
            # Not a setting: the child gets the environment that this process was given.
            environment = {**os.environ, "OMP_NUM_THREADS": "1", "ZHIGAI_HOME": str(self._home)}
            # Not preexec_fn, which may hang a child of a process with threads.
            nice = shutil.which("nice")
            command = [nice, "-n", str(NICE), *self._command] if nice else self._command
            try:
                # A group of its own, so that Ctrl-C ends the server first, but our session: where the kernel shares the
                # processor among sessions, niceness counts only within one.
                self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                    command, env=environment, stdin=subprocess.DEVNULL, process_group=0
                )
            except OSError:
                log.exception("the worker could not be started; the sweeper tries again")

    def _runs(self) -> bool:
        if self._child is None:
            return False
        ended = self._child.poll()
        if ended is None:
            return True
        # A child that fails as soon as it starts must not be started several times a second.
        self._pause_s = min(max(self._pause_s * 2, _FIRST_PAUSE_S), _LONGEST_PAUSE_S) if ended > 0 else 0.0
        self._not_before = time.monotonic() + self._pause_s
        if ended > 0:
            log.error("the worker ended with %s; the next one starts in %.0f s", ended, self._pause_s)
        self._child = None
        return False

    def close(self) -> None:
        """Ends the child; it hands its job back, or the job's lease runs out."""
        with self._lock:
            if self._child is not None and self._child.poll() is None:
                self._child.terminate()
                try:
                    self._child.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    self._child.kill()
                    self._child.wait(timeout=5)
            self._child = None


def _lock_path(home: Path) -> Path:
    return home / "worker.lock"


def is_working(home: Path) -> bool:
    """Whether a worker holds the home's lock."""
    with _lock_path(home).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def only_worker(home: Path) -> Iterator[bool]:
    """True for the one process that may work on this home; False for a second."""
    home.mkdir(parents=True, exist_ok=True)
    with _lock_path(home).open("a") as file:
        yield _taken(file.fileno())


def _taken(lock: int) -> bool:
    # `is_working` holds the lock for a moment while it looks, which is no other worker.
    for _ in range(10):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            return True
    return False
