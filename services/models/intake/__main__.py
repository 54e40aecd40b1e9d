"""`python -m services.models.intake ROOT NAME`: the checks of a component, in a process with caps; findings as JSON."""

from __future__ import annotations

import json
import os
import resource
import sys
from dataclasses import asdict
from pathlib import Path

from services.models.inference.runner.isolation import cut_network

MEMORY_BYTES = 3 * 1024**3
CPU_SECONDS = 10


def main() -> None:
    root, name = Path(sys.argv[1]), sys.argv[2]
    cut_network()
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(what, (most, most))
    os.environ["OMP_NUM_THREADS"] = "1"
    from services.models.inference.release import component_folder
    from services.models.intake import onnx_check
    from services.models.logic import reproducing

    folder = component_folder([root], name)
    found = [each for path in sorted(folder.glob("releases/*/model.onnx")) for each in onnx_check.findings(path)]
    if not found:
        found = list(reproducing.findings([root], name))
    print(json.dumps([asdict(each) for each in found]))


if __name__ == "__main__":
    main()
