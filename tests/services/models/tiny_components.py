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
    choices: Mapping[str, Sequence[str]] = {},
    organisation: str | None = None,
) -> None:
    """A model's component with one more release; `stable` is the first one written."""
    folder = root / name / "releases" / version
    folder.mkdir(parents=True)
    component = root / name / "component.yaml"
    if not component.exists():
        about: Mapping[str, Any] = {"name": name, "kind": "model", "aliases": {"stable": version}, "public": True}
        if organisation is not None:
            about = {**about, "organisation": organisation, "public": False}
        component.write_text(yaml.safe_dump(about))
    signature = {
        "task": "classification" if classes else "regression",
        "inputs": [
            {
                "name": each, "title_zh": f"特征{each}", "title_en": each, "unit": "kW", "datatype": "FP32",
                "minimum": 0, "maximum": 10, **({"choices": list(choices[each])} if each in choices else {}),
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
    return _model(
        [
            helper.make_node("MatMul", ["X", "weights"], ["product"]),
            helper.make_node("Add", ["product", "by"], ["value"]),
        ],
        [
            helper.make_tensor("weights", TensorProto.FLOAT, [len(weights), 1], weights),
            helper.make_tensor("by", TensorProto.FLOAT, [1], [constant]),
        ],
        len(weights),
        ["n", 1],
    )


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


def _model(nodes: list[Any], constants: list[Any], width: int = len(FEATURES), shape: Sequence[Any] = (1,)) -> bytes:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["n", width])],
        [helper.make_tensor_value_info("value", TensorProto.FLOAT, shape)],
        constants,
    )
    model = helper.make_model(graph, opset_imports=OPSET, ir_version=9)
    onnx.checker.check_model(model)
    found: bytes = model.SerializeToString()
    return found


def make_all(root: Path) -> Path:
    write(root, "linear", linear((2.0, 3.0, -1.0), 10.0), intervals='{"low": [-1.5], "high": [1.5], "coverage": 0.9}')
    write(root, "linear", linear((1.0, 0.0, 0.0), 0.0), version="1.1.0")
    decision = '{"decision": {"positive": "high", "threshold": 0.5, "cost_miss": 1, "cost_alarm": 1, "unit": "1"}}'
    write(root, "classes", two_classes(), classes=("low", "high"), intervals=decision)
    write(root, "one-feature", linear((4.0,), 0.0), features=("power",))
    # The material counts as 0, 1 or 2, the shift as 0 or 1: worded so that neither is the number it is written as.
    worded = {"material": ("铝", "钢", "铜"), "shift": ("2", "1")}
    write(root, "worded", linear((100.0, 10.0, 1.0), 0.0), features=("material", "shift", "load"), choices=worded)
    write(root, "private", linear((1.0, 1.0, 1.0), 0.0), organisation="org-wang")
    write(root, "of-a-guest", linear((1.0, 1.0, 1.0), 0.0), organisation="gst-1")
    write(root, "endless", endless())
    write(root, "always-endless", endless(-1.0))
    write(root, "not-finite", not_finite())
    write(root, "damaged", linear((1.0, 1.0, 1.0), 0.0)[:100])
    return root
