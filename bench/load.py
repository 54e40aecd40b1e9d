"""A small closed-loop load on the loopback address: so many connections, so many seconds, latencies kept."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field


@dataclass
class Load:
    seconds: float
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        return round(self.statuses.get(200, 0) / self.seconds, 1)

    def percentile(self, share: float) -> float:
        """Milliseconds."""
        ranked = sorted(self.latencies)
        return round(1000 * ranked[min(int(len(ranked) * share), len(ranked) - 1)], 2) if ranked else 0.0


def request(method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def _client(port: int, raw: bytes, until: float, load: Load, every: float) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while time.perf_counter() < until:
            started = time.perf_counter()
            writer.write(raw)
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head[9:12])
            length = next(
                (
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length")
                ),
                0,
            )
            if length:
                await reader.readexactly(length)
            took = time.perf_counter() - started
            load.latencies.append(took)
            load.statuses[status] = load.statuses.get(status, 0) + 1
            if every > took:
                await asyncio.sleep(every - took)
    finally:
        writer.close()


async def drive(port: int, raw: bytes, connections: int, seconds: float, per_second: float = 0) -> Load:
    """`per_second` paces all connections together; 0 means as fast as answers come."""
    load = Load(seconds)
    until = time.perf_counter() + seconds
    every = connections / per_second if per_second else 0.0
    await asyncio.gather(*(_client(port, raw, until, load, every) for _ in range(connections)))
    return load
