"""What a runner may use. Loaded once, before anything of a model is."""

from __future__ import annotations

import os
import resource

CALL_SECONDS = 2.0
"""A run is terminated after this long; a call of many rows may take as long as its rows deserve."""
LOAD_SECONDS = 10.0
"""To read a model, build its session and run it once."""
GRACE_SECONDS = 2.0
"""What does not end when it is terminated (a tool in Python knows no terminate) ends with the process."""


def apply_caps(memory_mb: int) -> None:
    """Address space, core files, children; and a pleasant neighbour on the machine."""
    size = (2048 + memory_mb) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ["OMP_NUM_THREADS"] = "1"
