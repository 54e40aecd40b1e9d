"""The examples of a component that is a provider's own service, asked of that service through the guarded client."""

from __future__ import annotations

from pathlib import Path

from services.models.inference.agreement import COMPUTED, difference, only
from services.models.inference.endpoints import Endpoints
from services.models.inference.release import open_release, versions_of
from services.models.logic.shipping import Finding
from shared.errors import Refused


def findings(root: Path, name: str, *, loopback: bool = False) -> list[Finding]:
    """What keeps component `name` under `root` from being published: an address that is not called, other answers."""
    found = []
    endpoints = Endpoints([root], loopback=loopback)
    try:
        for version in versions_of(root / name):
            about = open_release([root], name, version)
            for example in about.examples:
                place = f"releases/{version}/examples.yaml {example['name']}"
                try:
                    answer = endpoints.predict(about, example["request"])
                except Refused as refused:
                    said = getattr(refused, "reason", "") or str(getattr(refused, "errors", "")) or "no answer"
                    found.append(Finding("endpoint-answer", place, f"{type(refused).__name__}: {said}"))
                    continue
                differs = difference(only(example["answer"], COMPUTED), only(answer, COMPUTED))
                if differs:
                    found.append(Finding("example-answer", place, f"differs at {differs}"))
    finally:
        endpoints.close()
    return found
