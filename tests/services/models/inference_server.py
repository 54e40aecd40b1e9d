"""The model routes alone behind the real server: `python -m tests.services.models.inference_server HOME PORT ROOT…`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from services.models.inference.handover import Inference
from shared.errors import Refused, Unauthenticated
from shared.http import serve
from shared.http.call import Call
from shared.settings import Secret, Settings


def admit(call: Call) -> Refused | None:
    return None if call.headers.get("x-api-key") == "k" else Unauthenticated()


def page(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"page"]


def main() -> None:
    home, port, *roots = sys.argv[1:]
    settings = Settings(home=Path(home), secret=Secret("s" * 40), port=int(port))
    inference = Inference([Path(root) for root in roots], admit, settings.memory_budget_mb)
    serve.run(settings, page, [inference], on_ready=lambda: print("ready", inference.runner.pid, flush=True))


if __name__ == "__main__":
    main()
