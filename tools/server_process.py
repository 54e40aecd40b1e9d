"""A server process of a test run: started, waited for until it answers, killed as a crash would, stopped in order."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class Missing(Exception):
    """A server cannot be had here; says what would mend it."""


@dataclass
class Server:
    """A server that answers at `url`. Without a command it was found, not started, and is left alone."""

    name: str
    url: str
    port: int = 0
    folder: Path | None = None
    command: list[str] = field(default_factory=list)
    environment: dict[str, str] | None = None
    ready: Callable[[], bool] | None = None
    patience_s: float = 30.0
    stop_signal: int = signal.SIGTERM
    pid: int = 0

    @property
    def log(self) -> Path:
        assert self.folder is not None
        return self.folder / "log"

    def start(self) -> Server:
        """Starts it (again, on the same port and data) and returns once it answers."""
        with self.log.open("ab") as out:
            # A session of its own: Ctrl-C in a terminal reaches the tests, which then stop it in order.
            process = subprocess.Popen(
                self.command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=self.environment, cwd=self.folder,
                start_new_session=True,
            )  # fmt: skip
        self.pid = process.pid
        _STARTED[process.pid] = process
        deadline = time.monotonic() + self.patience_s
        while time.monotonic() < deadline:
            if not _lives(self.pid):
                raise Missing(f"{self.name} ended at once: {_tail(self.log)}")
            with contextlib.suppress(OSError):
                if self.ready is None or self.ready():
                    return self
            time.sleep(0.05)
        self.kill()
        raise Missing(f"{self.name} did not answer within {self.patience_s:.0f} s: {_tail(self.log)}")

    def kill(self) -> None:
        """As a crash would, with all its children: nothing is flushed, nobody is told."""
        if self.pid:
            family = [self.pid, *_descendants(self.pid)]
            for pid in family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for pid in family:
                _wait_for_end(pid, 10)
            self.pid = 0

    def stop(self) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, self.stop_signal)
            if not _wait_for_end(self.pid, 20):
                self.kill()
            self.pid = 0
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


_STARTED: dict[int, subprocess.Popen[bytes]] = {}


def _lives(pid: int) -> bool:
    process = _STARTED.get(pid)
    if process is not None:
        return process.poll() is None
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def _wait_for_end(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while _lives(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _descendants(pid: int) -> list[int]:
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found, latest = [], [pid]
    while latest:
        latest = [child for child, parent in parents.items() if parent in latest]
        found += latest
    return found


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-600:] if log.exists() else ""


def note_of(server: Server) -> dict[str, Any]:
    """What another process needs to stop it."""
    return {
        "name": server.name, "url": server.url, "port": server.port, "pid": server.pid,
        "folder": str(server.folder) if server.folder else None, "stop_signal": int(server.stop_signal),
    }  # fmt: skip


def from_note(said: dict[str, Any]) -> Server:
    folder = Path(said["folder"]) if said["folder"] else None
    return Server(**{**said, "folder": folder})
