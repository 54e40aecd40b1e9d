"""The all-in-one as a process: start, memory, inference alone, beside a job, beside pages, under a flood."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench.load import Load, closed_loop, drive, pss_mb, request
from shared.identity import GUEST_COOKIE, sign_guest
from shared.settings import Secret, Settings
from tests.processes import Running, environment, start, wait_for
from tools.devservers import free_port

COMPONENT = "steel-energy"
ROUNDS = 3
SECONDS = 2.0
PACED_SECONDS = 10.0
"""Pages are kept for ten seconds: a shorter round would measure the first rendering of each and nothing else."""


BAD_QUERIES = (
    "", "？！，。…", "😀" * 200, "能" * 900, "a" * 10_000, "定 型 机 " * 300, "\x01\x07\x1b", ".*(a+)+$", "title:* AND (NOT x~9)^99 OR [* TO *]",
    "' OR 1=1; DROP TABLE solutions; --", "<script>alert(1)</script>", "%00", "kongyaji" * 120, "１２３４吨" * 150, "\u202e型定",
)  # fmt: skip


def run() -> dict[str, Any]:
    home = Path(tempfile.mkdtemp(prefix="zg-bench-"))
    settings = Settings(home=home, secret=Secret(secrets.token_hex(32)))
    try:
        first, running = _started(settings)
        running.stop()
        again, running = _started(settings)
        try:
            return {"first start, empty home (s)": first, "restart to ready (s)": again, **_measured(settings, running)}
        finally:
            running.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _started(settings: Settings) -> tuple[float, Running]:
    port = free_port()
    running = Running(f"http://127.0.0.1:{port}", settings.home)
    began = time.perf_counter()
    # Limits as shipped: the flood below is to meet them.
    start(running, settings, "serve", "serve", "--port", str(port), ZHIGAI_PAGE_SHARE_PERCENT="50", ZHIGAI_PAGES_PER_SECOND="400",
          ZHIGAI_PAGES_PER_SECOND_PER_ADDRESS="150")  # fmt: skip
    wait_for(f"{running.url}/readyz", running)
    return round(time.perf_counter() - began, 2), running


def _measured(settings: Settings, running: Running) -> dict[str, Any]:
    port = int(running.url.rsplit(":", 1)[1])
    key = {"X-API-Key": running.admin_key, "Content-Type": "application/json"}
    metadata = running.call("GET", f"/v2/models/{COMPONENT}", headers=key).json()
    row = [float(tensor["parameters"]["minimum"]) for tensor in metadata["inputs"]]
    body = json.dumps({"inputs": [{"name": "input", "shape": [1, len(row)], "datatype": "FP32", "data": row}]}).encode()
    infer = request("POST", f"/v2/models/{COMPONENT}/infer", body, key)
    pages = _pages(running)
    guest = f"Cookie: {GUEST_COOKIE}={sign_guest('gst-bench', settings.secret)}".encode()
    of_guests = [raw.replace(b"Host: bench", b"Host: bench\r\n" + guest) for raw in pages]
    search = request("GET", "/api/v1/search?q=%E5%AE%9A%E5%9E%8B%E6%9C%BA%E8%83%BD%E8%80%97")
    memory = pss_mb(running)
    closed_loop(port, infer, 8, 1)
    quiet, paced, guests, flood, rude = [], [], [], [], []
    for _ in range(ROUNDS):
        quiet.append(closed_loop(port, infer, 8, SECONDS))
        paced.append(_beside(port, infer, pages, 4, 100.0, PACED_SECONDS))
        guests.append(_beside(port, infer, of_guests, 4, 100.0, PACED_SECONDS))
        flood.append(_beside(port, infer, pages, 16, 0.0))
        time.sleep(1.2)
        rude.append(_beside(port, infer, of_guests, 16, 0.0))
        time.sleep(1.2)
    jobs = [_beside_a_job(running, port, infer, key) for _ in range(ROUNDS)]
    trainings = [_beside_a_training(running, port, infer, key) for _ in range(ROUNDS)]
    searches = asyncio.run(drive(port, search, 1, 3.0, per_second=60))
    bad = [request("GET", f"/api/v1/search?q={quote(text)}") for text in BAD_QUERIES]
    answered = asyncio.run(drive(port, bad, 1, 6.0, per_second=30))
    middle = statistics.median(load.per_second for load in quiet)

    def share(loads: list[Load]) -> float:
        return round(statistics.median(load.per_second for load in loads) / middle, 2)

    in_process = _in_process(row)
    return {
        "idle memory, all processes (PSS MB)": memory,
        "single-row inference, c8 (req/s)": middle,
        "  p50 / p99 (ms)": f"{quiet[-1].percentile(0.5)} / {quiet[-1].percentile(0.99)}",
        "same model called in process, one thread (calls/s)": in_process,
        "  through the gateway / in process": round(middle / in_process, 2),
        "inference beside a running job / quiet (aim 0.5)": share(jobs),
        "inference beside a training / quiet (aim 0.5)": share(trainings),
        "inference at 100 pages a second / quiet (aim 0.8)": share(paced),
        "  the same, pages of guests, each rendered for itself": share(guests),
        "inference under a flood of pages / quiet (aim 0.3)": share(flood),
        "  the same, pages of guests, each rendered for itself  ": share(rude),
        "search through the gateway p50 / p95 (ms)": f"{searches.percentile(0.5)} / {searches.percentile(0.95)}",
        "bad queries through the gateway p50 / p99 (ms)": f"{answered.percentile(0.5)} / {answered.percentile(0.99)}",
        "  their statuses": dict(sorted(answered.statuses.items())),
        "statuses other than 200 in quiet rounds": sum(
            count for load in quiet for status, count in load.statuses.items() if status != 200
        ),
    }


def _pages(running: Running) -> list[bytes]:
    """Fifty different pages: components, solutions, articles."""
    paths: list[str] = []
    for kind, page in (("components", "components"), ("solutions", "solutions"), ("articles", "articles")):
        items = running.get(f"/api/v1/{kind}?size=17")["items"]
        paths += [f"/{page}/{item.get('id') or item['name']}" for item in items]
    return [request("GET", path) for path in paths]


def _beside(
    port: int, infer: bytes, pages: list[bytes], connections: int, per_second: float, seconds: float = SECONDS
) -> Load:
    with ProcessPoolExecutor(1) as pool:
        loading = pool.submit(_drive, port, pages, connections, seconds + 0.5, per_second)
        time.sleep(0.3)
        load = closed_loop(port, infer, 8, seconds)
        statuses = loading.result()
    if per_second and (refused := sum(statuses.values()) - statuses.get(200, 0)):
        print(f"  of {sum(statuses.values())} paced pages {refused} were refused: over their share of the interpreter")
    return load


def _drive(port: int, raw: list[bytes], connections: int, seconds: float, per_second: float) -> dict[int, int]:
    return asyncio.run(drive(port, raw, connections, seconds, per_second)).statuses


def _beside_a_job(running: Running, port: int, infer: bytes, key: dict[str, str]) -> Load:
    """The worker busy with batches; what runs is the real job, not a stand-in."""
    example = running.get("/api/v1/components/steel-plate-faults")["examples"][0]["request"]["instances"][0]
    for _ in range(4):
        sent = {**key, "Idempotency-Key": secrets.token_hex(8)}
        path = "/api/v1/components/steel-plate-faults/batch"
        answer = running.call("POST", path, {"instances": [example] * 1500}, headers=sent)
        assert answer.status == 202, answer.body
    return closed_loop(port, infer, 8, SECONDS)


def _beside_a_training(running: Running, port: int, infer: bytes, key: dict[str, str]) -> Load:
    """The worker busy learning from an uploaded table, measured while the job says that it runs."""
    chance = random.Random(7)
    lines = ["load,speed,temperature,energy"]
    for _ in range(3000):
        load, speed, temperature = chance.uniform(1, 9), chance.uniform(10, 60), chance.uniform(120, 210)
        energy = load * speed + 0.3 * temperature + chance.gauss(0, 3)
        lines.append(f"{load:.3f},{speed:.3f},{temperature:.2f},{energy:.3f}")
    sent = {**key, "Content-Type": "text/csv", "X-File-Name": "energy.csv"}
    accepted = running.call("POST", "/api/v1/datasets", "\n".join(lines).encode(), headers=sent)
    assert accepted.status == 202, accepted.body
    _until(running, accepted.headers["Location"], key, {"done"})
    asked = {"dataset": accepted.json()["dataset"]["id"], "target": "energy", "title": "能耗"}
    training = running.call("POST", "/api/v1/trainings", asked, headers=key)
    assert training.status == 202, training.body
    _until(running, training.headers["Location"], key, {"running"})
    measured = closed_loop(port, infer, 8, SECONDS)
    state = running.call("GET", training.headers["Location"], headers=key).json()["state"]
    assert state == "running", f"the training ended before the measurement: {state}"
    # What becomes of it is for the tests to say; the next round must not find it running.
    _until(running, training.headers["Location"], key, {"done", "failed"})
    return measured


def _until(running: Running, job: str, key: dict[str, str], states: set[str]) -> None:
    deadline = time.monotonic() + 300
    while (said := running.call("GET", job, headers=key).json())["state"] not in states:
        assert said["state"] not in ({"failed", "dead", "cancelled"} - states), said
        assert time.monotonic() < deadline, said
        time.sleep(0.1)


def _in_process(row: list[float]) -> float:
    """The bare model in a process of its own, one row a call."""
    code = (
        "import json, sys, time, numpy as np\n"
        "from services.models.inference.release import SHIPPED, open_release\n"
        "from services.models.inference.sessions import load\n"
        f"release = load(open_release([SHIPPED], {COMPONENT!r}))\n"
        f"row = np.array([{row}], dtype=np.float32)\n"
        "run = lambda: release.session.run(None, {release.input_name: row})\n"
        "[run() for _ in range(500)]\n"
        "began = time.perf_counter()\n"
        "[run() for _ in range(20000)]\n"
        "print(20000 / (time.perf_counter() - began))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_plain())
    return round(float(done.stdout), 1)


def _plain() -> dict[str, str]:
    return environment(Settings(home=Path(tempfile.gettempdir()), secret=Secret("0" * 64)), OMP_NUM_THREADS="1")
