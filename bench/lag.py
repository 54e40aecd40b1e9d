"""Index lag: how long after a write the index finds it, at 50 writes a second and above, and after a burst.

`platform`: `zhigai serve` takes the writes over HTTP while this process looks into the index, counted from the moment a
write is sent, so a little more than from its commit. `relay`: solutions of the shipped length are written in this process
beside the relay alone, counted from the commit. `python -m bench.lag` runs it alone; with BENCH_ELASTICSEARCH_URL both
engines are measured. BENCH_LAG_SIZES says how many documents the index holds before the relay's part (2000,20000).
`outage`: an Elasticsearch of its own is killed for BENCH_LAG_OUTAGE_S (60; 0 leaves it out) while writes go on.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import json
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.load import request
from services.catalog import app as catalog
from services.catalog.logic import solution_files
from services.catalog.search import document_of
from services.catalog.store.schema import MIGRATIONS, SERVICE, TABLES
from services.catalog.store.solutions import KIND, Solution
from shared import outbox
from shared.database import Database, Scoped
from shared.identity import SYSTEM
from shared.relay import Relay
from shared.search import Document, SearchIndex, open_index
from shared.settings import Secret, Settings
from tests.processes import start_embedded
from tools.devservers import elasticsearch
from tools.server_process import Missing, Server

PER_SECOND = 50.0
RATES = (50.0, 100.0)
BURST = 500
SECONDS = 10.0
CONNECTIONS = 4
LOOK_EVERY_S = 0.02
PATIENCE_S = 60.0
CAUGHT_UP_S = 10.0
"""The oldest line that waits is then younger than this."""


@dataclasses.dataclass
class Looking:
    """Looks for what was written until the index has it, in a thread of its own."""

    index: SearchIndex
    lags: list[float] = dataclasses.field(default_factory=list)
    waiting: dict[str, float] = dataclasses.field(default_factory=dict)

    def wrote(self, row_id: str, at: float) -> None:
        self.waiting[row_id] = at

    def until(self, written: threading.Event) -> None:
        deadline = None
        while not written.is_set() or self.waiting:
            if written.is_set():
                deadline = deadline or time.monotonic() + PATIENCE_S
                assert time.monotonic() < deadline, f"{len(self.waiting)} rows were not found after {PATIENCE_S:.0f} s"
            # The first and the last of them tell as much as all, and cost the engine less.
            known = list(self.waiting)[:100]
            found = self.index.entries(known, None)
            now = time.perf_counter()
            self.lags += [now - self.waiting.pop(row_id) for row_id in found]
            written.wait(LOOK_EVERY_S) if not written.is_set() else time.sleep(LOOK_EVERY_S)

    @contextmanager
    def while_writing(self) -> Iterator[None]:
        written = threading.Event()
        thread = threading.Thread(target=self.until, args=(written,))
        thread.start()
        try:
            yield
        finally:
            written.set()
            thread.join()

    def said(self) -> str:
        ranked = sorted(self.lags)
        three = (ranked[int(len(ranked) * 0.5)], ranked[int(len(ranked) * 0.99)], ranked[-1])
        return " / ".join(f"{1000 * each:.0f}" for each in three)


def run() -> dict[str, Any]:
    url = os.environ.get("BENCH_ELASTICSEARCH_URL")
    sizes = [int(size) for size in os.environ.get("BENCH_LAG_SIZES", "2000,20000").split(",")]
    engines = {"tantivy": None, **({"elasticsearch": Secret(url)} if url else {})}
    found: dict[str, Any] = {}
    for name, engine in engines.items():
        found |= _platform(name, engine)
        for size in sizes:
            found |= _relay(name, engine, size)
    away_s = float(os.environ.get("BENCH_LAG_OUTAGE_S", "60"))
    if away_s:
        try:
            engine_of_our_own = elasticsearch(own=True)
        except Missing as missing:
            return {**found, "outage skipped": str(missing)}
        try:
            found |= _outage(engine_of_our_own, away_s)
        finally:
            engine_of_our_own.stop()
    return found


@contextmanager
def _home(engine: Secret | None) -> Iterator[Settings]:
    home = Path(tempfile.mkdtemp(prefix="zg-bench-"))
    settings = Settings(
        home=home, secret=Secret(secrets.token_hex(32)), port=0, index_prefix=f"b{secrets.token_hex(4)}"
    )
    try:
        yield settings.with_(elasticsearch_url=engine)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _platform(name: str, engine: Secret | None) -> dict[str, Any]:
    with _home(engine) as settings:
        running = start_embedded(settings)
        index = open_index(settings, SERVICE)
        try:
            port, key = int(running.url.rsplit(":", 1)[1]), running.admin_key
            asyncio.run(_post(port, key, Looking(index), PER_SECOND, 2.0))
            looking = Looking(index)
            with looking.while_writing():
                reached = asyncio.run(_post(port, key, looking, PER_SECOND, SECONDS))
        finally:
            running.stop()
            index.close()
    return {
        f"{name}, platform: writes a second": reached,
        f"{name}, platform: lag p50 / p99 / max (ms)": looking.said(),
    }


async def _post(port: int, key: str, looking: Looking, per_second: float, seconds: float) -> float:
    """Enters providers at a steady pace; how many a second it came to."""
    began, counts = time.perf_counter(), []

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        done = 0
        while (due := began + (number + done * CONNECTIONS) / per_second) < began + seconds:
            await asyncio.sleep(due - time.perf_counter())
            sent = time.perf_counter()
            writer.write(_provider(key))
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            body = await reader.readexactly(length)
            assert head[9:12] == b"201", (head, body)
            looking.wrote(json.loads(body)["id"], sent)
            done += 1
        counts.append(done)
        writer.close()

    await asyncio.gather(*(client(number) for number in range(CONNECTIONS)))
    return round(sum(counts) / (time.perf_counter() - began), 1)


def _provider(key: str) -> bytes:
    mark = secrets.token_hex(4)
    content = {
        "name": f"测量用服务商 {mark}",
        "summary": {"zh": "空压机联控、定型机余热回收和车间能耗采集的集成服务。", "en": "Integration of metering."},
        "kinds": ["equipment_integrator"],
        "industries": ["dyeing"],
        "directions": ["equipment"],
        "source": "bench",
    }
    headers = {"X-API-Key": key, "Content-Type": "application/json", "Idempotency-Key": mark}
    return request("POST", "/api/v1/providers", json.dumps(content).encode(), headers)


def _relay(name: str, engine: Secret | None, size: int) -> dict[str, Any]:
    contents = [(file.id, file.content) for file in solution_files.read()]
    found: dict[str, Any] = {}
    with _home(engine) as settings:
        catalog.migrate(settings)
        database = Database.open(settings, SERVICE, MIGRATIONS)
        index = open_index(settings, SERVICE)
        index.rebuild(_filling(database, contents, size))
        relay = Relay(database, TABLES, index, document_of)
        relay.start()
        try:
            for rate in (0.0, *RATES):
                looking = Looking(index)
                with looking.while_writing():
                    _write(database, relay, looking, contents, rate)
                what = f"{rate:.0f} writes a second" if rate else f"{BURST} rows in one write"
                found[f"{name}, relay, {size} documents: {what}, lag p50 / p99 / max (ms)"] = looking.said()
        finally:
            relay.stop()
            database.close()
            index.close()
    return found


def _outage(server: Server, away_s: float) -> dict[str, Any]:
    """Writes go on at `PER_SECOND` while the engine is away, and until what waited is carried."""
    contents = [(file.id, file.content) for file in solution_files.read()]
    with _home(Secret(server.url)) as settings:
        catalog.migrate(settings)
        database = Database.open(settings, SERVICE, MIGRATIONS)
        index = open_index(settings, SERVICE)
        index.rebuild(_filling(database, contents, 2000))
        relay = Relay(database, TABLES, index, document_of)
        relay.start()
        enough = threading.Event()
        writer = threading.Thread(target=_write_until, args=(enough, database, relay, contents))
        writer.start()
        try:
            time.sleep(5)
            server.kill()
            time.sleep(away_s)
            waiting, oldest = relay.waiting()
            server.start()
            back = time.perf_counter()
            while relay.waiting()[1] > CAUGHT_UP_S:
                assert time.perf_counter() < back + 10 * PATIENCE_S, "what waited was not carried"
                time.sleep(0.1)
            caught_up = time.perf_counter() - back
        finally:
            enough.set()
            writer.join()
            relay.stop()
            database.close()
            index.close()
    return {
        f"outage of {away_s:.0f} s at {PER_SECOND:.0f} writes a second: lines that waited": waiting,
        "  the oldest of them (s)": round(oldest),
        f"  lag under {CAUGHT_UP_S:.0f} s after the engine answers again (s; aim 60)": round(caught_up, 1),
    }


def _write_until(enough: threading.Event, database: Database, relay: Relay, contents: list[Any]) -> None:
    for number in itertools.count():
        with database.write() as session:
            _add(session, _id(), contents[number % len(contents)][1])
        relay.ring()
        if enough.wait(1 / PER_SECOND):
            return


def _write(database: Database, relay: Relay, looking: Looking, contents: list[Any], rate: float) -> None:
    """Rows at a steady pace, each in a transaction of its own, or with rate 0 a burst in one."""
    began = time.perf_counter()
    if not rate:
        ids = [_id() for _ in range(BURST)]
        with database.write() as session:
            for number, row_id in enumerate(ids):
                _add(session, row_id, contents[number % len(contents)][1])
        for row_id in ids:
            looking.wrote(row_id, time.perf_counter())
        relay.ring()
        return
    for number in range(int(rate * SECONDS)):
        time.sleep(max(0.0, began + number / rate - time.perf_counter()))
        row_id = _id()
        with database.write() as session:
            _add(session, row_id, contents[number % len(contents)][1])
        looking.wrote(row_id, time.perf_counter())
        relay.ring()


def _id() -> str:
    return f"bench-{secrets.token_hex(6)}"


def _add(session: Any, row_id: str, content: dict[str, Any]) -> None:
    row = Solution(id=row_id, organisation=None)
    row.take(content, row_id)
    Scoped(session, SYSTEM).add(row)
    outbox.put(session, TABLES, KIND, row_id, row.version)


def _filling(database: Database, contents: list[Any], size: int) -> Iterator[Document]:
    """The shipped solutions again and again, under other ids."""
    made: list[Document] = []
    with database.write() as session:
        for _, content in contents:
            row_id = _id()
            row = Solution(id=row_id, organisation=None)
            row.take(content, row_id)
            Scoped(session, SYSTEM).add(row)
            document = document_of(session, KIND, row_id)
            assert document is not None
            made.append(document)
    for number in range(size):
        yield dataclasses.replace(made[number % len(made)], id=f"filling-{number}")


if __name__ == "__main__":
    print(json.dumps(run(), indent=1, ensure_ascii=False))
