"""The Open Inference Protocol v2: requests read into a matrix, answers written.

A tabular release takes one matrix tensor, shape (n, features) or (features,), or one tensor per named feature, shape (n,)
or (n, 1); its metadata lists the named tensors. A feature with choices takes words; a number stands for the word that it
would be written as, never for a place in the list.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from services.models.errors import BadTensor
from services.models.inference.compute import compute, unlike_training
from services.models.inference.oip_answer import answered, outputs_of
from services.models.inference.oip_binary import Raw
from services.models.inference.oip_tensor import parameters_of, tensor_of
from services.models.inference.release import LoadedRelease
from services.models.inference.seen import note
from services.models.inference.signature import Feature
from services.models.inference.units import OtherKind, converter

MOST_ROWS = 100_000
MATRIX = "input"
MEMBERS = frozenset({"id", "parameters", "inputs", "outputs", "model_name", "model_version"})
"""The last two are sent by clients that make a JSON request out of the gRPC one; the path says them anyway."""
_PLAIN = ("FP32", "FP64")


def infer(release: LoadedRelease, body: bytes, json_length: int, options: Any = None) -> tuple[bytes, int]:
    """The answer's body and the length of its JSON part (0 when it is all JSON). Raises `BadTensor`, `ModelFailed`."""
    head = body[:json_length] if json_length else body
    request = request_of(head)
    raw = Raw(body[json_length:] if json_length else b"")
    matrix = _matrix(release, request["inputs"], raw, b"true" in head or b"false" in head)
    raw.must_be_used_up()
    flagged = release.ranges.outside(matrix)
    if flagged is not None and not np.isfinite(matrix).all():
        raise BadTensor(
            tensor=str(request["inputs"][0]["name"])[:200], reason="含有非有限数值 / not all numbers are finite"
        )
    computed = compute(release, matrix, options)
    note(release, matrix, computed)
    novel = unlike_training(release, matrix)
    on_request = (flagged, novel) if request.get("outputs") else None
    outputs = outputs_of(release, computed, on_request, matrix.shape[0])
    return answered(release, request, outputs, _flags(release, flagged, novel))


def request_of(head: bytes) -> Mapping[str, Any]:
    """The request's JSON with its members checked. Raises `BadTensor`."""
    try:
        request = orjson.loads(head)
    except orjson.JSONDecodeError as wrong:
        raise BadTensor(tensor="-", reason=f"JSON 无法读取 / malformed JSON: {str(wrong)[:120]}") from None
    if not isinstance(request, dict) or not isinstance(request.get("inputs"), list) or not request["inputs"]:
        raise BadTensor(tensor="inputs", reason="应为非空数组 / must be a list of tensors")
    if not request.keys() <= MEMBERS:
        unknown = sorted(set(request) - MEMBERS)
        raise BadTensor(tensor="-", reason=f"未知成员 / unknown member: {', '.join(unknown)[:120]}")
    if not isinstance(request.get("id", ""), (str, type(None))):
        raise BadTensor(tensor="-", reason="id 应为文字 / id must be text")
    return request


def _flags(
    release: LoadedRelease, flagged: NDArray[np.bool_] | None, novel: NDArray[np.bool_] | None
) -> dict[str, str | int]:
    """The answer's `parameters`: how many rows lie outside the trained ranges, and how many are unlike any trained row."""
    found: dict[str, str | int] = {}
    if flagged is not None:
        columns = np.flatnonzero(flagged.any(axis=0))
        found["out_of_range_rows"] = int(flagged.any(axis=1).sum())
        found["out_of_range_features"] = ",".join(release.signature.inputs[column].name for column in columns)
    if novel is not None and novel.any():
        found["unusual_rows"] = int(novel.sum())
    return found


def _matrix(release: LoadedRelease, tensors: list[Any], raw: Raw, booleans: bool) -> NDArray[np.float32]:
    features = release.signature.inputs
    if not booleans and len(features) > 1:
        quick = _plain_matrix(release, tensors[0]) if len(tensors) == 1 else None
        if quick is None and len(tensors) == len(features):
            quick = _plain_columns(release, tensors)
        if quick is not None:
            return _bounded(features[0].name, quick)
    read = {}
    asked_as_matrix = False
    for tensor in tensors:
        name, values = tensor_of(tensor, raw, booleans)
        if name in read:
            raise BadTensor(tensor=name, reason="出现两次 / given twice")
        parameters = parameters_of(name, tensor)
        asked_as_matrix = asked_as_matrix or parameters.get("content_type") == "np"
        unit = parameters.get("unit")
        read[name] = values if unit is None else _converted(release, name, values, unit)
    if len(read) == 1:
        name, values = next(iter(read.items()))
        # With a single feature a wrong name would pass for a matrix unless the caller says that it is one.
        if name not in release.signature.names and (len(features) > 1 or name == MATRIX or asked_as_matrix):
            return _bounded(name, _as_matrix(release, name, values))
    return _from_columns(features, read)


