"""The Open Inference Protocol v2: requests read into a matrix, answers written. JSON parts; raw tensors in oip_binary.

A tabular release takes one matrix tensor, shape (n, features) or (features,), or one tensor per named feature, shape (n,)
or (n, 1); its metadata lists the named tensors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from services.models.errors import BadTensor
from services.models.inference import oip_binary
from services.models.inference.compute import Computed, compute
from services.models.inference.release import LoadedRelease
from services.models.inference.signature import Feature, Signature
from services.models.inference.units import OtherKind, converter

MOST_ROWS = 100_000
MATRIX = "input"
DATATYPES: Mapping[str, str] = {
    "BOOL": "?", "UINT8": "u1", "UINT16": "u2", "UINT32": "u4", "UINT64": "u8", "INT8": "i1", "INT16": "i2",
    "INT32": "i4", "INT64": "i8", "FP16": "f2", "FP32": "f4", "FP64": "f8",
}  # fmt: skip
MEMBERS = frozenset({"id", "parameters", "inputs", "outputs"})


class Ranges:
    """The trained range of each feature as arrays, made once a release: every row is compared with them.

    A feature without a bound has the largest finite number as its bound, so that what lies within is finite too.
    """

    def __init__(self, signature: Signature) -> None:
        most = np.finfo(np.float32).max
        lows = [-most if each.minimum is None else each.minimum for each in signature.inputs]
        highs = [most if each.maximum is None else each.maximum for each in signature.inputs]
        # Inputs are single precision: a bound between two such numbers is widened to the outer one.
        self._low = np.nextafter(np.array(lows, np.float32), np.float32(-np.inf)).clip(-most, most)
        self._high = np.nextafter(np.array(highs, np.float32), np.float32(np.inf)).clip(-most, most)

    def within(self, matrix: NDArray[np.float32]) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = (matrix >= self._low) & (matrix <= self._high)
        return found


def infer(
    release: LoadedRelease, ranges: Ranges, body: bytes, json_length: int, options: Any = None
) -> tuple[bytes, int]:
    """The answer's body and the length of its JSON part (0 when it is all JSON). Raises `BadTensor`, `ModelFailed`."""
    head = body[:json_length] if json_length else body
    try:
        request = orjson.loads(head)
    except orjson.JSONDecodeError as wrong:
        raise BadTensor(tensor="-", reason=f"JSON 无法读取 / malformed JSON: {str(wrong)[:120]}") from None
    if not isinstance(request, dict) or not isinstance(request.get("inputs"), list) or not request["inputs"]:
        raise BadTensor(tensor="inputs", reason="应为非空数组 / must be a list of tensors")
    unknown = sorted(set(request) - MEMBERS)
    if unknown:
        raise BadTensor(tensor="-", reason=f"未知成员 / unknown member: {', '.join(unknown)[:120]}")
    raw = oip_binary.Raw(body[json_length:] if json_length else b"")
    matrix = _matrix(release, request["inputs"], raw)
    raw.must_be_used_up()
    within = ranges.within(matrix)
    flagged = None if within.all() else ~within
    if flagged is not None and not np.isfinite(matrix).all():
        raise BadTensor(tensor=_first_name(request), reason="含有非有限数值 / not all numbers are finite")
    computed = compute(release, matrix, options)
    return _answer(release, request, flagged, computed)


def _matrix(release: LoadedRelease, tensors: list[Any], raw: oip_binary.Raw) -> NDArray[np.float32]:
    features = release.signature.inputs
    read = {}
    for tensor in tensors:
        name, values = _tensor(tensor, raw)
        if name in read:
            raise BadTensor(tensor=name, reason="出现两次 / given twice")
        unit = _parameters(name, tensor).get("unit")
        read[name] = values if unit is None else _converted(release, name, values, unit)
    if len(read) == 1 and (len(features) > 1 or MATRIX in read):
        name, values = next(iter(read.items()))
        if name not in release.signature.names:
            return _bounded(name, _as_matrix(name, values, len(features)))
    return _from_columns(features, read)


def _converted(release: LoadedRelease, name: str, values: NDArray[Any], unit: Any) -> NDArray[Any]:
    """Values in the feature's own unit. A unit of another kind is refused with both named, never passed over."""
    feature = next((each for each in release.signature.inputs if each.name == name), None)
    if feature is None or not isinstance(unit, str):
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
    for column, name in enumerate(names):
        values = read[name]
        if values.ndim > 2 or (values.ndim == 2 and values.shape[1] != 1) or values.size != rows:
            reason = f"形状 {list(values.shape)}，应为 [{rows}] 或 [{rows}, 1] / wrong shape"
            raise BadTensor(tensor=name, reason=reason)
        with np.errstate(over="ignore"):
            matrix[:, column] = values.reshape(-1)
    return _bounded(names[0], matrix)


def _as_matrix(name: str, values: NDArray[Any], width: int) -> NDArray[np.float32]:
    if values.ndim == 1 and values.size == width:
        values = values.reshape(1, width)
    if values.ndim != 2 or values.shape[1] != width:
        reason = f"形状 {list(values.shape)}，应为 [n, {width}] / wrong shape, must be [n, {width}]"
        raise BadTensor(tensor=name, reason=reason)
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values, dtype=np.float32)


