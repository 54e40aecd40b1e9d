"""Hostile model files, made on the spot: each with the rule that refuses it, or none when only running it can show.

Nothing here runs one; whoever does, does it in a process with caps.
"""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper

OPSETS = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
FEATURES = 2


@dataclass(frozen=True)
class Hostile:
    name: str
    content: bytes
    rule: str | None
    """Of the written check; None: it passes that, and must be contained when it is run."""


def value(name: str, *shape: Any, kind: int = TensorProto.FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, list(shape))


def tensor(name: str, shape: list[int], numbers: list[float], kind: int = TensorProto.FLOAT) -> Any:
    return helper.make_tensor(name, kind, shape, numbers)


def model(
    nodes: list[Any],
    tensors: list[Any] | None = None,
    *,
    inputs: list[Any] | None = None,
    outputs: list[Any] | None = None,
    opsets: list[Any] | None = None,
    ir_version: int = 8,
) -> ModelProto:
    graph = helper.make_graph(
        nodes,
        "graph",
        inputs if inputs is not None else [value("X", None, FEATURES)],
        outputs if outputs is not None else [value("y", None, 1)],
        tensors or [],
    )
    found: ModelProto = helper.make_model(graph, opset_imports=opsets or OPSETS, ir_version=ir_version)
    return found


def linear(**changes: Any) -> ModelProto:
    return model(
        [helper.make_node("MatMul", ["X", "w"], ["y"])], [tensor("w", [FEATURES, 1], [2.0, 3.0])], **changes
    )  # fmt: skip


def tree(**changes: Any) -> ModelProto:
    given: dict[str, Any] = {
        "n_targets": 1, "nodes_treeids": [0, 0, 0], "nodes_nodeids": [0, 1, 2], "nodes_featureids": [0, 0, 0],
        "nodes_values": [0.5, 0.0, 0.0], "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"],
        "nodes_truenodeids": [1, 0, 0], "nodes_falsenodeids": [2, 0, 0], "nodes_hitrates": [1.0, 1.0, 1.0],
        "nodes_missing_value_tracks_true": [0, 0, 0], "target_treeids": [0, 0], "target_nodeids": [1, 2],
        "target_ids": [0, 0], "target_weights": [1.0, 2.0], "post_transform": "NONE", **changes,
    }  # fmt: skip
    return model([helper.make_node("TreeEnsembleRegressor", ["X"], ["y"], domain="ai.onnx.ml", **given)])


def deep_tree(depth: int) -> ModelProto:
    """A chain of branches: the runtime descends by recursion, and ends its process at some ten thousand."""
    count = 2 * depth + 1
    branches = [number % 2 == 0 and number < 2 * depth for number in range(count)]
    leaves = [number for number in range(count) if not branches[number]]
    return tree(
        nodes_treeids=[0] * count, nodes_nodeids=list(range(count)), nodes_featureids=[0] * count,
        nodes_values=[float(-number) for number in range(count)],
        nodes_modes=["BRANCH_LEQ" if branch else "LEAF" for branch in branches],
        nodes_truenodeids=[number + 1 if branch else 0 for number, branch in enumerate(branches)],
        nodes_falsenodeids=[number + 2 if branch else 0 for number, branch in enumerate(branches)],
        nodes_hitrates=[1.0] * count, nodes_missing_value_tracks_true=[0] * count,
        target_treeids=[0] * len(leaves), target_nodeids=leaves, target_ids=[0] * len(leaves),
        target_weights=[1.0] * len(leaves),
    )  # fmt: skip


def beside(*nodes: Any, tensors: tuple[Any, ...] = ()) -> ModelProto:
    """A good model with other nodes beside it."""
    found = linear()
    found.graph.node.extend(nodes)
    found.graph.initializer.extend(tensors)
    return found


def changed(change: Callable[[ModelProto], Any], base: ModelProto | None = None) -> ModelProto:
    found = base or linear()
    change(found)
    return found