def _plain_matrix(release: LoadedRelease, tensor: Any) -> NDArray[np.float32] | None:
    """One flat matrix of plain numbers in JSON. None when anything is not as usual: then it is looked at with care."""
    if not isinstance(tensor, dict) or tensor.get("datatype") not in _PLAIN or tensor.get("parameters"):
        return None
    name, shape, values = tensor.get("name"), tensor.get("shape"), tensor.get("data")
    width = len(release.signature.inputs)
    if not isinstance(name, str) or name in release.signature.names or release.ranges.worded:
        return None
    if not isinstance(values, list) or shape != [len(values) // width, width] or type(shape[0]) is not int:
        return None
    if len(values) % width:
        return None
    flat = _numbers(values)
    return None if flat is None else flat.reshape(-1, width)


def _plain_columns(release: LoadedRelease, tensors: list[Any]) -> NDArray[np.float32] | None:
    """Named tensors of plain numbers in JSON, by far the most usual, in one conversion instead of one each.

    None when anything is not as usual: then each is looked at by itself, and refused by name.
    """
    data: dict[str, list[Any]] = {}
    rows = -1
    for tensor in tensors:
        if not isinstance(tensor, dict) or tensor.get("datatype") not in _PLAIN:
            return None
        values = tensor.get("data")
        if tensor.get("parameters") not in (None, {}):
            return None
        if not isinstance(values, list) or tensor.get("shape") not in ([len(values)], [len(values), 1]):
            return None
        if rows not in (-1, len(values)):
            return None
        rows = len(values)
        name = tensor.get("name")
        if not isinstance(name, str):
            return None
        data[name] = values
    if data.keys() != release.signature.names or release.ranges.worded:
        return None
    flat = _numbers(list(chain.from_iterable([data[feature.name] for feature in release.signature.inputs])))
    return None if flat is None else np.ascontiguousarray(flat.reshape(len(data), rows).T)


def _numbers(values: list[Any]) -> NDArray[np.float32] | None:
    """(n,) in half the time that numpy takes to find out what a list holds; None for no values or others than numbers."""
    try:
        return np.frombuffer(array("f", values), np.float32) if values else None
    except (TypeError, OverflowError):
        return None


def _converted(release: LoadedRelease, name: str, values: NDArray[Any], unit: Any) -> NDArray[Any]:
    """Values in the feature's own unit. A unit of another kind is refused with both named, never passed over."""
    feature = next((each for each in release.signature.inputs if each.name == name), None)
    if feature is None or not isinstance(unit, str) or values.dtype.kind == "O":
        raise BadTensor(tensor=name, reason="unit 只用于单个特征的张量 / a unit goes with the tensor of one feature")
    try:
        factor, offset = converter(unit, feature.unit)
    except OtherKind as other:
        raise BadTensor(tensor=name, reason=str(other)) from None
    return values if (factor, offset) == (1.0, 0.0) else values.astype(np.float64) * factor + offset


def _from_columns(features: tuple[Feature, ...], read: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    names = [feature.name for feature in features]
    missing = [name for name in names if name not in read]
    extra = [name for name in read if name not in set(names)]
    if missing or extra:
        said = []
        if missing:
            said.append(f"缺少 / missing: {', '.join(missing[:10])}")
        if extra:
            said.append(f"未知 / unknown: {', '.join(extra[:10])}")
        raise BadTensor(tensor=(extra or missing)[0][:80], reason="；".join(said))
    rows = read[names[0]].size
    matrix = np.empty((rows, len(names)), dtype=np.float32)
    for column, feature in enumerate(features):
        values = read[feature.name]
        if values.ndim > 2 or (values.ndim == 2 and values.shape[1] != 1) or values.size != rows:
            reason = f"形状 {list(values.shape)}，应为 [{rows}] 或 [{rows}, 1] / wrong shape"
            raise BadTensor(tensor=feature.name, reason=reason)
        with np.errstate(over="ignore"):
            matrix[:, column] = _as_numbers(feature, values.reshape(-1))
    return _bounded(names[0], matrix)


def _as_matrix(release: LoadedRelease, name: str, values: NDArray[Any]) -> NDArray[np.float32]:
    features = release.signature.inputs
    width = len(features)
    if values.ndim == 1 and values.size == width:
        values = values.reshape(1, width)
    if values.ndim != 2 or values.shape[1] != width:
        reason = f"形状 {list(values.shape)}，应为 [n, {width}] / wrong shape, must be [n, {width}]"
        raise BadTensor(tensor=name, reason=reason)
    if values.dtype.kind == "O" or release.ranges.worded:
        return _from_columns(features, {feature.name: values[:, place] for place, feature in enumerate(features)})
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values, dtype=np.float32)


def _as_numbers(feature: Feature, values: NDArray[Any]) -> NDArray[Any]:
    """What the model takes: numbers as they are, of a feature with choices the place of each word."""
    if not feature.choices:
        if values.dtype.kind == "O":
            raise BadTensor(tensor=feature.name, reason="应为数值，收到文字 / takes numbers, got text")
        return values
    places = {word: place for place, word in enumerate(feature.choices)}
    found = [places.get(_word(each), -1) for each in values.tolist()]
    if -1 in found:
        said = _word(values.tolist()[found.index(-1)])[:40]
        reason = f"没有取值「{said}」，可用 / no such choice, use one of: {', '.join(feature.choices[:20])}"
        raise BadTensor(tensor=feature.name, reason=reason)
    return np.array(found)


def _word(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _bounded(name: str, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    if not matrix.shape[0]:
        raise BadTensor(tensor=name, reason="没有行 / no rows")
    if matrix.shape[0] > MOST_ROWS:
        raise BadTensor(tensor=name, reason=f"最多 {MOST_ROWS} 行 / at most {MOST_ROWS} rows")
    return matrix
