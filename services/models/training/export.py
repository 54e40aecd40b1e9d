"""From a fitted scikit-learn estimator to a release folder: ONNX with a parity check, card, lineage, examples."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import yaml
from numpy.typing import NDArray
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType

OPSET = {"": 18, "ai.onnx.ml": 3}
MOST_OFF = 0.005


@dataclass
class Made:
    """Everything that a release folder holds."""

    version: str
    signature: dict[str, Any]
    onnx: bytes
    matrix: NDArray[Any]
    """The rows it was fitted on, (n, features); only how their values are spread is kept."""
    intervals: dict[str, Any]
    lineage: dict[str, Any]
    card: str
    card_en: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    """Named examples without their answers; these are computed by the release itself."""
    rows_seen: list[str] = field(default_factory=list)
    """Digests of the rows it was fitted on, so that a score on them is never taken for a test."""


def onnx_of(
    estimator: Any, features: int, check: NDArray[np.float32], tolerance: float, input_name: str = "input"
) -> bytes:
    """The estimator as ONNX. Raises ValueError when its answers differ from scikit-learn's beyond `tolerance`."""
    options = {id(estimator): {"zipmap": False}} if hasattr(estimator, "predict_proba") else None
    model = to_onnx(
        estimator,
        initial_types=[(input_name, FloatTensorType([None, features]))],
        target_opset=OPSET,
        options=options,
    )
    content: bytes = model.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    outputs = session.run(None, {input_name: check})
    wanted = estimator.predict_proba(check) if options else estimator.predict(check)
    difference = np.abs(np.asarray(outputs[-1]).reshape(wanted.shape) - wanted)
    # A value that lies on a split to the last bit may fall to its other side in single precision.
    share = float((difference > tolerance).mean())
    if share > MOST_OFF:
        raise ValueError(f"ONNX differs from scikit-learn by more than {tolerance:.3g} in {share:.2%} of the answers")
    return content


def file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def ranges(matrix: NDArray[Any], names: Sequence[str]) -> dict[str, tuple[float, float]]:
    """The trained range of each feature: smallest and largest value seen."""
    return {
        name: (float(np.min(matrix[:, column])), float(np.max(matrix[:, column]))) for column, name in enumerate(names)
    }


def typicals(matrix: NDArray[Any], names: Sequence[str]) -> dict[str, float]:
    """The median of each feature: what an explanation compares with."""
    return {name: round(float(np.median(matrix[:, column])), 4) for column, name in enumerate(names)}


def write_release(component: Path, made: Made) -> Path:
    """Writes the folder, loads the release from it and stores what it answers to its examples."""
    folder = component / "releases" / made.version
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(made.onnx)
    (folder / "intervals.json").write_text(_json(made.intervals), encoding="utf-8")
    (folder / "release.json").write_text(_json(made.lineage), encoding="utf-8")
    (folder / "card.md").write_text(made.card, encoding="utf-8")
    (folder / "card.en.md").write_text(made.card_en, encoding="utf-8")
    if made.rows_seen:
        (folder / "rows_seen.txt").write_text("\n".join(sorted(made.rows_seen)) + "\n", encoding="ascii")
    _dump(folder / "signature.yaml", made.signature)
    write_what_it_says(component, made.version, made.matrix, made.requests)
    return folder


def write_what_it_says(
    component: Path, version: str, matrix: NDArray[Any], requests: Sequence[Mapping[str, Any]]
) -> None:
    """Stores what the release itself says: how the training rows and its answers to them are spread, which drift is
    measured against, and its answer to each named request."""
    from services.models.inference.predict import predict
    from services.models.inference.reference import reference_of_release
    from services.models.inference.release import open_release
    from services.models.inference.sessions import load

    folder = component / "releases" / version
    # Those of an earlier making need not be what it says now.
    _dump(folder / "examples.yaml", [])
    release = load(open_release([component.parent], component.name, version), verify=False)
    (folder / "reference.json").write_text(_json(reference_of_release(release, matrix)), encoding="utf-8")
    examples = [{**each, "answer": predict(release, each["request"], "zh")} for each in requests]
    _dump(folder / "examples.yaml", examples)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _dump(path: Path, value: Any) -> None:
    text = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=118, default_flow_style=None)
    path.write_text(text, encoding="utf-8")
