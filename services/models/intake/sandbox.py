"""Runs the checks of what came from outside in a process of its own: it may crash, loop or eat memory, and we go on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from services.models.logic.shipping import Finding

SECONDS = 30


def findings(root: Path, name: str) -> list[Finding]:
    """What keeps component `name` under `root` from being published; a process that fails is a finding too."""
    place = f"{name}/model.onnx"
    command = [sys.executable, "-m", "services.models.intake", str(root), name]
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return [Finding("sandbox-time", place, f"did not end within {SECONDS} s")]
    if done.returncode != 0:
        return [Finding("sandbox", place, f"the model ended its process ({done.returncode}): memory, time or a crash")]
    return [Finding(**each) for each in json.loads(done.stdout)]
