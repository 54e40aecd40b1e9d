"""`python -m services.models.intake.table_process FILE OUT [SHEET]`: one table read and looked through, with caps.

OUT gets the table; the profile, or why the file was refused, goes to standard output as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

MEMORY_BYTES = 2 * 1024**3
CPU_SECONDS = 120
OUT_BYTES = 512 * 1024**2


def main() -> None:
    source, out = Path(sys.argv[1]), Path(sys.argv[2])
    sheet = sys.argv[3] if len(sys.argv) > 3 else ""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, OUT_BYTES),
    ):
        resource.setrlimit(what, (most, most))
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from services.models.errors import UnreadableTable
    from services.models.intake import tables
    from services.models.training.profile import profile

    try:
        content = source.read_bytes()
        table = tables.read(content, sheet)
        found = {"format": tables.format_of(content), "profile": profile(table)}
        out.write_bytes(table.as_bytes())
    except UnreadableTable as refused:
        found = {"refused": refused.reason}
    except MemoryError:
        found = {"refused": "表太大，内存放不下，请分成几份 / too large for the memory, split the file"}
    print(json.dumps(found, allow_nan=False))


if __name__ == "__main__":
    main()
