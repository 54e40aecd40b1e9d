"""A Mahalanobis distance as ONNX, in whitened form so that single precision keeps it."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from services.models.training.learning_set import Floats


def distance_onnx(centre: Floats, precision: Floats, limit: float) -> bytes:
    """(n, f) float32 -> (n, 1): distance from `centre` over `limit`."""
    values, vectors = np.linalg.eigh(precision)
    whitening = vectors * np.sqrt(np.maximum(values, 0))[None, :] / limit
    numbers = {
        "centre": centre.astype(np.float32)[None, :], "whitening": whitening.astype(np.float32),
        "axis": np.array([1], dtype=np.int64),
    }  # fmt: skip
    nodes = [
        helper.make_node("Sub", ["input", "centre"], ["off"]),
        helper.make_node("MatMul", ["off", "whitening"], ["white"]),
        helper.make_node("Mul", ["white", "white"], ["squares"]),
        helper.make_node("ReduceSum", ["squares", "axis"], ["total"], keepdims=1),
        helper.make_node("Sqrt", ["total"], ["score"]),
    ]
    graph = helper.make_graph(
        nodes,
        "distance",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [None, centre.size])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, [None, 1])],
        [numpy_helper.from_array(value, name) for name, value in numbers.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content
