"""The model routes alone behind the real server:
`python -m tests.services.models.inference_server HOME PORT MEMORY_MB ROOT…`.

The key `k` is the operator's; `k-ORGANISATION` is a key of that organisation, `guest-ID` a guest, `nobody` has no key.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from services.models.inference.handover import Inference
from shared.errors import Refused, Unauthenticated
from shared.http import serve
from shared.http.call import Call
from shared.identity import Principal
from shared.settings import Secret, Settings


def admit(call: Call) -> Refused | None:
    kind, _, name = call.headers.get("x-api-key", "").partition("-")
    if kind == "k" and not name:
        call.principal = Principal(organisation="org-operator", key_id="k", role="admin", scopes=frozenset({"*"}))
    elif kind == "k":
        call.principal = Principal(organisation=name, key_id="k-x", role="sme", scopes=frozenset({"predict"}))
    elif kind == "guest":
        call.principal = Principal(guest=name)
    elif kind != "nobody":
        return Unauthenticated()
    return None


def page(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"page"]


def main() -> None:
    home, port, memory_mb, *roots = sys.argv[1:]
    settings = Settings(home=Path(home), secret=Secret("s" * 40), port=int(port))
    inference = Inference([Path(root) for root in roots], admit, int(memory_mb))
    serve.run(settings, page, [inference], on_ready=lambda: print("ready", inference.runner.pid, flush=True))


if __name__ == "__main__":
    main()
