"""One machine: a child worker that starts when there is work and ends when it has been idle for a while.

A file lock in the home makes it one worker, whoever rings. It runs at nice 19 with one thread per library, which leaves
inference about 0.7 of its quiet rate during a training.
"""

from __future__ import annotations

import fcntl
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.settings import Settings

log = logging.getLogger(__name__)


class ChildProcessBell:
    def __init__(self, settings: Settings, command: list[str] | None = None) -> None:
        self._home = settings.home
        self._command = command or [sys.executable, "-m", "zhigai", "worker", "--until-idle"]
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def ring(self, job_id: str) -> None:
        with self._lock:
            if self._child is not None and self._child.poll() is None:
                return
            if is_working(self._home):
                return
            environment = {**os.environ, "OMP_NUM_THREADS": "1", "ZHIGAI_HOME": str(self._home)}
            try:
                self._child = subprocess.Popen(self._command, env=environment, preexec_fn=_be_nice)
            except OSError:
                log.exception("the worker could not be started; the sweeper tries again")

    def close(self) -> None:
        """Ends the child; a job it was doing goes back to the queue when its lease runs out."""
        with self._lock:
            if self._child is not None and self._child.poll() is None:
                self._child.terminate()
                try:
                    self._child.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    self._child.kill()


def _be_nice() -> None:
    os.nice(19)


def _lock_path(home: Path) -> Path:
    return home / "worker.lock"


def is_working(home: Path) -> bool:
    """Whether a worker holds the home's lock."""
    try:
        with _lock_path(home).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


@contextmanager
def only_worker(home: Path) -> Iterator[bool]:
    """True for the one process that may work on this home; False at once for a second."""
    with _lock_path(home).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
