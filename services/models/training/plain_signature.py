"""The signature of a model whose inputs are the columns of its data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.models.training.export import ranges, typicals

RANGE = "范围为训练数据的最小到最大"

Words = Mapping[str, tuple[str, str, str, str]]
"""Name -> title in Chinese, in English, unit, and what it means."""


def inputs_of(
    matrix: NDArray[Any], words: Words, choices: Mapping[str, Sequence[str]] | None = None
) -> list[dict[str, Any]]:
    """Features with the range and the usual value seen in training; `matrix` is (n, f) in the order of `words`."""
    names = list(words)
    seen, typical = ranges(matrix, names), typicals(matrix, names)
    found = []
    for name, (zh, en, unit, meaning) in words.items():
        feature: dict[str, Any] = {
            "name": name, "title_zh": zh, "title_en": en, "unit": unit, "datatype": "FP32",
            "minimum": round(seen[name][0], 4), "maximum": round(seen[name][1], 4), "typical": typical[name],
            "meaning": f"{meaning}；{RANGE}" if meaning else RANGE,
        }  # fmt: skip
        if choices and name in choices:
            feature["choices"] = list(choices[name])
            feature["meaning"] = meaning
        found.append(feature)
    return found


def instance_of(
    names: Sequence[str], row: NDArray[Any], choices: Mapping[str, Sequence[str]] | None = None
) -> dict[str, Any]:
    """A row as a caller sends it."""
    found: dict[str, Any] = {}
    for name, value in zip(names, row, strict=True):
        if choices and name in choices:
            found[name] = choices[name][int(value)]
        else:
            found[name] = int(value) if float(value).is_integer() else round(float(np.float32(value)), 4)
    return found
