"""How many columns each value of a graph has, as far as it can be told without running it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SAME = frozenset(
    """
    Identity Cast Clip Scaler Normalizer Imputer Binarizer Abs Ceil Floor Round Sign Sqrt Exp Log Neg Erf Relu LeakyRelu
    Elu Selu Sigmoid Tanh Softplus Softmax LogSoftmax Reciprocal Sin Cos IsNaN IsInf Not Dropout BatchNormalization
    """.split()  # noqa: SIM905 - a list of thirty would take half a page
)
_BETWEEN = frozenset("Add Sub Mul Div Max Min Mean Sum Pow Mod And Or Equal Greater Less Where".split())  # noqa: SIM905


def widths_of(graph: Any) -> dict[str, int]:
    """Value -> its columns; a value whose columns cannot be told is absent."""
    tensors = {each.name: each for each in graph.initializer}
    widths: dict[str, int] = {}
    for each in graph.input:
        dims = each.type.tensor_type.shape.dim
        if len(dims) == 2 and dims[1].dim_value > 0:
            widths[each.name] = dims[1].dim_value
    for node in graph.node:
        made = _width(node, widths, tensors)
        if made and node.output:
            widths[node.output[0]] = made
    return widths


def _width(node: Any, widths: Mapping[str, int], tensors: Mapping[str, Any]) -> int:
    given = [widths.get(name, 0) for name in node.input if name]
    attributes = {each.name: each for each in node.attribute}
    if node.op_type in _SAME and given:
        return given[0]
    if node.op_type in _BETWEEN:
        # A constant beside it may be a row of the same width or a single number.
        return max(given, default=0) if all(each or name in tensors for each, name in _pairs(node, given)) else 0
    if node.op_type == "Concat" and all(given) and attributes["axis"].i in (1, -1):
        return sum(given)
    if node.op_type == "FeatureVectorizer":
        return sum(attributes["inputdimensions"].ints) if "inputdimensions" in attributes else 0
    if node.op_type == "ArrayFeatureExtractor" and len(node.input) == 2 and node.input[1] in tensors:
        return _count(tensors[node.input[1]])
    if node.op_type in ("MatMul", "Gemm") and len(node.input) > 1 and node.input[1] in tensors:
        dims = list(tensors[node.input[1]].dims)
        turned = "transB" in attributes and attributes["transB"].i
        return int(dims[0 if turned else 1]) if len(dims) == 2 else 0
    return 0


def _pairs(node: Any, given: list[int]) -> list[tuple[int, str]]:
    return list(zip(given, [name for name in node.input if name], strict=True))


def _count(tensor: Any) -> int:
    found = 1
    for size in tensor.dims:
        found *= int(size)
    return found
