"""How a release's inputs and answers were spread in training: bin edges and shares, kept as `reference.json`.

`{"rows": n, "features": {name: {"edges": [...], "shares": [...]}}, "prediction": {...}}`. The edges are the inner ones:
k edges make k + 1 bins, the first and last open. Of a classification `prediction` holds `classes` and `shares`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.models.inference.release import LoadedRelease

BINS = 10


def reference_of(
    matrix: NDArray[Any], names: Sequence[str], predictions: NDArray[Any] | None = None, classes: Sequence[str] = ()
) -> dict[str, Any]:
    """`matrix` (n, features) are training rows; `predictions` (n,) what the release says of them, or (n, classes)."""
    found: dict[str, Any] = {
        "rows": int(matrix.shape[0]),
        "features": {name: _spread(np.asarray(matrix[:, place], np.float64)) for place, name in enumerate(names)},
    }
    if predictions is not None and classes:
        chosen = np.argmax(predictions, axis=1)
        shares = np.bincount(chosen, minlength=len(classes)) / chosen.size
        found["prediction"] = {"classes": list(classes), "shares": [round(float(each), 6) for each in shares]}
    elif predictions is not None:
        found["prediction"] = _spread(np.asarray(predictions, np.float64).reshape(-1))
    return found


def reference_of_release(release: LoadedRelease, matrix: NDArray[Any]) -> dict[str, Any]:
    """The reference of a loaded release for its training rows (n, features): what it says of them is computed here."""
    outputs = release.session.run(None, {release.input_name: np.ascontiguousarray(matrix, np.float32)})
    classes = release.signature.classes
    said = np.asarray(outputs[-1] if classes else outputs[0])
    return reference_of(matrix, [each.name for each in release.signature.inputs], said, classes)


def counted(values: NDArray[Any], edges: Sequence[float]) -> NDArray[np.int64]:
    """How many values fall into each bin. A value on an edge belongs to the bin below it."""
    places = np.searchsorted(np.asarray(edges, np.float32), values.astype(np.float32), side="left")
    return np.bincount(places, minlength=len(edges) + 1)


def _spread(values: NDArray[np.float64]) -> dict[str, Any]:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return {"edges": [], "shares": [1.0]}
    # The served model sees single precision, and so must the bins.
    edges = np.unique(np.quantile(finite, np.linspace(0, 1, BINS + 1)[1:-1]).astype(np.float32))
    shares = counted(finite, [float(each) for each in edges]) / finite.size
    return {"edges": [float(each) for each in edges], "shares": [round(float(each), 6) for each in shares]}