def _bounded(name: str, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    if not matrix.shape[0]:
        raise BadTensor(tensor=name, reason="没有行 / no rows")
    if matrix.shape[0] > MOST_ROWS:
        raise BadTensor(tensor=name, reason=f"最多 {MOST_ROWS} 行 / at most {MOST_ROWS} rows")
    return matrix


def _first_name(request: Mapping[str, Any]) -> str:
    return str(request["inputs"][0]["name"])[:200]


def _tensor(tensor: Any, raw: oip_binary.Raw) -> tuple[str, NDArray[Any]]:
    if not isinstance(tensor, dict) or not isinstance(tensor.get("name"), str):
        raise BadTensor(tensor="-", reason="张量缺少 name / a tensor needs a name")
    name = tensor["name"][:200]
    datatype, shape = tensor.get("datatype"), tensor.get("shape")
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        known = ", ".join(DATATYPES)
        raise BadTensor(tensor=name, reason=f"数据类型 {str(datatype)[:40]} 不可用，可用 / use one of: {known}")
    if not isinstance(shape, list) or not all(type(each) is int and 0 <= each <= 10**7 for each in shape):
        raise BadTensor(tensor=name, reason="shape 应为非负整数数组 / shape must be whole numbers")
    count = int(np.prod(shape, dtype=np.int64)) if len(shape) <= 4 else -1
    if not 0 <= count <= 10**7:
        raise BadTensor(tensor=name, reason="shape 过大 / shape too large")
    size = _parameters(name, tensor).get("binary_data_size")
    if size is not None:
        return name, raw.take(name, size, DATATYPES[datatype], count).reshape(shape)
    return name, _from_json(name, tensor.get("data"), datatype, count).reshape(shape)


def _parameters(name: str, owner: Mapping[str, Any]) -> Mapping[str, Any]:
    """The `parameters` of a request, a tensor or an output; absent or null means none."""
    found = owner.get("parameters")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise BadTensor(tensor=name, reason="parameters 应为对象 / parameters must be an object")
    return found


def _from_json(name: str, data: Any, datatype: str, count: int) -> NDArray[Any]:
    if not isinstance(data, list):
        raise BadTensor(tensor=name, reason="缺少 data / data is missing")
    wanted = np.dtype(DATATYPES[datatype])
    try:
        values = np.array(data)
    except ValueError:
        raise BadTensor(tensor=name, reason="data 各行长度不一 / data is ragged") from None
    if values.dtype.kind not in "iufb" or (values.dtype.kind == "b") != (wanted.kind == "b"):
        raise BadTensor(tensor=name, reason=f"data 不是 {datatype} / data is not {datatype}")
    if values.size != count:
        raise BadTensor(
            tensor=name, reason=f"data 有 {values.size} 个值，shape 要 {count} 个 / count differs from shape"
        )
    if wanted.kind in "iu":
        limits = np.iinfo(wanted)
        if values.dtype.kind == "f" or (values.size and (values.min() < limits.min or values.max() > limits.max)):
            raise BadTensor(tensor=name, reason=f"data 超出 {datatype} / data does not fit {datatype}")
    return values.reshape(-1)


def _answer(
    release: LoadedRelease, request: Mapping[str, Any], flagged: NDArray[np.bool_] | None, computed: Computed
) -> tuple[bytes, int]:
    available = _outputs(release, computed)
    wanted = request.get("outputs")
    if wanted is None:
        binary_wanted = bool(_parameters("-", request).get("binary_data_output"))
        asked = [(name, binary_wanted) for name in available]
    elif isinstance(wanted, list) and wanted:
        asked = [_asked(each, available) for each in wanted]
    else:
        raise BadTensor(tensor="outputs", reason="应为非空数组 / must be a list of outputs, or left out")
    outputs, raws = [], []
    for name, binary in asked:
        datatype, values = available[name]
        tensor: dict[str, Any] = {"name": name, "datatype": datatype, "shape": list(values.shape)}
        if binary:
            packed = oip_binary.packed(datatype, values)
            tensor["parameters"] = {"binary_data_size": len(packed)}
            raws.append(packed)
        else:
            tensor["data"] = values.reshape(-1).tolist()
        outputs.append(tensor)
    answer: dict[str, Any] = {"model_name": release.name, "model_version": release.version, "outputs": outputs}
    if isinstance(request.get("id"), str):
        answer["id"] = request["id"]
    if flagged is not None:
        columns = np.flatnonzero(flagged.any(axis=0))
        answer["parameters"] = {
            "out_of_range_rows": int(flagged.any(axis=1).sum()),
            "out_of_range_features": ",".join(release.signature.inputs[column].name for column in columns),
        }
    head = orjson.dumps(answer)
    return (b"".join([head, *raws]), len(head)) if raws else (head, 0)


def _asked(each: Any, available: Mapping[str, Any]) -> tuple[str, bool]:
    name = each.get("name") if isinstance(each, dict) else None
    if not isinstance(name, str) or name not in available:
        raise BadTensor(tensor=str(name)[:80], reason=f"没有这个输出，可用 / no such output: {', '.join(available)}")
    return name, bool(_parameters(name, each).get("binary_data"))


def _outputs(release: LoadedRelease, computed: Computed) -> dict[str, tuple[str, NDArray[Any]]]:
    if computed.probabilities is not None:
        labels = np.array(release.signature.classes, dtype=object)[computed.probabilities.argmax(axis=1)]
        return {
            "label": ("BYTES", labels),
            "probabilities": ("FP64", computed.probabilities),
        }
    found: dict[str, tuple[str, NDArray[Any]]] = {}
    if computed.values is not None:
        found[release.signature.outputs[0].name] = ("FP64", computed.values)
    if computed.low is not None and computed.high is not None:
        found["interval_low"] = ("FP64", computed.low)
        found["interval_high"] = ("FP64", computed.high)
    return found
