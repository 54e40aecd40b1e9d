"""`python -m services.models.inference.runner [--provider=ORGANISATION] FD MEMORY_MB ROOT…`: answers asks from the socket
until it closes. With a provider it is isolated and loads that provider's releases only."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

from services.models.inference.frames import Ask, Reply, ask_of, whole_frames
from services.models.inference.runner.caps import apply_caps
from services.models.inference.runner.isolation import LANES, MOST_OF_ONE, isolate
from services.models.inference.runner.lanes import Lanes

RECEIVE_AT_ONCE = 64 * 1024
LARGE_BODY = 2048
"""onnxruntime lets the interpreter go while it runs, so large bodies gain from a second thread; small ones lose.

A call that was not short before goes there too: models that take long, or have to be loaded, hold up nobody else.
"""
SENT_AT_ONCE = 8
"""Replies to calls that came together leave together: one write and one wakeup instead of eight."""
SHARE_LOADED = 0.5
"""Of the memory beyond the base: for releases that are loaded. The rest is for computing."""


def overdue(ask: Ask) -> bool:
    """Whoever asked has been told that it took too long."""
    return bool(ask.deadline) and time.monotonic() > ask.deadline


def main() -> None:
    given = sys.argv[1:]
    provider = given.pop(0).partition("=")[2] if given[0].startswith("--provider=") else ""
    descriptor, memory_mb, *roots = given
    logging.basicConfig(level=logging.WARNING, format="runner %(levelname)s %(message)s")
    apply_caps(int(memory_mb))
    if provider:
        isolate()
    # The serving process decides when it ends: by closing the socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from services.models.inference.runner.engine import Engine

    connection = socket.socket(fileno=int(descriptor))
    engine = Engine([Path(root) for root in roots], int(memory_mb) * SHARE_LOADED, provider)
    writing = threading.Lock()

    def send(replies: list[Reply]) -> None:
        packed = b"".join([reply.packed() for reply in replies])
        with writing, contextlib.suppress(OSError):
            connection.sendall(packed)

    def answer(ask: Ask) -> None:
        if not overdue(ask):
            send([engine.answer(ask)])

    lanes = Lanes(answer, LANES, MOST_OF_ONE) if provider else Lanes(answer)
    buffer = bytearray()
    while received := connection.recv(RECEIVE_AT_ONCE):
        buffer += received
        done: list[Reply] = []
        for frame in whole_frames(buffer):
            ask = ask_of(frame)
            if overdue(ask):
                continue
            reply = None if len(ask.body) > LARGE_BODY else engine.answer_at_once(ask)
            if reply is None:
                lanes.put(ask)
                continue
            done.append(reply)
            if len(done) == SENT_AT_ONCE:
                send(done)
                done = []
        if done:
            send(done)
    # A model that hangs must not keep the process.
    os._exit(0)


if __name__ == "__main__":
    main()
