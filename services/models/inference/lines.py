"""Who may wait for the runner: so many calls in all, so many of one model, few of one whose calls take long.

A model that is slow or popular then meets 503 by itself, and the calls of the others find their place.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from shared.errors import Busy

MOST_IN_FLIGHT = 512
MOST_BYTES_IN_FLIGHT = 64 * 1024 * 1024
MOST_OF_ONE = 128
MOST_BYTES_OF_ONE = 32 * 1024 * 1024
SLOW_S = 0.5
MOST_OF_A_SLOW_ONE = 8
"""Of a model whose last call took, or whose oldest has waited for, half a second: no more than end in a time that
somebody waits for."""


class _Line:
    __slots__ = ("bytes", "since")

    def __init__(self) -> None:
        self.since: dict[int, float] = {}
        """When each call came, the oldest first."""
        self.bytes = 0


class Lines:
    """One event loop's, so without locks."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lines: dict[str, _Line] = {}
        self._calls = 0
        self._bytes = 0
        self._slow: set[str] = set()

    def enter(self, name: str, number: int, size: int) -> None:
        """Lets call `number` of `size` bytes to model `name` wait, until `leave`. Raises `Busy`, with nothing taken.

        A body larger than the bytes allowed is still let in where no other call waits.
        """
        if self._calls >= MOST_IN_FLIGHT or (self._calls and self._bytes + size > MOST_BYTES_IN_FLIGHT):
            raise Busy(what="模型执行进程 / model runner", retry_after_s=1)
        now = self._clock()
        line = self._lines.get(name)
        if line is None:
            line = self._lines[name] = _Line()
        elif name and self._is_full(name, line, size, now):
            raise Busy(what=f"模型「{name}」的排队已满 / the queue of “{name}”", retry_after_s=1)
        line.since[number] = now
        line.bytes += size
        self._calls += 1
        self._bytes += size

    def _is_full(self, name: str, line: _Line, size: int, now: float) -> bool:
        waiting = len(line.since)
        if waiting >= MOST_OF_ONE or (waiting and line.bytes + size > MOST_BYTES_OF_ONE):
            return True
        if waiting < MOST_OF_A_SLOW_ONE:
            return False
        return name in self._slow or now - next(iter(line.since.values())) > SLOW_S

    def leave(self, name: str, number: int, size: int) -> None:
        line = self._lines[name]
        if self._clock() - line.since.pop(number) > SLOW_S:
            self._slow.add(name)
        else:
            # It may have been the machine: one short call and all is well again.
            self._slow.discard(name)
        line.bytes -= size
        self._calls -= 1
        self._bytes -= size
        if not line.since:
            del self._lines[name]
