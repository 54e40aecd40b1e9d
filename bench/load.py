"""Load on the loopback address: so many connections, so many seconds, latencies kept.

As fast as answers come it is wrk, which costs a twentieth of a client in Python: on two cores a dear client would be
measured instead of the server. Paced loads are small, and made here.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.processes import Running
from tools.devservers import program
from tools.server_process import Missing


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


async def _client(port: int, raws: Iterator[bytes], until: float, load: Load, every: float) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while time.perf_counter() < until:
            started = time.perf_counter()
            writer.write(next(raws))
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


async def drive(
    port: int, raw: bytes | Sequence[bytes], connections: int, seconds: float, per_second: float = 0
) -> Load:
    """Several requests are sent in turn. `per_second` paces all connections together; 0: as fast as answers come."""
    load = Load(seconds)
    until = time.perf_counter() + seconds
    every = connections / per_second if per_second else 0.0
    turn = itertools.cycle([raw] if isinstance(raw, bytes) else raw)
    await asyncio.gather(*(_client(port, turn, until, load, every) for _ in range(connections)))
    return load


_DONE = r"""
done = function(summary, latency, requests)
  local points = {}
  for each = 1, 399 do points[each] = string.format("%.6f", latency:percentile(each / 4) / 1e6) end
  io.write('\n{"requests":', summary.requests, ',"refused":', summary.errors.status,
    ',"broken":', summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    ',"seconds":', summary.duration / 1e6, ',"latencies":[', table.concat(points, ","), ']}\n')
end
"""


def closed_loop(port: int, raw: bytes, connections: int, seconds: float) -> Load:
    """Each connection sends `raw` again as soon as its answer is there. Statuses: 200 (any below 400), 400, 0 (broken)."""
    try:
        wrk = program("wrk")
    except Missing:
        return asyncio.run(drive(port, raw, connections, seconds))
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines if not line.startswith("Content-Length"))
    script = [f"wrk.method = {json.dumps(method)}", f"wrk.body = [==[{body.decode()}]==]"]
    script += [f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in headers.items()]
    with tempfile.TemporaryDirectory(prefix="zg-bench-") as folder:
        file = Path(folder, "request.lua")
        file.write_text("\n".join([*script, _DONE]), encoding="utf-8")
        # wrk knows whole seconds only.
        command = [wrk, "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", str(file)]
        said = subprocess.run([*command, f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True, check=True)
    found = json.loads(said.stdout.rsplit("\n", 2)[1])
    statuses = {200: found["requests"] - found["refused"], 400: found["refused"], 0: found["broken"]}
    present = {status: count for status, count in statuses.items() if count}
    return Load(found["seconds"], [float(point) for point in found["latencies"]], present)


def pss_mb(running: Running) -> float:
    """Proportional memory of the processes and their children, two seconds after they came up."""
    time.sleep(2)
    pids = [process.pid for process in running.processes.values()]
    for pid in list(pids):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        pids += [int(child) for child in children]
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return round(total / 1024, 1)
