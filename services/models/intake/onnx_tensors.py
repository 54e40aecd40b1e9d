"""The numbers in a graph: of known kinds, as many as their shape says, finite, inside the file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from services.models.logic.shipping import Finding

MOST_ELEMENTS = 4_000_000
MOST_DIMENSIONS = 4
MOST_LISTED = 2_000_000
"""Numbers in the attributes of one node."""
_FLOAT, _INT32, _INT64, _STRING, _BOOL, _DOUBLE = 1, 6, 7, 8, 9, 11
_BYTES = {_FLOAT: 4, _INT32: 4, _INT64: 8, _BOOL: 1, _DOUBLE: 8}
_FIELD = {_FLOAT: "float_data", _INT32: "int32_data", _BOOL: "int32_data", _INT64: "int64_data",
          _DOUBLE: "double_data", _STRING: "string_data"}  # fmt: skip
MOST_STRINGS, LONGEST_STRING = 10_000, 200


def findings(graph: Any, where: str) -> Iterator[Finding]:
    for tensor in graph.initializer:
        yield from _tensor_findings(tensor, ascii(tensor.name[:40]), where)
    for node in graph.node:
        for attribute in node.attribute:
            place = f"{node.op_type[:40]}.{attribute.name[:40]}"
            if attribute.HasField("sparse_tensor") or attribute.sparse_tensors or attribute.HasField("tp"):
                yield Finding("onnx-parts", where, f"{place}: sparse tensors and types are not taken")
            if attribute.ref_attr_name:
                yield Finding("onnx-parts", where, f"{place}: refers to an attribute of a function")
            for tensor in (*((attribute.t,) if attribute.HasField("t") else ()), *attribute.tensors):
                yield from _tensor_findings(tensor, place, where)
            yield from _list_findings(attribute, place, where)


def _tensor_findings(tensor: Any, place: str, where: str) -> Iterator[Finding]:
    if tensor.data_location or tensor.external_data:
        yield Finding("onnx-external", where, f"{place} points at data outside the file")
        return
    if tensor.data_type not in _FIELD or tensor.HasField("segment"):
        yield Finding("onnx-datatype", where, f"{place} has the datatype {tensor.data_type}")
        return
    dims = list(tensor.dims)
    count = math.prod(dims)
    if len(dims) > MOST_DIMENSIONS or any(each < 0 for each in dims) or count > MOST_ELEMENTS:
        yield Finding("onnx-shape", where, f"{place} has the shape {dims[:6]}: at most {MOST_ELEMENTS} numbers")
        return
    given = {field: len(getattr(tensor, field)) for field in (*_FIELD.values(), "uint64_data", "raw_data")}
    mine = _FIELD[tensor.data_type]
    held = given["raw_data"] / _BYTES.get(tensor.data_type, 1) if given["raw_data"] else given[mine]
    strangers = [name for name, size in given.items() if size and name not in (mine, "raw_data")]
    both = given["raw_data"] and given[mine]
    if held != count or strangers or both or (tensor.data_type == _STRING and given["raw_data"]):
        yield Finding("onnx-data", where, f"{place} should hold {count} numbers and holds {held:g}")
        return
    if tensor.data_type == _STRING:
        if count > MOST_STRINGS or any(len(each) > LONGEST_STRING for each in tensor.string_data):
            yield Finding("onnx-data", where, f"{place} holds too much text")
    elif tensor.data_type in (_FLOAT, _DOUBLE) and not _finite(tensor, mine):
        yield Finding("onnx-not-finite", where, f"{place} holds NaN or infinite numbers")


def _finite(tensor: Any, field: str) -> bool:
    if tensor.raw_data:
        kind = "<f4" if tensor.data_type == _FLOAT else "<f8"
        return bool(np.isfinite(np.frombuffer(tensor.raw_data, kind)).all())
    return bool(np.isfinite(np.array(getattr(tensor, field), np.float64)).all())


def _list_findings(attribute: Any, place: str, where: str) -> Iterator[Finding]:
    if max(len(attribute.floats), len(attribute.ints), len(attribute.strings)) > MOST_LISTED:
        yield Finding("onnx-data", where, f"{place} lists more than {MOST_LISTED} values")
        return
    # An imputer names the value that it replaces, and that is NaN.
    finite = math.isfinite(attribute.f) and bool(np.isfinite(np.array(attribute.floats, np.float64)).all())
    if not finite and attribute.name != "replaced_value_float":
        yield Finding("onnx-not-finite", where, f"{place} holds NaN or infinite numbers")
    if len(attribute.s) > LONGEST_STRING or any(len(each) > LONGEST_STRING for each in attribute.strings):
        yield Finding("onnx-data", where, f"{place} holds too much text")
