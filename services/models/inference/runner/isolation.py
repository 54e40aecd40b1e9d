"""What a runner of somebody else's models may not do: reach the network, fill the disk, crowd out others, never end."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import resource
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

NICE = 5
"""Behind the platform's own runner."""
LANES, MOST_OF_ONE = 2, 1
"""Threads for calls that take long; one for each model at a time."""
MOST_FILE_BYTES = 1024 * 1024
"""A runner writes no files; its log lines may go into one."""
CPU_WINDOW_S = 30
"""Processor time that a process in which nothing of ours runs any more may still take."""
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_SOCKETS = ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname")


def isolate() -> str:
    """Called first of all, while the process has one thread. What keeps it from the network: `namespace` or `hook`."""
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_FILE_BYTES, MOST_FILE_BYTES))
    kept_by = cut_network()
    _renew_cpu_limit()
    threading.Thread(target=_keep_renewing, daemon=True, name="cpu-limit").start()
    return kept_by


def stand_behind() -> None:
    """Behind everybody for the rest of this process's life, once one of its calls had to be stopped: it computes where
    nothing else would. Linux keeps the policy of each thread, so all of them are told."""
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            os.sched_setscheduler(int(thread.name), os.SCHED_IDLE, os.sched_param(0))


def cut_network() -> str:
    """A network namespace of its own, which holds nothing but a loopback that is down.

    Where the kernel refuses that (no user namespaces), a hook of the interpreter refuses every connection instead: it
    binds Python only. What an ONNX file may hold knows no network either way; see docs/registry.md.
    """
    library = ctypes.CDLL(None, use_errno=True)
    unshare = getattr(library, "unshare", None)
    if unshare is not None and (unshare(_NEW_NETWORK) == 0 or unshare(_NEW_USER | _NEW_NETWORK) == 0):
        return "namespace"
    sys.addaudithook(_refuse_sockets)
    log.warning("no network namespace here: connections are refused by a hook instead")
    return "hook"


def has_network() -> bool:
    """Whether a route leads anywhere: for tests and for the log line at the start."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))
            return True
    except (OSError, PermissionError):
        return False


def _refuse_sockets(event: str, _arguments: tuple[Any, ...]) -> None:
    if event in _SOCKETS:
        raise PermissionError(event)


def _renew_cpu_limit() -> None:
    """While our thread lives, the limit moves along; once it does not (something holds the interpreter), the kernel
    ends the process."""
    used = time.process_time()
    resource.setrlimit(resource.RLIMIT_CPU, (int(used) + CPU_WINDOW_S, resource.RLIM_INFINITY))


def _keep_renewing() -> None:
    while True:
        time.sleep(CPU_WINDOW_S / 10)
        _renew_cpu_limit()
