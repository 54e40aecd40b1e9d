"""`python -m services.models.inference.runner FD MEMORY_MB ROOT…`: answers asks from the socket until it closes."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from services.models.inference.frames import Ask, ask_of, whole_frames
from services.models.inference.runner.caps import apply_caps

RECEIVE_AT_ONCE = 64 * 1024
LARGE_BODY = 2048
"""onnxruntime lets the interpreter go while it runs, so large bodies gain from a second thread; small ones lose.

A call that was not short before goes there too: models that take long, or have to be loaded, hold up nobody else.
"""


def main() -> None:
    descriptor, memory_mb, *roots = sys.argv[1:]
    apply_caps(int(memory_mb))
    logging.basicConfig(level=logging.WARNING, format="runner %(levelname)s %(message)s")
    # The serving process decides when it ends: by closing the socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from services.models.inference.runner.engine import Engine

    connection = socket.socket(fileno=int(descriptor))
    engine = Engine([Path(root) for root in roots])
    writing = threading.Lock()
    pool = ThreadPoolExecutor(2, thread_name_prefix="longer")

    def reply_to(ask: Ask) -> None:
        if ask.deadline and time.monotonic() > ask.deadline:
            # Whoever asked has been told that it took too long.
            return
        packed = engine.timed(ask).packed()
        with writing, contextlib.suppress(OSError):
            connection.sendall(packed)

    buffer = bytearray()
    while received := connection.recv(RECEIVE_AT_ONCE):
        buffer += received
        for frame in whole_frames(buffer):
            ask = ask_of(frame)
            if len(ask.body) > LARGE_BODY or not engine.is_quick(ask):
                pool.submit(reply_to, ask)
            else:
                reply_to(ask)
    # A model that hangs must not keep the process.
    os._exit(0)


if __name__ == "__main__":
    main()
