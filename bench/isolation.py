"""What the others keep of their throughput while one provider's models loop, eat memory and end their process.

Also what watching costs: a single row with the watch of a loaded release, per call.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import statistics
import tempfile
import timeit
from collections import deque
from pathlib import Path
from typing import Any

from bench.load import Load, closed_loop, drive, request
from services.models.inference import oip_json
from services.models.inference.release import open_release
from services.models.inference.sessions import load
from tests.fuzz import hostile_onnx
from tests.services.models import tiny_components
from tests.services.models.model_server import OPERATOR, serving
from tests.services.models.provided_components import hungry, provided

ROUNDS = 5
SECONDS = 2.0
PACED = 50.0
"""Calls of the culprit a second: refusals as fast as they come would measure refusing, not isolation."""
BODY = json.dumps({"inputs": [{"name": "input", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}]}).encode()
SHORT = json.dumps({"inputs": [{"name": "input", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]}).encode()


def run() -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="zg-bench-"))
    try:
        tiny_components.write(folder, "ours", tiny_components.linear((2.0, 3.0, -1.0), 0.0))
        provided(folder, "theirs", tiny_components.linear((2.0, 3.0, -1.0), 0.0), "org-b")
        provided(folder, "endless", tiny_components.endless(-1.0), "org-a")
        provided(folder, "hungry", hungry(), "org-a")
        deep = hostile_onnx.deep_tree(50_000).SerializeToString()
        provided(folder, "crashing", deep, "org-a", features=("power", "speed"))
        with serving(folder) as server:
            found: dict[str, Any] = {}
            for name in ("ours", "theirs"):
                for culprit in ("endless", "hungry", "crashing"):
                    found |= asyncio.run(_beside(server.server.port, name, culprit))
        return {**found, **_cost_of_watching(folder)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _raw(name: str) -> bytes:
    body = SHORT if name == "crashing" else BODY
    return request("POST", f"/v2/models/{name}/infer", body, {"X-API-Key": OPERATOR})


async def _beside(port: int, name: str, culprit: str) -> dict[str, Any]:
    closed_loop(port, _raw(name), 8, 1)
    alone: list[Load] = []
    beside: list[Load] = []
    for _ in range(ROUNDS):
        alone.append(await asyncio.to_thread(closed_loop, port, _raw(name), 8, SECONDS))
        disturbing = asyncio.create_task(drive(port, _raw(culprit), 2, SECONDS, PACED))
        beside.append(await asyncio.to_thread(closed_loop, port, _raw(name), 8, SECONDS))
        await disturbing
    kept = statistics.median(one.per_second / other.per_second for one, other in zip(beside, alone, strict=True))
    failed = sum(count for each in beside for status, count in each.statuses.items() if status != 200)
    before = statistics.median(each.per_second for each in alone)
    label = f"{name} beside {culprit}: req/s alone, share kept, not answered"
    return {label: f"{before:.0f}, {kept:.2f}, {failed}"}


def _cost_of_watching(folder: Path) -> dict[str, Any]:
    release = load(open_release([folder], "ours"))
    took = {}
    for watched in (False, True):
        release.seen = deque(maxlen=256) if watched else None
        took[watched] = min(timeit.repeat(lambda: oip_json.infer(release, BODY, 0), number=2000, repeat=7)) / 2000
    return {
        "one row, computed in the runner (us)": round(took[False] * 1e6, 2),
        "the same, watched (us)": round(took[True] * 1e6, 2),
    }


if __name__ == "__main__":
    for key, value in run().items():
        print(f"{key:<70} {value}")
