"""Components made on the spot: small enough that what they must answer is known, and some that misbehave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper

FEATURES = ("power", "speed", "load")
OPSET = [helper.make_opsetid("", 17)]


def write(
    root: Path,
    name: str,
    model: bytes,
    *,
    features: Sequence[str] = FEATURES,
    version: str = "1.0.0",
    classes: Sequence[str] = (),
    intervals: str = "",
) -> None:
    """A model's component with one more release; `stable` is the first one written."""
    folder = root / name / "releases" / version
    folder.mkdir(parents=True)
    component = root / name / "component.yaml"
    if not component.exists():
        about: Mapping[str, Any] = {"name": name, "kind": "model", "aliases": {"stable": version}, "public": True}
        component.write_text(yaml.safe_dump(about))
    signature = {
        "task": "classification" if classes else "regression",
        "inputs": [
            {
                "name": each, "title_zh": f"特征{each}", "title_en": each, "unit": "kW", "datatype": "FP32",
                "minimum": 0, "maximum": 10,
            }
            for each in features
        ],
        "outputs": [{"name": "value", "title_zh": "值", "title_en": "Value", "unit": "kWh"}],
        "classes": list(classes),
    }  # fmt: skip
    (folder / "signature.yaml").write_text(yaml.safe_dump(signature))
    (folder / "model.onnx").write_bytes(model)
    if intervals:
        (folder / "intervals.json").write_text(intervals)


def linear(weights: Sequence[float], constant: float) -> bytes:
    """`x @ weights + constant`, one value a row."""
    from skl2onnx import to_onnx
    from sklearn.linear_model import LinearRegression

    model = LinearRegression()
    model.coef_ = np.array(weights, np.float32)
    model.intercept_ = np.float32(constant)
    model.n_features_in_ = len(weights)
    found: bytes = to_onnx(model, np.zeros((1, len(weights)), np.float32), target_opset=17).SerializeToString()
    return found


def two_classes() -> bytes:
    """More likely "high" the larger `power` is."""
    from skl2onnx import to_onnx
    from sklearn.linear_model import LogisticRegression

    rows = np.random.default_rng(7).uniform(0, 10, (200, len(FEATURES))).astype(np.float32)
    model = LogisticRegression().fit(rows, (rows[:, 0] > 5).astype(int))
    found: bytes = to_onnx(model, rows[:1], options={"zipmap": False}, target_opset=17).SerializeToString()
    return found


def endless(threshold: float = 5.0) -> bytes:
    """Loops for ever once `power` passes the threshold; below it the answer is `power`."""
    limit = helper.make_tensor("limit", TensorProto.FLOAT, [], [threshold])
    most = helper.make_tensor("most", TensorProto.INT64, [], [2**62])
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_in"], ["go_out"]),
            helper.make_node("Add", ["sum_in", "one"], ["sum_out"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("n", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_in", TensorProto.BOOL, []),
            helper.make_tensor_value_info("sum_in", TensorProto.FLOAT, [1]),
        ],
        [
            helper.make_tensor_value_info("go_out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("sum_out", TensorProto.FLOAT, [1]),
        ],
        [helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])],
    )
    nodes = [
        helper.make_node("ReduceMax", ["X"], ["largest"], keepdims=0),
        helper.make_node("Greater", ["largest", "limit"], ["go"]),
        helper.make_node("Reshape", ["largest", "shape"], ["start"]),
        helper.make_node("Loop", ["most", "go", "start"], ["value"], body=body),
    ]
    return _model(nodes, [limit, most, helper.make_tensor("shape", TensorProto.INT64, [1], [1])])


def not_finite() -> bytes:
    """Divides by `x - x`."""
    return _model(
        [
            helper.make_node("ReduceSum", ["X"], ["all"], keepdims=0),
            helper.make_node("Reshape", ["all", "shape"], ["top"]),
            helper.make_node("Sub", ["top", "top"], ["nothing"]),
            helper.make_node("Div", ["top", "nothing"], ["value"]),
        ],
        [helper.make_tensor("shape", TensorProto.INT64, [1], [1])],
    )


def _model(nodes: list[Any], constants: list[Any]) -> bytes:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["n", len(FEATURES)])],
        [helper.make_tensor_value_info("value", TensorProto.FLOAT, [1])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=OPSET, ir_version=9)
    onnx.checker.check_model(model)
    found: bytes = model.SerializeToString()
    return found


def make_all(root: Path) -> Path:
    write(root, "linear", linear((2.0, 3.0, -1.0), 10.0), intervals='{"low": [-1.5], "high": [1.5], "coverage": 0.9}')
    write(root, "linear", linear((1.0, 0.0, 0.0), 0.0), version="1.1.0")
    write(root, "classes", two_classes(), classes=("low", "high"))
    write(root, "endless", endless())
    write(root, "always-endless", endless(-1.0))
    write(root, "not-finite", not_finite())
    write(root, "damaged", linear((1.0, 1.0, 1.0), 0.0)[:100])
    return root