def subgraph() -> Any:
    return helper.make_graph(
        [helper.make_node("Identity", ["go_in"], ["go_out"])], "body",
        [value("n", kind=TensorProto.INT64), value("go_in", kind=TensorProto.BOOL)],
        [value("go_out", kind=TensorProto.BOOL)],
    )  # fmt: skip


def _external(place: str) -> ModelProto:
    found = linear()
    weights = found.graph.initializer[0]
    weights.ClearField("float_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value=place)
    return found


def _raw(shape: list[int], content: bytes, kind: int = TensorProto.FLOAT) -> ModelProto:
    found = linear()
    weights = found.graph.initializer[0]
    weights.ClearField("float_data")
    del weights.dims[:]
    weights.dims.extend(shape)
    weights.data_type, weights.raw_data = kind, content
    return found


def _parts() -> Iterator[tuple[str, ModelProto, str | None]]:
    node = helper.make_node
    yield "reads /etc/hostname", _external("/etc/hostname"), "onnx-external"
    yield "reads its own folder", _external("signature.yaml"), "onnx-external"
    yield "reads a parent folder", _external("../../component.yaml"), "onnx-external"
    constant = tensor("c", [1], [1.0])
    constant.ClearField("float_data")
    constant.data_location = TensorProto.EXTERNAL
    constant.external_data.add(key="location", value="/etc/hostname")
    yield "reads a file in a constant", beside(node("Constant", [], ["c"], value=constant)), "onnx-external"
    yield "own domain", linear(opsets=[*OPSETS, helper.make_opsetid("com.evil", 1)]), "onnx-domain"
    yield "own operator", beside(node("Evil", ["X"], ["z"], domain="com.evil")), "onnx-operator"
    yield "python operator", beside(node("PyOp", ["X"], ["z"], domain="pyopmulti")), "onnx-operator"
    yield "microsoft's operators", beside(node("Inverse", ["X"], ["z"], domain="com.microsoft")), "onnx-operator"
    yield "domain twice", linear(opsets=[*OPSETS, helper.make_opsetid("", 17)]), "onnx-domain"
    function = helper.make_function(
        "", "MatMul", ["a", "b"], ["c"], [node("Add", ["a", "b"], ["c"])], [helper.make_opsetid("", 18)]
    )  # fmt: skip
    yield "function instead of an operator", changed(lambda m: m.functions.append(function)), "onnx-parts"
    yield "training information", changed(lambda m: m.training_info.add()), "onnx-parts"
    yield "loop", beside(node("Loop", ["", ""], ["z"], body=subgraph())), "onnx-operator"
    yield "scan", beside(node("Scan", ["X"], ["z"], body=subgraph(), num_scan_inputs=1)), "onnx-operator"
    branch = node("If", ["X"], ["z"], then_branch=subgraph(), else_branch=subgraph())
    yield "if", beside(branch), "onnx-operator"
    yield "graph in a harmless node", beside(node("Relu", ["X"], ["z"], body=subgraph())), "onnx-subgraph"
    yield "sequence", beside(node("SequenceEmpty", [], ["z"])), "onnx-operator"
    yield "random", beside(node("RandomNormal", [], ["z"], shape=[2**20, 2**20])), "onnx-operator"
    yield "expand", beside(node("Expand", ["X", "s"], ["z"])), "onnx-operator"
    yield "tile", beside(node("Tile", ["X", "s"], ["z"])), "onnx-operator"
    yield "range", beside(node("Range", ["X", "X", "X"], ["z"])), "onnx-operator"
    yield "pad", beside(node("Pad", ["X", "s"], ["z"])), "onnx-operator"
    yield "one hot of anything", beside(node("OneHot", ["X", "X", "X"], ["z"])), "onnx-operator"
    yield "image decoder", beside(node("ImageDecoder", ["X"], ["z"])), "onnx-operator"
    yield "regular expression", beside(node("RegexFullMatch", ["X"], ["z"], pattern="(a+)+$")), "onnx-operator"


def _graphs() -> Iterator[tuple[str, ModelProto, str | None]]:
    node = helper.make_node
    many = [node("Relu", ["X"], [f"z{number}"]) for number in range(6000)]
    yield "too many nodes", beside(*many), "onnx-nodes"
    chain = [node("Relu", ["X" if not number else f"z{number - 1}"], [f"z{number}"]) for number in range(1500)]
    yield "too deep", beside(*chain), "onnx-depth"
    joined = [node("Concat", [f"j{number}" if number else "X"] * 2, [f"j{number + 1}"], axis=1) for number in range(40)]
    yield "joined to itself forty times", beside(*joined), "onnx-depth"
    yield "thousands of inputs", beside(node("Concat", ["X"] * 5000, ["z"], axis=1)), "onnx-nodes"
    yield "no nodes", model([]), "onnx-nodes"
    circle = [node("Add", ["X", "b"], ["a"]), node("Add", ["X", "a"], ["b"])]
    yield "circle of nodes", beside(*circle), "onnx-order"
    yield "uses what is not there", beside(node("Relu", ["nowhere"], ["z"])), "onnx-order"
    yield "made twice", beside(node("Relu", ["X"], ["y"])), "onnx-duplicate"
    yield "initialiser twice", beside(tensors=(tensor("w", [2, 1], [0.0, 0.0]),)), "onnx-duplicate"
    yield "output of nothing", linear(outputs=[value("nothing", None, 1)]), "onnx-output"
    yield "seventy outputs", linear(outputs=[value("y", None, 1)] * 70), "onnx-output"
    yield "enormous output", linear(outputs=[value("y", None, 2**40)]), "onnx-output"
    yield "two inputs", linear(inputs=[value("X", None, 2), value("Z", None, 2)]), "onnx-input"
    yield "input of text", linear(inputs=[value("X", None, 2, kind=TensorProto.STRING)]), "onnx-input"
    yield "input without a width", linear(inputs=[value("X", None, None)]), "onnx-input"
    yield "input of a fixed million rows", linear(inputs=[value("X", 10**6, 2)]), "onnx-input"
    yield "input of rank seven", linear(inputs=[value("X", 1, 1, 1, 1, 1, 1, 2)]), "onnx-input"
    yield "name that leaves the page", beside(node("Relu", ["X"], ["<script>alert(1)</script>"])), "onnx-name"
    yield "name that leaves the folder", beside(node("Relu", ["X"], ["../../etc/passwd"])), "onnx-name"
    yield "name with a NUL", beside(node("Relu", ["X"], ["a\x00b"])), "onnx-name"
    yield "endless name", beside(node("Relu", ["X"], ["z" * 100_000])), "onnx-name"
    yield "name that reads backwards", beside(node("Relu", ["X"], ["a\u202eb"])), "onnx-name"
    yield "attribute twice", changed(_attribute_twice, tree()), "onnx-attribute"
    yield "version of tomorrow", linear(ir_version=99), "onnx-version"
    yield "opset of tomorrow", linear(opsets=[helper.make_opsetid("", 9999)]), "onnx-version"
    props = [helper.make_node("Relu", ["X"], ["z"])]
    yield "a thousand properties", changed(lambda m: _properties(m, 1000, 10), beside(*props)), "onnx-metadata"
    yield "property of a megabyte", changed(lambda m: _properties(m, 1, 2**20)), "onnx-metadata"
    yield "description of megabytes", changed(lambda m: setattr(m, "doc_string", "x" * 2**22)), "onnx-metadata"


def _attribute_twice(found: ModelProto) -> None:
    node = found.graph.node[0]
    node.attribute.append(node.attribute[0])


def _properties(found: ModelProto, count: int, size: int) -> None:
    for number in range(count):
        found.metadata_props.add(key=f"k{number}", value="v" * size)


def _numbers() -> Iterator[tuple[str, ModelProto, str | None]]:
    yield "weights that are NaN", _raw([2, 1], np.array([np.nan, 1], "<f4").tobytes()), "onnx-not-finite"
    yield "weights that are infinite", _raw([2, 1], np.array([np.inf, 1], "<f4").tobytes()), "onnx-not-finite"
    nan = helper.make_node("Scaler", ["X"], ["z"], domain="ai.onnx.ml", offset=[float("nan")], scale=[1.0])
    yield "scaler that is NaN", beside(nan), "onnx-not-finite"
    yield "fewer numbers than the shape says", _raw([2**18, 1], b"\x00" * 8), "onnx-data"
    yield "more numbers than the shape says", _raw([2, 1], b"\x00" * 800), "onnx-data"
    yield "terabytes by shape", _raw([2**30, 2**10], b"\x00" * 8), "onnx-shape"
    yield "negative shape", _raw([-2, -1], b"\x00" * 8), "onnx-shape"
    yield "shape whose product overflows", _raw([2**32, 2**32], b"\x00" * 8), "onnx-shape"
    yield "rank of fifty", _raw([1] * 50, b"\x00" * 4), "onnx-shape"
    yield "unknown datatype", _raw([2, 1], b"\x00" * 8, kind=77), "onnx-datatype"
    yield "complex numbers", _raw([1, 1], b"\x00" * 16, kind=TensorProto.COMPLEX128), "onnx-datatype"
    both = linear()
    both.graph.initializer[0].raw_data = b"\x00" * 8
    yield "numbers in two fields", both, "onnx-data"
    sparse = linear()
    sparse.graph.sparse_initializer.add()
    yield "sparse tensor", sparse, "onnx-parts"
    yield (
        "coefficients for other features",
        beside(
            helper.make_node("LinearRegressor", ["X"], ["z"], domain="ai.onnx.ml", coefficients=[1.0] * 999, targets=1)
        ),
        "onnx-linear",
    )
    yield "support vectors that are not there", beside(
        helper.make_node(
            "SVMRegressor", ["X"], ["z"], domain="ai.onnx.ml", n_supports=2**30, support_vectors=[1.0, 2.0],
            coefficients=[1.0], rho=[0.0], kernel_type="RBF", kernel_params=[1.0, 0.0, 3.0],
        )
    ), "onnx-linear"  # fmt: skip
    yield "Reshape into nothing that fits", model(
        [helper.make_node("Reshape", ["X", "s"], ["y"])],
        [tensor("s", [2], [2**20, 2**20], TensorProto.INT64)],
    ), None  # fmt: skip
    yield (
        "Gather far beyond the row",
        model([helper.make_node("Gather", ["X", "i"], ["y"], axis=1)], [tensor("i", [1], [2**40], TensorProto.INT64)]),
        None,
    )
    yield "divides by nothing", model(
        [helper.make_node("Sub", ["X", "X"], ["n"]), helper.make_node("Div", ["X", "n"], ["y"])],
        outputs=[value("y", None, 2)],
    ), None  # fmt: skip
    wide = [tensor("a", [2, 2000], [0.5] * 4000), tensor("b", [2000, 1], [1.0] * 2000)]
    slow = [helper.make_node("MatMul", ["X", "a"], ["h0"])]
    slow += [helper.make_node("Softmax", [f"h{number}"], [f"h{number + 1}"], axis=1) for number in range(900)]
    slow.append(helper.make_node("MatMul", ["h900", "b"], ["y"]))
    yield "slow", model(slow, wide), None


def _trees() -> Iterator[tuple[str, ModelProto, str | None]]:
    yield "tree in a circle", tree(nodes_truenodeids=[0, 0, 0]), "onnx-tree"
    two = {"nodes_modes": ["BRANCH_LEQ", "BRANCH_LEQ", "LEAF"], "nodes_truenodeids": [1, 0, 0],
           "nodes_falsenodeids": [2, 2, 0], "target_treeids": [0], "target_nodeids": [2], "target_ids": [0],
           "target_weights": [1.0]}  # fmt: skip
    yield "tree in a circle of two", tree(**two), "onnx-tree"
    yield "feature far beyond the row", tree(nodes_featureids=[10**6, 0, 0]), "onnx-tree-feature"
    yield "negative feature", tree(nodes_featureids=[-1, 0, 0]), "onnx-tree-feature"
    yield "child that is not there", tree(nodes_falsenodeids=[99, 0, 0]), "onnx-tree"
    yield "output that is not there", tree(target_ids=[0, 2**20]), "onnx-tree"
    yield "two thousand million outputs", tree(n_targets=2**31 - 1), "onnx-tree"
    yield "lists of other lengths", tree(nodes_values=[0.5]), "onnx-tree"
    yield "unknown mode", tree(nodes_modes=["JUMP", "LEAF", "LEAF"]), "onnx-tree"
    yield "node twice", tree(nodes_nodeids=[0, 1, 1]), "onnx-tree"
    yield "leaf of another tree", tree(target_treeids=[7, 7]), "onnx-tree"
    yield "threshold that is NaN", tree(nodes_values=[float("nan"), 0.0, 0.0]), "onnx-not-finite"
    yield "leaf that is infinite", tree(target_weights=[float("inf"), 1.0]), "onnx-not-finite"
    yield "tree that ends the process", deep_tree(50_000), "onnx-tree"


class _Canary:
    """What unpickling would do."""

    def __reduce__(self) -> Any:
        return eval, ("__import__('pathlib').Path('/tmp/zhigai-canary').touch()",)


def _others() -> Iterator[tuple[str, bytes, str]]:
    for protocol in (0, 1, 2, 4, 5):
        yield f"pickle, protocol {protocol}", pickle.dumps(_Canary(), protocol=protocol), "not-onnx"
    yield "pickle, compressed", zlib.compress(pickle.dumps(_Canary())), "not-onnx"
    yield "pickle in gzip", gzip.compress(pickle.dumps(_Canary())), "not-onnx"
    array = io.BytesIO()
    np.save(array, np.array([_Canary()], dtype=object), allow_pickle=True)
    yield "NumPy array of objects", array.getvalue(), "not-onnx"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../model.onnx", b"\x00" * 2**20)
    yield "ZIP", packed.getvalue(), "not-onnx"
    taped = io.BytesIO()
    with tarfile.open(fileobj=taped, mode="w") as tape:
        tape.addfile(tarfile.TarInfo("model.onnx"))
    yield "tar", taped.getvalue(), "not-onnx"
    yield "HDF5", b"\x89HDF\r\n\x1a\n" + b"\x00" * 100, "not-onnx"
    yield "program", b"\x7fELF" + b"\x00" * 100, "not-onnx"
    yield "script", b"#!/bin/sh\ntouch /tmp/zhigai-canary\n", "not-onnx"
    yield "page", b"<html><script>alert(1)</script></html>", "not-onnx"
    yield "nothing", b"", "not-onnx"
    yield "noise", bytes(range(128, 250)) * 10, "onnx-file"
    yield "cut short", linear().SerializeToString()[:-7], "onnx-file"
    # A graph in an attribute in a node in a graph, and so on (fields 6, 5 and 1), in the model's graph (field 7).
    nested = b""
    for _ in range(1000):
        for field in (6, 5, 1):
            nested = bytes([field << 3 | 2]) + _varint(len(nested)) + nested
    nested = b"\x3a" + _varint(len(nested)) + nested
    yield "nested three thousand times", nested, "onnx-file"


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def hostile() -> list[Hostile]:
    """All of them; the names are unique."""
    found = [
        Hostile(name, made.SerializeToString(), rule)
        for part in (_parts, _graphs, _numbers, _trees)
        for name, made, rule in part()
    ]
    return [*found, *(Hostile(name, content, rule) for name, content, rule in _others())]
