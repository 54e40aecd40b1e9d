"""What an uploaded ONNX file may hold: operators of tabular models; nothing that loops, allocates or reads files.

A list of what is allowed, since a list of what is forbidden is never complete.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from services.models.logic.shipping import Finding

MOST_BYTES = 16 * 1024 * 1024
MOST_NODES = 5_000
DOMAINS = ("", "ai.onnx.ml")
OPERATORS = frozenset(
    """
    TreeEnsembleClassifier TreeEnsembleRegressor LinearClassifier LinearRegressor SVMClassifier SVMRegressor Scaler
    Normalizer Imputer LabelEncoder OneHotEncoder Binarizer ArrayFeatureExtractor FeatureVectorizer ZipMap
    Abs Add And ArgMax ArgMin BatchNormalization Cast Ceil Clip Concat Constant Div Dropout Equal Erf Exp Flatten Floor
    Gather Gemm Greater GreaterOrEqual Identity IsNaN LeakyRelu Less LessOrEqual Log LogSoftmax MatMul Max Mean Min Mul
    Neg Not Or Pow ReduceMax ReduceMean ReduceMin ReduceSum Relu Reshape Round Shape Sigmoid Sign Slice Softmax Softplus
    Sqrt Squeeze Sub Sum Tanh TopK Transpose Unsqueeze Where
    """.split()  # noqa: SIM905 - a list of eighty would take a page
)


def findings(path: Path) -> Iterator[Finding]:
    """What is wrong with the file; nothing of it is run. Needs the extra `train`; without it nothing is accepted."""
    where = path.name
    if path.stat().st_size > MOST_BYTES:
        yield Finding("onnx-size", where, f"at most {MOST_BYTES} bytes")
        return
    try:
        import onnx
    except ModuleNotFoundError:
        yield Finding("onnx-unchecked", where, "this installation cannot check ONNX files: install the extra `train`")
        return
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except Exception as wrong:
        yield Finding("onnx-file", where, f"is no ONNX file: {type(wrong).__name__}")
        return
    yield from _model_findings(model, where)


def _model_findings(model: Any, where: str) -> Iterator[Finding]:
    for opset in model.opset_import:
        if opset.domain not in DOMAINS and opset.domain != "ai.onnx":
            yield Finding("onnx-domain", where, f"operators of {opset.domain[:60]!r} are not taken")
    if model.functions or model.training_info:
        yield Finding("onnx-parts", where, "functions and training information are not taken")
    graph = model.graph
    if len(graph.node) > MOST_NODES:
        yield Finding("onnx-nodes", where, f"at most {MOST_NODES} nodes, has {len(graph.node)}")
        return
    tensors = [*graph.initializer]
    for node in graph.node:
        if node.op_type not in OPERATORS or node.domain not in (*DOMAINS, "ai.onnx"):
            yield Finding("onnx-operator", where, f"{node.op_type[:60]} is not taken")
        for attribute in node.attribute:
            if attribute.HasField("g") or attribute.graphs:
                yield Finding("onnx-subgraph", where, f"{node.op_type[:60]} holds a graph")
            tensors += [attribute.t, *attribute.tensors]
    if graph.sparse_initializer:
        yield Finding("onnx-parts", where, "sparse tensors are not taken")
    if any(tensor.data_location or tensor.external_data for tensor in tensors):
        yield Finding("onnx-external", where, "points at data outside the file")
    if len(graph.input) != 1:
        yield Finding("onnx-input", where, f"one input tensor (n, features) is wanted, has {len(graph.input)}")
