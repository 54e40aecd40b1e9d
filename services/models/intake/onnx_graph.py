"""The shape of a graph: which operators, how many, how deep, in which order, under which names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from services.models.logic.shipping import Finding

MOST_NODES = 5_000
MOST_DEPTH = 1_000
"""Nodes on the longest way from input to output."""
MOST_INPUTS_OF_A_NODE = 1_024
MOST_WIDENING = 10_000
"""How often a value can be joined to itself by way of Concat and Sum nodes: 2^20 in twenty nodes otherwise."""
MOST_FEATURES = 500
NAME = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.:/@+\-]{0,127}$")
DOMAINS = ("", "ai.onnx.ml", "ai.onnx")
OPERATORS = frozenset(
    """
    TreeEnsembleClassifier TreeEnsembleRegressor LinearClassifier LinearRegressor SVMClassifier SVMRegressor Scaler
    Normalizer Imputer LabelEncoder OneHotEncoder Binarizer ArrayFeatureExtractor FeatureVectorizer ZipMap
    Abs Add And ArgMax ArgMin BatchNormalization Cast Ceil Clip Concat Constant Div Dropout Equal Erf Exp Flatten Floor
    Gather Gemm Greater GreaterOrEqual Identity IsNaN LeakyRelu Less LessOrEqual Log LogSoftmax MatMul Max Mean Min Mul
    Neg Not Or Pow Reciprocal ReduceProd Elu Selu Sin Cos Mod IsInf ReduceMax ReduceMean ReduceMin ReduceSum Relu Reshape Round Shape Sigmoid Sign Slice Softmax Softplus
    Sqrt Squeeze Sub Sum Tanh TopK Transpose Unsqueeze Where
    """.split()  # noqa: SIM905 - a list of eighty would take a page
)
_FLOAT = 1


def findings(graph: Any, where: str) -> Iterator[Finding]:
    if len(graph.node) > MOST_NODES:
        yield Finding("onnx-nodes", where, f"at most {MOST_NODES} nodes, has {len(graph.node)}")
        return
    if not graph.node:
        yield Finding("onnx-nodes", where, "has no nodes")
    for node in graph.node:
        if node.op_type not in OPERATORS or node.domain not in DOMAINS:
            yield Finding("onnx-operator", where, f"{node.op_type[:60]} of {node.domain[:40]!r} is not taken")
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            yield Finding("onnx-subgraph", where, f"{node.op_type[:60]} holds a graph")
        if len(node.input) > MOST_INPUTS_OF_A_NODE:
            yield Finding("onnx-nodes", where, f"{node.op_type[:60]} takes {len(node.input)} inputs")
        names = [each.name for each in node.attribute]
        if len(set(names)) != len(names):
            yield Finding("onnx-attribute", where, f"{node.op_type[:60]} gives an attribute twice")
    if graph.sparse_initializer:
        yield Finding("onnx-parts", where, "sparse tensors are not taken")
    if graph.quantization_annotation:
        yield Finding("onnx-parts", where, "quantization annotations are not taken")
    yield from _name_findings(graph, where)
    yield from _order_findings(graph, where)
    yield from _end_findings(graph, where)


def _name_findings(graph: Any, where: str) -> Iterator[Finding]:
    values = [name for node in graph.node for name in (*node.input, *node.output) if name]
    declared = [each.name for each in (*graph.input, *graph.output, *graph.initializer, *graph.value_info)]
    odd = [name for name in (*values, *declared) if not NAME.match(name)]
    odd += [node.name for node in graph.node if node.name and not NAME.match(node.name)]
    if odd:
        said = f"{odd[0][:40]!a}: letters, digits and _ . : / @ + -, at most 128"
        yield Finding("onnx-name", where, said)


def _order_findings(graph: Any, where: str) -> Iterator[Finding]:
    """Each value is made once and before it is used, which leaves no room for a cycle."""
    initialisers = [each.name for each in graph.initializer]
    if len(set(initialisers)) != len(initialisers):
        yield Finding("onnx-duplicate", where, "an initialiser is given twice")
    inputs = [each.name for each in graph.input]
    made = {**dict.fromkeys(initialisers, 0), **dict.fromkeys(inputs, 0)}
    widths = dict.fromkeys(made, 1)
    if len(set(inputs)) != len(inputs):
        yield Finding("onnx-duplicate", where, "an input is given twice")
    for node in graph.node:
        missing = [name for name in node.input if name and name not in made]
        if missing:
            said = f"{node.op_type[:60]} uses {missing[0][:40]!a} before it is made, or in a circle"
            yield Finding("onnx-order", where, said)
            return
        depth = 1 + max((made[name] for name in node.input if name), default=0)
        width = _width(node, widths)
        if depth > MOST_DEPTH or width > MOST_WIDENING:
            yield Finding("onnx-depth", where, f"deeper than {MOST_DEPTH} nodes or joined to itself too often")
            return
        for name in node.output:
            if name and name in made:
                yield Finding("onnx-duplicate", where, f"{name[:40]!a} is made twice")
                return
            made[name], widths[name] = depth, width
    for output in graph.output:
        if output.name not in made:
            yield Finding("onnx-output", where, f"output {output.name[:40]!a} is made by no node")


def _width(node: Any, widths: dict[str, int]) -> int:
    parts = [widths[name] for name in node.input if name]
    if node.op_type in ("Concat", "FeatureVectorizer"):
        return sum(parts) or 1
    return max(parts, default=1)


def _end_findings(graph: Any, where: str) -> Iterator[Finding]:
    """One matrix of single precision goes in; one or two tensors of modest shape come out."""
    initialisers = {each.name for each in graph.initializer}
    inputs = [each for each in graph.input if each.name not in initialisers]
    if len(inputs) != 1 or len(graph.input) != 1:
        yield Finding("onnx-input", where, f"one input tensor (n, features) is wanted, has {len(graph.input)}")
        return
    kind = inputs[0].type
    dims = kind.tensor_type.shape.dim
    width = dims[1].dim_value if len(dims) == 2 else 0
    if kind.WhichOneof("value") != "tensor_type" or kind.tensor_type.elem_type != _FLOAT:
        yield Finding("onnx-input", where, "the input must be a tensor of FLOAT")
    elif len(dims) != 2 or not 0 < width <= MOST_FEATURES or dims[0].dim_value not in (-1, 0):
        shape = [each.dim_value or each.dim_param[:20] or None for each in dims][:6]
        yield Finding("onnx-input", where, f"the input must be (n, features up to {MOST_FEATURES}), is {shape}")
    if not 0 < len(graph.output) <= 2:
        yield Finding("onnx-output", where, f"one or two outputs are wanted, has {len(graph.output)}")
    for output in graph.output:
        sizes = [each.dim_value for each in output.type.tensor_type.shape.dim]
        if len(sizes) > 3 or any(size < 0 or size > MOST_NODES for size in sizes):
            yield Finding("onnx-output", where, f"output {output.name[:40]!a} has the shape {sizes[:6]}")
