"""All that is checked of a component on its publisher's machine, under the rule ids of the server's own check."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path

from services.models.inference.release import SHIPPED, component_folder, open_release, versions_of
from services.models.intake import endpoint_check, onnx_check
from services.models.logic import reproducing, shipping
from services.models.logic.shipping import Finding

PLEASE_CONFIRM = "请确认 / please confirm"
_LOOKED_AT = ("component.yaml", "signature.yaml", "card.md", "card.en.md", "release.json", "endpoint.json")


def findings(roots: Sequence[Path], name: str) -> Iterator[Finding]:
    """Written parts first; a model is looked at before it is run, and is run only when all that is in order."""
    written = list(shipping.findings(roots, name))
    if any(each.rule == "component-file" for each in written) and not any((root / name).is_dir() for root in roots):
        yield from written
        return
    folder = component_folder(roots, name)
    unconfirmed = list(_unconfirmed(folder))
    yield from [*written, *unconfirmed]
    if written:
        return
    kind = open_release(roots, name).kind
    if kind == "http":
        yield from endpoint_check.findings(folder.parent, name)
        return
    looked = list(_model_findings(folder)) if kind == "model" else []
    yield from looked or reproducing.findings(roots, name)


def _model_findings(folder: Path) -> Iterator[Finding]:
    if folder.parent == SHIPPED and importlib.util.find_spec("onnx") is None:
        # What ships was looked at when it was made; serving needs no onnx.
        return
    for version in versions_of(folder):
        yield from onnx_check.findings(folder / "releases" / version / "model.onnx")


def _unconfirmed(folder: Path) -> Iterator[Finding]:
    """Texts that `component init` could not know and left to be written."""
    for path in sorted(folder.rglob("*")):
        if path.name not in _LOOKED_AT:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if PLEASE_CONFIRM in line.partition("#")[0] or (path.suffix != ".yaml" and PLEASE_CONFIRM in line):
                place = f"{path.relative_to(folder)} line {number}"
                yield Finding("please-confirm", place, f"still to be written: {line.strip()[:80]}")
