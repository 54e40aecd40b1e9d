"""Serving models side by side with MLServer, in interleaved rounds; named tensors against one matrix; a thousand models.

The same boosted trees everywhere: through our gateway with key, limits and metering, through our server without them, by
MLServer with scikit-learn, and by MLServer with our very ONNX file.
"""

from __future__ import annotations

import json
import secrets
import shutil
import statistics
import tempfile
import time
import timeit
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from bench.load import Load, closed_loop, pss_mb, request
from bench.mlserver import mlserver
from services.models.inference import oip_json
from services.models.inference.release import SHIPPED, open_release
from services.models.inference.sessions import load
from services.models.logic.packages import FOLDER
from shared.identity import PRINCIPAL_HEADER, SYSTEM, sign
from shared.settings import Secret, Settings
from tests.processes import Running, start, start_embedded, wait_for, zhigai
from tests.services.models import tiny_components
from tests.services.models.model_server import OPERATOR, ModelServer, serving
from tools.devservers import free_port
from tools.server_process import Missing

ROUNDS = 7
SECONDS = 2.0
FEATURES = 20
MANY = 1000
SHIPPED_MODEL = "steel-energy"
INTERVALS = '{"low": [-1.5], "high": [1.5], "coverage": 0.9}'


def run() -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="zg-bench-"))
    try:
        _models(folder)
        found: dict[str, Any] = {}
        try:
            with mlserver(folder / "mlserver") as other:
                found |= _side_by_side(folder, other.port)
        except Missing as missing:
            found["MLServer skipped"] = str(missing)
            found |= _side_by_side(folder, None)
        return {
            **found,
            **_named_tensors(folder / "components"),
            **_a_thousand(folder / "many"),
            **_what_trust_costs(),
            **_alone(),
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _models(folder: Path) -> None:
    """Two hundred boosted trees as a pickle for MLServer and as ONNX for both; forty features for the named tensors."""
    from skl2onnx import to_onnx
    from sklearn.ensemble import HistGradientBoostingRegressor

    chance = np.random.default_rng(7)
    for name, width in (("boosted", FEATURES), ("forty", 40)):
        rows = chance.uniform(0, 10, (4000, width)).astype(np.float32)
        target = rows[:, 0] * rows[:, 1] + 5 * np.sin(rows[:, 2]) + rows[:, 3:].sum(axis=1) + chance.normal(size=4000)
        model = HistGradientBoostingRegressor(max_iter=200, early_stopping=False).fit(rows, target)
        content = to_onnx(model, rows[:1], target_opset=17).SerializeToString()
        names = [f"x{place}" for place in range(width)]
        tiny_components.write(folder / "components", name, content, features=names, intervals=INTERVALS)
        if name == "boosted":
            for kind in ("sk", "onnx"):
                (folder / "mlserver" / kind).mkdir(parents=True)
            joblib.dump(model, folder / "mlserver" / "sk" / "model.joblib")
            (folder / "mlserver" / "onnx" / "model.onnx").write_bytes(content)


def _side_by_side(folder: Path, other: int | None) -> dict[str, Any]:
    home = Path(tempfile.mkdtemp(prefix="zg-bench-"))
    shutil.copytree(folder / "components", home / FOLDER)
    running = start_embedded(Settings(home=home, secret=Secret(secrets.token_hex(32)), port=0))
    try:
        with serving(folder / "components") as bare:
            ports = {
                "gateway": (int(running.url.rsplit(":", 1)[1]), "boosted", {"X-API-Key": running.admin_key}),
                "no policy": (bare.server.port, "boosted", {"X-API-Key": OPERATOR}),
            }
            if other is not None:
                ports |= {"MLServer scikit-learn": (other, "sk", {}), "MLServer ONNX": (other, "onnx", {})}
            return {**_compared(ports, 1), **_compared(ports, 100)}
    finally:
        running.stop()
        shutil.rmtree(home, ignore_errors=True)


def _compared(ports: Mapping[str, tuple[int, str, dict[str, str]]], rows: int) -> dict[str, Any]:
    values = np.random.default_rng(3).uniform(0, 10, (rows, FEATURES)).round(3)
    body = json.dumps({"inputs": [_tensor("input", [rows, FEATURES], values.ravel().tolist())]}).encode()
    raws = {
        name: (port, request("POST", f"/v2/models/{model}/infer", body, {**key, "Content-Type": "application/json"}))
        for name, (port, model, key) in ports.items()
    }
    loads = _rounds(raws)
    found: dict[str, Any] = {}
    rates = {name: statistics.median(load.per_second for load in each) for name, each in loads.items()}
    said = "1 row" if rows == 1 else f"{rows} rows"
    for name, each in loads.items():
        p50, p99 = (statistics.median(load.percentile(share) for load in each) for share in (0.5, 0.99))
        found[f"{said}, c8, {name} (req/s, p50 / p99 ms)"] = f"{rates[name]:.0f}, {p50} / {p99}"
    for name in raws:
        if name != "gateway":
            ratios = [ours.per_second / its.per_second for ours, its in zip(loads["gateway"], loads[name], strict=True)]
            found[f"  gateway / {name}"] = round(statistics.median(ratios), 2)
    return {f"{key}, {said}" if key.startswith("  ") else key: value for key, value in found.items()}


def _rounds(raws: Mapping[str, tuple[int, bytes]]) -> dict[str, list[Load]]:
    """Each in turn, round by round, after a warm-up. Every answer must be 200."""
    for port, raw in raws.values():
        closed_loop(port, raw, 8, 1)
    loads: dict[str, list[Load]] = {name: [] for name in raws}
    for _ in range(ROUNDS):
        for name, (port, raw) in raws.items():
            load = closed_loop(port, raw, 8, SECONDS)
            assert set(load.statuses) == {200}, (name, load.statuses)
            loads[name].append(load)
    return loads


def _tensor(name: str, shape: list[int], data: list[float]) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": "FP32", "data": data}


def _named_tensors(components: Path) -> dict[str, Any]:
    """Forty features as forty tensors, against the same row as one."""
    row = np.random.default_rng(5).uniform(0, 10, 40).round(3).tolist()
    bodies = {
        "matrix": [_tensor("input", [1, 40], row)],
        "named": [_tensor(f"x{place}", [1, 1], [value]) for place, value in enumerate(row)],
    }
    with serving(components) as server:
        path, key = "/v2/models/forty/infer", {"X-API-Key": OPERATOR}
        loads = _rounds(
            {
                name: (server.server.port, request("POST", path, json.dumps({"inputs": tensors}).encode(), key))
                for name, tensors in bodies.items()
            }
        )
    cost = [one.per_second / other.per_second for one, other in zip(loads["matrix"], loads["named"], strict=True)]
    return {"40 named tensors, cost against one matrix (aim 1.5)": round(statistics.median(cost), 2)}


def _a_thousand(root: Path) -> dict[str, Any]:
    """Every one called once, twice over; a budget that holds them all, and one that holds a tenth."""
    for number in range(MANY):
        tiny_components.write(root, f"m{number}", tiny_components.linear((1.0, 0.0, 0.0), float(number)))
    found: dict[str, Any] = {}
    for memory_mb in (1024, 64):
        with serving(root, memory_mb=memory_mb) as server:
            before = _rss_mb(server.runner_pid)
            first, again = _all_called(server), _all_called(server)
            grown = round(_rss_mb(server.runner_pid) - before, 1)
            index = server.call("POST", "/v2/repository/index", {"ready": True}).json()
            found[f"{MANY} small models, memory setting {memory_mb} MB: loaded / runner grew by (MB)"] = (
                f"{len(index)} / {grown}"
            )
            found[f"  first calls / calls again (ms each), {memory_mb} MB"] = f"{first} / {again}"
    return found


def _all_called(server: ModelServer) -> float:
    """Milliseconds a call, one after the other."""
    began = time.perf_counter()
    for number in range(MANY):
        answer = server.infer(f"m{number}", _tensor("input", [1, 3], [1.0, 0.0, 0.0]))
        assert answer.json()["outputs"][0]["data"] == [1.0 + number], answer.body
    return round(1000 * (time.perf_counter() - began) / MANY, 2)


def _what_trust_costs() -> dict[str, Any]:
    """One row of a shipped model in the runner: the bare session, and the whole answer with ranges, interval, flags."""
    release = load(open_release([SHIPPED], SHIPPED_MODEL))
    row = np.array([[each.minimum for each in release.signature.inputs]], np.float32)
    body = json.dumps({"inputs": [_tensor("input", list(row.shape), row.ravel().tolist())]}).encode()
    bare = (
        min(timeit.repeat(lambda: release.session.run(None, {release.input_name: row}), number=2000, repeat=5)) / 2000
    )
    whole = min(timeit.repeat(lambda: oip_json.infer(release, body, 0), number=2000, repeat=5)) / 2000
    said = f"{bare * 1e6:.0f} / {whole * 1e6:.0f}"
    return {f"{SHIPPED_MODEL}, one row: session alone / with JSON, ranges, interval and flags (us)": said}


def _alone() -> dict[str, Any]:
    """`zhigai serve models` by itself: from its start to its first prediction, and its memory with its runner."""
    home = Path(tempfile.mkdtemp(prefix="zg-bench-"))
    settings = Settings(home=home, secret=Secret(secrets.token_hex(32)))
    zhigai(settings, "migrate")
    zhigai(settings, "seed")
    names = [each.name for each in open_release([SHIPPED], SHIPPED_MODEL).signature.inputs]
    body = {"inputs": [_tensor("input", [1, len(names)], [0.0] * len(names))]}
    running = Running(f"http://127.0.0.1:{free_port()}", home)
    began = time.perf_counter()
    start(running, settings, "models", "serve", "models", "--port", running.url.rsplit(":", 1)[1])
    try:
        wait_for(f"{running.url}/healthz", running)
        headers = {PRINCIPAL_HEADER: sign(SYSTEM, settings.secret)}
        answer = running.call("POST", f"/v2/models/{SHIPPED_MODEL}/infer", body, headers=headers)
        took = time.perf_counter() - began
        assert answer.status == 200, answer.body
        return {
            "models service alone: start to first prediction (s, aim 3)": round(took, 2),
            "models service alone: memory with its runner (PSS MB, aim 200)": pss_mb(running),
        }
    finally:
        running.stop()
        shutil.rmtree(home, ignore_errors=True)


def _rss_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]) / 1024


if __name__ == "__main__":
    for key, value in run().items():
        print(f"{key:<80}  {value}")
