"""Threads for the calls that are not short. Each model has a line of its own; the lines take turns.

No model gets all threads, so that one whose runs take seconds leaves room for the others.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from services.models.inference.frames import Ask

log = logging.getLogger(__name__)

THREADS = 3
MOST_OF_ONE = 2
"""Two cores' worth of one model at once; a third thread is for somebody else."""


class Lanes:
    def __init__(self, answer: Callable[[Ask], None], threads: int = THREADS, most_of_one: int = MOST_OF_ONE) -> None:
        self._answer = answer
        self._most_of_one = most_of_one
        self._lines: dict[str, deque[Ask]] = {}
        """Waiting calls by model; the model whose turn is next stands first."""
        self._running: dict[str, int] = {}
        self._change = threading.Condition()
        for number in range(threads):
            threading.Thread(target=self._work, daemon=True, name=f"longer-{number}").start()

    def put(self, ask: Ask) -> None:
        """Has the call answered by one of the threads, in its turn."""
        with self._change:
            self._lines.setdefault(ask.name, deque()).append(ask)
            self._change.notify()

    def _next(self) -> Ask | None:
        for name, line in self._lines.items():
            if self._running.get(name, 0) < self._most_of_one:
                ask = line.popleft()
                del self._lines[name]
                if line:
                    # To the end: all others come first.
                    self._lines[name] = line
                self._running[name] = self._running.get(name, 0) + 1
                return ask
        return None

    def _work(self) -> None:
        while True:
            with self._change:
                ask = self._next()
                while ask is None:
                    self._change.wait()
                    ask = self._next()
            try:
                self._answer(ask)
            except Exception:
                log.exception("a call of %s failed", ask.name)
            with self._change:
                self._running[ask.name] -= 1
                if not self._running[ask.name]:
                    del self._running[ask.name]
                if ask.name in self._lines:
                    # A thread that passed this model by may take its next call now.
                    self._change.notify()
