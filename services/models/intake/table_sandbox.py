"""Reads an uploaded table in a process of its own: a hostile file may crash, loop or eat memory, and we go on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.models.errors import UnreadableTable

SECONDS = 180
_LOOK_EVERY_S = 1.0


def read(path: Path, sheet: str, alive: Callable[[], None]) -> tuple[bytes, dict[str, Any]]:
    """The table as bytes and what was found: `{format, profile}`. `alive` is called while it works and may raise.

    Raises `UnreadableTable`, also when the process ends by itself.
    """
    with tempfile.TemporaryDirectory(prefix="zg-table-") as folder:
        out = Path(folder) / "table"
        command = [sys.executable, "-m", "services.models.intake.table_process", str(path), str(out), sheet]
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        with (Path(folder) / "said").open("w+b") as said:
            child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                command, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.DEVNULL
            )
            try:
                _wait(child, alive)
            finally:
                if child.poll() is None:
                    child.kill()
                    child.wait()
            said.seek(0)
            answer = said.read()
        if child.returncode != 0 or not answer:
            raise UnreadableTable(
                reason=f"文件过大或结构异常，读取进程已中止（{child.returncode}）。请删去空白的远处单元格，或另存为 CSV"
                f" / too large or malformed, the reading process ended ({child.returncode}): save it as CSV"
            )
        found: dict[str, Any] = json.loads(answer)
        if "refused" in found:
            raise UnreadableTable(reason=found["refused"])
        return out.read_bytes(), found


def _wait(child: subprocess.Popen[bytes], alive: Callable[[], None]) -> None:
    end = time.monotonic() + SECONDS
    while True:
        try:
            child.wait(timeout=_LOOK_EVERY_S)
            return
        except subprocess.TimeoutExpired:
            alive()
            if time.monotonic() > end:
                raise UnreadableTable(
                    reason=f"{SECONDS} 秒内没有读完，请分成几份 / not read within {SECONDS} s: split the file"
                ) from None
