"""The Open Inference Protocol for tools whose formula answers at once: one tensor per named input, one row a calculation.

An input with a default may be left out, which the answer's parameters say. Tools that take tables, or that are computed as
jobs, answer the friendly call alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.models.errors import BadTensor, NotAModel
from services.models.inference.instances import MOST_INSTANCES, conversions_of
from services.models.inference.oip_answer import answered
from services.models.inference.oip_binary import Raw
from services.models.inference.oip_json import request_of
from services.models.inference.oip_tensor import parameters_of, tensor_of
from services.models.inference.release import LoadedRelease
from services.models.inference.signature import Feature, Signature
from services.models.inference.tool_call import is_job, tool_prediction

DATATYPES: Mapping[str, str] = {"FP64": "FP64", "FP32": "FP64", "INT64": "INT64", "BYTES": "BYTES", "LIST": "FP64"}
"""Of an input of the signature -> the tensor's."""


def takes_tensors(signature: Signature) -> bool:
    return all(feature.datatype in DATATYPES for feature in signature.inputs)


def infer_tool(release: LoadedRelease, body: bytes, json_length: int, language: str) -> tuple[bytes, int]:
    """Body of the answer and the length of its JSON part. Raises `BadTensor`, `BadInstances`, `NotAModel`."""
    if is_job(release) or not takes_tensors(release.signature):
        raise NotAModel(component=release.name)
    head = body[:json_length] if json_length else body
    request = request_of(head)
    raw = Raw(body[json_length:] if json_length else b"")
    columns, units = _columns(release, request["inputs"], raw, b"true" in head or b"false" in head)
    raw.must_be_used_up()
    rows = len(next(iter(columns.values())))
    instances = [{name: values[row] for name, values in columns.items()} for row in range(rows)]
    conversions = conversions_of(release, {"units": units})
    predictions = [tool_prediction(release, each, index, language, conversions) for index, each in enumerate(instances)]
    return answered(release, request, _outputs(release, predictions), _flags(release, columns, predictions))


def _columns(
    release: LoadedRelease, tensors: Sequence[Any], raw: Raw, booleans: bool
) -> tuple[dict[str, list[Any]], dict[str, str]]:
    """Values by input, one a row, and the units that were given."""
    features = {feature.name: feature for feature in release.signature.inputs}
    found: dict[str, list[Any]] = {}
    units: dict[str, str] = {}
    for tensor in tensors:
        name, values = tensor_of(tensor, raw, booleans)
        if name in found:
            raise BadTensor(tensor=name, reason="出现两次 / given twice")
        if name not in features:
            raise BadTensor(tensor=name, reason=f"未知，可用 / unknown, use: {', '.join(features)}")
        found[name] = _rows(features[name], values)
        unit = parameters_of(name, tensor).get("unit")
        if unit is not None:
            units[name] = unit
    counts = {len(values) for values in found.values()}
    if len(counts) != 1 or not 0 < max(counts) <= MOST_INSTANCES:
        said = ", ".join(f"{name} {len(values)}" for name, values in found.items())
        reason = (
            f"各张量的行数应相同且为 1 到 {MOST_INSTANCES} / equal numbers of rows, 1 to {MOST_INSTANCES}: {said[:200]}"
        )
        raise BadTensor(tensor=next(iter(found)), reason=reason)
    return found, units


def _rows(feature: Feature, values: NDArray[Any]) -> list[Any]:
    if feature.datatype == "LIST":
        # One list of numbers is one row.
        lists: list[Any] = values.reshape(1, -1).tolist() if values.ndim == 1 else values.tolist()
        return lists
    if values.ndim > 2 or (values.ndim == 2 and values.shape[1] != 1):
        raise BadTensor(tensor=feature.name, reason=f"形状 {list(values.shape)}，应为 [n] 或 [n, 1] / wrong shape")
    found: list[Any] = values.reshape(-1).tolist()
    return found


def _outputs(release: LoadedRelease, predictions: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, NDArray[Any]]]:
    found: dict[str, tuple[str, NDArray[Any]]] = {}
    for output in release.signature.outputs:
        values = [each["outputs"].get(output.name, {}).get("value") for each in predictions]
        if all(isinstance(value, bool) for value in values):
            found[output.name] = ("BOOL", np.array(values, np.bool_))
        elif all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
            found[output.name] = ("FP64", np.array(values, np.float64))
        elif all(isinstance(value, str) for value in values):
            found[output.name] = ("BYTES", np.array(values, object))
    found["in_range"] = ("BOOL", np.array([each["in_range"] for each in predictions], np.bool_))
    return found


def _flags(
    release: LoadedRelease, given: Mapping[str, Any], predictions: Sequence[Mapping[str, Any]]
) -> dict[str, str | int]:
    found: dict[str, str | int] = {}
    outside = [each for each in predictions if not each["in_range"]]
    if outside:
        names = {warning["feature"] for each in outside for warning in each["warnings"]}
        found["out_of_range_rows"] = len(outside)
        found["out_of_range_features"] = ",".join(each.name for each in release.signature.inputs if each.name in names)
    left_out = [each.name for each in release.signature.inputs if each.name not in given]
    if left_out:
        found["defaults_used"] = ",".join(left_out)
    return found
