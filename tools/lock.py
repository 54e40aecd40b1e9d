"""Compiles `requirements/in/*.in` into locked, hashed requirements.

`all.txt` is resolved first; the smaller sets are resolved within its versions, so that what is tested is what is served.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IN = ROOT / "requirements" / "in"
OUT = ROOT / "requirements"
SETS = {
    "serve": ["service", "search", "markdown", "inference", "tables", "train", "schedule", "build"],
    "catalog": ["service", "search", "distributed"],
    "knowledge": ["service", "search", "markdown", "distributed"],
    "programme": ["service", "distributed"],
    "gateway": ["service", "search", "distributed"],
    "portal": ["service", "markdown"],
    "models": ["service", "search", "inference", "tables", "distributed"],
    "worker": ["service", "search", "inference", "tables", "train", "schedule", "distributed"],
    "uv": ["uv"],
}


def compile_set(name: str, parts: list[str], constraint: Path | None) -> None:
    target = OUT / f"{name}.txt"
    command = [
        str(Path(sys.executable).with_name("uv")),
        "pip",
        "compile",
        "--quiet",
        "--universal",
        "--python-version",
        "3.11",
        "--generate-hashes",
        "--no-header",
        "--no-annotate",
        "--upgrade",
        "--output-file",
        str(target),
    ]
    if constraint is not None:
        command += ["--constraint", str(constraint)]
    command += [str(IN / f"{part}.in") for part in parts]
    subprocess.run(command, check=True, cwd=ROOT)
    lines = target.read_text(encoding="utf-8").splitlines()
    if any("://" in line for line in lines):
        raise SystemExit(f"{target.name} names a host")
    print(f"{target.name}: {sum(1 for line in lines if '==' in line)} packages")


def main() -> None:
    everything = sorted(path.stem for path in IN.glob("*.in") if path.stem != "uv")
    compile_set("all", everything, None)
    for name, parts in SETS.items():
        compile_set(name, parts, None if name == "uv" else OUT / "all.txt")


if __name__ == "__main__":
    main()
