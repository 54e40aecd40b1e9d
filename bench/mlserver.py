"""MLServer in an environment of its own, made once in the user's cache and kept."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from urllib.request import urlopen

from tools.devservers import free_port
from tools.server_process import Missing, Server

VENV = Path.home() / ".cache" / "zhigai" / "mlserver-venv"
MLSERVER = "1.7.1"
# With newer event loops MLServer's own start fails ("no current event loop").
PACKAGES = (f"mlserver=={MLSERVER}", f"mlserver-sklearn=={MLSERVER}", "uvloop<0.22")
SAME_HERE_AND_THERE = ("scikit-learn", "numpy", "onnxruntime")


def python() -> str:
    """MLServer's interpreter. Raises `Missing` with why it cannot be had."""
    wanted = [*PACKAGES, *(f"{name}=={version(name)}" for name in SAME_HERE_AND_THERE)]
    stamp = VENV / "made-of.txt"
    found = VENV / "bin" / "python"
    if stamp.exists() and stamp.read_text().split() == wanted:
        return str(found)
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        raise Missing("uv is not installed beside this Python")
    shutil.rmtree(VENV, ignore_errors=True)
    VENV.parent.mkdir(parents=True, exist_ok=True)
    for command in (
        [str(uv), "venv", "--quiet", "--python", sys.executable, str(VENV)],
        [str(uv), "pip", "install", "--quiet", "--python", str(found), *wanted],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Missing(f"MLServer cannot be installed: {done.stderr.strip()[-300:]}")
    stamp.write_text("\n".join(wanted))
    return str(found)


@contextmanager
def mlserver(folder: Path) -> Iterator[Server]:
    """Serves `folder/sk/model.joblib` as `sk` and `folder/onnx/model.onnx` as `onnx`. Raises `Missing`."""
    interpreter = python()
    port = free_port()
    settings = {
        "host": "127.0.0.1", "http_port": port, "grpc_port": free_port(), "metrics_endpoint": None, "debug": False,
        "parallel_workers": 0,
    }  # fmt: skip
    (folder / "settings.json").write_text(json.dumps(settings))
    for name, implementation, file in (
        ("sk", "mlserver_sklearn.SKLearnModel", "model.joblib"),
        ("onnx", "mlserver_onnx.OnnxModel", "model.onnx"),
    ):
        about = {"name": name, "implementation": implementation, "parameters": {"uri": f"./{file}"}}
        (folder / name / "model-settings.json").write_text(json.dumps(about))
    shutil.copy(Path(__file__).with_name("mlserver_onnx.py"), folder)
    server = Server(
        "mlserver", f"http://127.0.0.1:{port}", port, folder,
        [interpreter, "-m", "mlserver.cli.main", "start", str(folder)],
        {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(folder)}, patience_s=60,
    )  # fmt: skip

    def ready() -> bool:
        with (
            urlopen(f"{server.url}/v2/models/onnx/ready", timeout=2) as one,
            urlopen(f"{server.url}/v2/models/sk/ready", timeout=2) as other,
        ):
            return one.status == other.status == 200

    server.ready = ready
    server.start()
    try:
        yield server
    finally:
        server.stop()
