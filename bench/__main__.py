"""`python -m bench`: every benchmark, a table at the end, JSON in `bench/results/`."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from bench import isolation, lag, platform, search, serving

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    found: dict[str, Any] = {}
    modules = {"platform": platform, "search": search, "lag": lag, "serving": serving, "isolation": isolation}
    for name, module in modules.items():
        print(f"{name} ...", flush=True)
        found[name] = module.run()
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False), encoding="utf-8")
    width = max(len(key) for part in found.values() for key in part)
    for name, part in found.items():
        print(f"\n{name}")
        for key, value in part.items():
            print(f"  {key:<{width}}  {value}")
    print(f"\n{path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


if __name__ == "__main__":
    main()
