"""One tensor of an Open Inference request read into an array: its head checked, its data out of JSON or raw bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.models.errors import BadTensor
from services.models.inference.oip_binary import Raw

DATATYPES: Mapping[str, str] = {
    "BOOL": "?", "UINT8": "u1", "UINT16": "u2", "UINT32": "u4", "UINT64": "u8", "INT8": "i1", "INT16": "i2",
    "INT32": "i4", "INT64": "i8", "FP16": "f2", "FP32": "f4", "FP64": "f8", "BYTES": "O",
}  # fmt: skip
MOST_VALUES = 10**7
MOST_DIMENSIONS = 4
_OTHER_MEANING = frozenset({"base64", "datetime", "pd_json"})
"""Content types of MLServer's codecs by which the data would say something else than they do here."""
_UNSUPPORTED = ("shared_memory_region", "sequence_id", "classification")
"""Extensions that change where data lie or what is answered; passing them over would be a silent wrong answer."""


def tensor_of(tensor: Any, raw: Raw, booleans: bool) -> tuple[str, NDArray[Any]]:
    """Name and values, in the tensor's shape; texts as an array of objects. `booleans` says whether the request's JSON
    has any: only then are they looked for among numbers. Raises `BadTensor` with what is wrong."""
    if not isinstance(tensor, dict) or not isinstance(tensor.get("name"), str):
        raise BadTensor(tensor="-", reason="张量缺少 name / a tensor needs a name")
    name = tensor["name"][:200]
    datatype, shape = tensor.get("datatype"), tensor.get("shape")
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        known = ", ".join(DATATYPES)
        raise BadTensor(tensor=name, reason=f"数据类型 {str(datatype)[:40]} 不可用，可用 / use one of: {known}")
    if not isinstance(shape, list) or not all(type(each) is int and 0 <= each <= MOST_VALUES for each in shape):
        raise BadTensor(tensor=name, reason="shape 应为非负整数数组 / shape must be whole numbers")
    count = int(np.prod(shape, dtype=np.int64)) if len(shape) <= MOST_DIMENSIONS else -1
    if not 0 <= count <= MOST_VALUES:
        raise BadTensor(tensor=name, reason="shape 过大 / shape too large")
    size = parameters_of(name, tensor).get("binary_data_size")
    if size is None:
        return name, _from_json(name, tensor.get("data"), datatype, count, booleans).reshape(shape)
    if tensor.get("data") is not None:
        raise BadTensor(tensor=name, reason="data 与 binary_data_size 只能给一个 / give either data or raw bytes")
    if datatype == "BYTES":
        return name, raw.take_bytes(name, size, count).reshape(shape)
    return name, raw.take(name, size, DATATYPES[datatype], count).reshape(shape)


def parameters_of(name: str, owner: Mapping[str, Any]) -> Mapping[str, Any]:
    """The `parameters` of a request, a tensor or an output; absent or null means none. Raises `BadTensor`."""
    found = owner.get("parameters")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise BadTensor(tensor=name, reason="parameters 应为对象 / parameters must be an object")
    for key, value in found.items():
        if value is not None and not isinstance(value, (str, int, float)):
            reason = f"parameters.{key[:40]} 应为文字、数值或真假 / must be text, number or boolean"
            raise BadTensor(tensor=name, reason=reason)
    if found.get("content_type") in _OTHER_MEANING:
        reason = f"content_type {found['content_type']} 不支持，可用 np、pd、str / not supported, use np, pd or str"
        raise BadTensor(tensor=name, reason=reason)
    for key in _UNSUPPORTED:
        if found.get(key):
            raise BadTensor(tensor=name, reason=f"扩展 {key} 不支持 / extension not supported")
    return found


def _from_json(name: str, data: Any, datatype: str, count: int, booleans: bool) -> NDArray[Any]:
    if not isinstance(data, list):
        raise BadTensor(tensor=name, reason="缺少 data / data is missing")
    if datatype == "BYTES":
        values = np.array(data, dtype=object)
        if not all(type(each) is str for each in values.flat):
            raise BadTensor(tensor=name, reason="data 不全是文字 / not all of data is text")
    else:
        values = _numbers(name, data, datatype, booleans)
    if values.size != count:
        raise BadTensor(
            tensor=name, reason=f"data 有 {values.size} 个值，shape 要 {count} 个 / count differs from shape"
        )
    return values.reshape(-1)


def _numbers(name: str, data: list[Any], datatype: str, booleans: bool) -> NDArray[Any]:
    wanted = np.dtype(DATATYPES[datatype])
    try:
        values = np.array(data)
    except ValueError:
        raise BadTensor(tensor=name, reason="data 各行长度不一 / data is ragged") from None
    if values.dtype.kind == "O" and any(each is None for each in values.flat):
        place = next(place for place, each in enumerate(values.flat) if each is None)
        raise BadTensor(tensor=name, reason=f"第 {place + 1} 个值是 null / value {place + 1} is null")
    if values.dtype.kind == "f" and datatype == "UINT64":
        values = _large_whole(data, values)
    mixed = booleans and wanted.kind != "b" and any(type(each) is bool for each in np.array(data, dtype=object).flat)
    if mixed or values.dtype.kind not in "iufb" or (values.dtype.kind == "b") != (wanted.kind == "b"):
        raise BadTensor(tensor=name, reason=f"data 不是 {datatype} / data is not {datatype}")
    if wanted.kind in "iu":
        limits = np.iinfo(wanted)
        if values.dtype.kind == "f" or (values.size and (values.min() < limits.min or values.max() > limits.max)):
            raise BadTensor(tensor=name, reason=f"data 超出 {datatype} / data does not fit {datatype}")
    if datatype == "FP16" and values.size and np.abs(values).max() > np.finfo(np.float16).max:
        raise BadTensor(tensor=name, reason="data 超出 FP16 / data does not fit FP16")
    return values


def _large_whole(data: list[Any], values: NDArray[Any]) -> NDArray[Any]:
    """numpy takes whole numbers for floats when some of them are beyond 2^63."""
    each = np.array(data, dtype=object)
    return each.astype(np.uint64) if all(type(one) is int and one >= 0 for one in each.flat) else values
