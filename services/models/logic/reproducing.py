"""A release must give its stored answers again. Needs numpy: imported by the command line and the worker only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from services.models.inference.agreement import SETTLED, difference, only, without_words
from services.models.inference.predict import predict
from services.models.inference.release import open_release, versions_of
from services.models.inference.sessions import load
from services.models.inference.tool_call import is_job
from services.models.logic.shipping import Finding
from shared.errors import Refused


def findings(roots: Sequence[Path], name: str) -> Iterator[Finding]:
    """Examples whose answer is not what is stored."""
    folder = open_release(roots, name).folder.parent.parent
    for version in versions_of(folder):
        about = open_release(roots, name, version)
        try:
            release = load(about, verify=False)
        except Refused as refused:
            yield Finding("model-failed", f"releases/{version}", _said(refused))
            continue
        for example in about.examples:
            place = f"releases/{version}/examples.yaml {example['name']}"
            try:
                stored, found = example["answer"], predict(release, example["request"], "zh")
            except Refused as refused:
                yield Finding("example-answer", place, f"gives no answer: {_said(refused)}")
                continue
            if is_job(release):
                stored, found = only(stored, SETTLED), only(found, SETTLED)
            differs = difference(without_words(stored), without_words(found))
            if differs:
                yield Finding("example-answer", place, f"differs at {differs}")


def _said(refused: Refused) -> str:
    return str(getattr(refused, "reason", "") or getattr(refused, "errors", "") or type(refused).__name__)[:300]
