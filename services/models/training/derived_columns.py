"""Columns computed from others inside the model file, so that callers send what they measure and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, load_model_from_string, numpy_helper

WIDENED = "widened"
RAW = "input"


@dataclass(frozen=True)
class Derived:
    """`kind` is `product` or `difference` of two columns, by their places; `factor` scales it."""

    kind: str
    one: int
    other: int
    factor: float = 1.0


def widened(matrix: NDArray[Any], derived: Sequence[Derived]) -> NDArray[Any]:
    """(n, f) -> (n, f + derived), in single precision as the model file computes it."""
    raw = np.asarray(matrix, dtype=np.float32)
    columns = [
        (raw[:, each.one] * raw[:, each.other] if each.kind == "product" else raw[:, each.one] - raw[:, each.other])
        * np.float32(each.factor)
        for each in derived
    ]
    return np.column_stack([raw, *columns])


def with_derived(content: bytes, features: int, derived: Sequence[Derived]) -> bytes:
    """The model, whose input is called `widened`, with the derived columns computed before it."""
    model = load_model_from_string(content)
    nodes, parts, constants = [], [RAW], []
    for number, each in enumerate(derived):
        for side, place in (("a", each.one), ("b", each.other)):
            constants.append(numpy_helper.from_array(np.array([place], np.int64), f"place_{number}{side}"))
            nodes.append(helper.make_node("Gather", [RAW, f"place_{number}{side}"], [f"side_{number}{side}"], axis=1))
        constants.append(numpy_helper.from_array(np.array([each.factor], np.float32), f"factor_{number}"))
        kind = "Mul" if each.kind == "product" else "Sub"
        nodes.append(helper.make_node(kind, [f"side_{number}a", f"side_{number}b"], [f"both_{number}"]))
        nodes.append(helper.make_node("Mul", [f"both_{number}", f"factor_{number}"], [f"derived_{number}"]))
        parts.append(f"derived_{number}")
    nodes.append(helper.make_node("Concat", parts, [WIDENED], axis=1))
    graph = model.graph
    first = helper.make_tensor_value_info(RAW, TensorProto.FLOAT, [None, features])
    made = helper.make_graph(
        [*nodes, *graph.node], graph.name, [first], list(graph.output), [*constants, *graph.initializer]
    )
    whole = helper.make_model(made, opset_imports=model.opset_import, ir_version=model.ir_version)
    return bytes(whole.SerializeToString())
