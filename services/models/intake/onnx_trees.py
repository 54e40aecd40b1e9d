"""Tree ensembles and linear models: lists that fit together, trees without circles, features that exist.

The runtime follows these numbers without looking: a circle never ends, a feature id beyond the row reads other memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.models.intake.onnx_widths import widths_of
from services.models.logic.shipping import Finding

MOST_TREE_NODES = 1_000_000
MOST_TREE_DEPTH = 200
MOST_OUTPUTS = 1_000
MOST_COLUMNS = 10_000
"""Behind an encoder."""
_OF_NODES = ("nodes_nodeids", "nodes_featureids", "nodes_values", "nodes_modes", "nodes_truenodeids",
             "nodes_falsenodeids")  # fmt: skip
_MODES = {b"BRANCH_LEQ", b"BRANCH_LT", b"BRANCH_GTE", b"BRANCH_GT", b"BRANCH_EQ", b"BRANCH_NEQ", b"LEAF"}


def findings(graph: Any, where: str) -> Iterator[Finding]:
    widths = widths_of(graph)
    for node in graph.node:
        lists = {each.name: list(each.floats or each.ints or each.strings) for each in node.attribute}
        numbers = {each.name: each.i for each in node.attribute}
        features = widths.get(node.input[0], 0) if node.input else 0
        if node.op_type.startswith("TreeEnsemble"):
            prefix = "class" if node.op_type.endswith("Classifier") else "target"
            yield from _tree_findings(lists, numbers, prefix, features, where)
        elif node.op_type in ("Scaler", "LinearRegressor", "LinearClassifier") and features:
            yield from _linear_findings(node.op_type, lists, numbers, features, where)
        elif node.op_type in ("SVMRegressor", "SVMClassifier"):
            yield from _vector_findings(lists, numbers, features, where)


def _tree_findings(
    lists: dict[str, list[Any]], numbers: dict[str, int], prefix: str, features: int, where: str
) -> Iterator[Finding]:
    trees = lists.get("nodes_treeids", [])
    if not trees or len(trees) > MOST_TREE_NODES:
        yield Finding("onnx-tree", where, f"{len(trees)} nodes of trees: 1 to {MOST_TREE_NODES}")
        return
    if any(len(lists.get(name, [])) != len(trees) for name in _OF_NODES):
        yield Finding("onnx-tree", where, "lists of nodes differ in length")
        return
    if not set(lists["nodes_modes"]) <= _MODES:
        yield Finding("onnx-tree", where, "unknown mode of a node")
        return
    worst = max(lists["nodes_featureids"])
    # Behind an encoder the width is not told; the runtime compares it with what it is given.
    if min(lists["nodes_featureids"]) < 0 or worst >= (features or MOST_COLUMNS):
        yield Finding("onnx-tree-feature", where, f"feature {worst} of {features or MOST_COLUMNS} does not exist")
    yield from _leaf_findings(lists, numbers, prefix, where)
    places: dict[int, dict[int, int]] = {}
    for place, (tree, number) in enumerate(zip(trees, lists["nodes_nodeids"], strict=True)):
        if number in places.setdefault(tree, {}):
            yield Finding("onnx-tree", where, f"tree {tree} has node {number} twice")
            return
        places[tree][number] = place
    for tree, nodes in places.items():
        said = _walk(lists, nodes)
        if said:
            yield Finding("onnx-tree", where, f"tree {tree}: {said}")
            return


def _walk(lists: dict[str, list[Any]], nodes: dict[int, int]) -> str:
    """What is wrong with one tree: every node but the root has one parent, and is reached from it."""
    modes, true, false = lists["nodes_modes"], lists["nodes_truenodeids"], lists["nodes_falsenodeids"]
    root = next(iter(nodes))
    seen, waiting = {root}, [(root, 1)]
    while waiting:
        number, depth = waiting.pop()
        place = nodes[number]
        if modes[place] == b"LEAF":
            continue
        if depth >= MOST_TREE_DEPTH:
            return f"deeper than {MOST_TREE_DEPTH}"
        for child in (true[place], false[place]):
            if child not in nodes:
                return f"node {number} leads to node {child}, which does not exist"
            if child in seen:
                return f"node {child} is reached twice, or in a circle"
            seen.add(child)
            waiting.append((child, depth + 1))
    return "" if len(seen) == len(nodes) else "has nodes that are never reached"


def _leaf_findings(lists: dict[str, list[Any]], numbers: dict[str, int], prefix: str, where: str) -> Iterator[Finding]:
    parts = [lists.get(f"{prefix}_{name}", []) for name in ("treeids", "nodeids", "ids", "weights")]
    if len({len(part) for part in parts}) != 1 or not parts[0]:
        yield Finding("onnx-tree", where, "lists of leaves differ in length")
        return
    classes = len(lists.get("classlabels_int64s", [])) or len(lists.get("classlabels_strings", []))
    outputs = numbers.get("n_targets", 1) if prefix == "target" else classes
    if not 0 < outputs <= MOST_OUTPUTS or min(parts[2]) < 0 or max(parts[2]) >= outputs:
        yield Finding("onnx-tree", where, f"a leaf names output {max(parts[2])} of {outputs}")
    known = set(zip(lists["nodes_treeids"], lists["nodes_nodeids"], strict=True))
    if not set(zip(parts[0], parts[1], strict=True)) <= known:
        yield Finding("onnx-tree", where, "a leaf's value belongs to a node that does not exist")


def _linear_findings(
    kind: str, lists: dict[str, list[Any]], numbers: dict[str, int], features: int, where: str
) -> Iterator[Finding]:
    if kind == "Scaler":
        for name in ("offset", "scale"):
            if len(lists.get(name, [])) not in (0, 1, features):
                yield Finding(
                    "onnx-linear", where, f"Scaler.{name} has {len(lists[name])} values for {features} features"
                )
        return
    coefficients = len(lists.get("coefficients", []))
    outputs = numbers.get("targets", 1) if kind == "LinearRegressor" else len(lists.get("intercepts", [])) or 1
    if not 0 < outputs <= MOST_OUTPUTS or coefficients != outputs * features:
        said = f"{kind} has {coefficients} coefficients for {outputs} outputs of {features} features"
        yield Finding("onnx-linear", where, said)


def _vector_findings(
    lists: dict[str, list[Any]], numbers: dict[str, int], features: int, where: str
) -> Iterator[Finding]:
    supports = numbers.get("n_supports", 0) or sum(lists.get("vectors_per_class", []))
    vectors = len(lists.get("support_vectors", []))
    if supports < 0 or any(each < 0 for each in lists.get("vectors_per_class", [])):
        yield Finding("onnx-linear", where, "a negative number of support vectors")
    elif features and supports and vectors != supports * features:
        yield Finding("onnx-linear", where, f"{vectors} numbers for {supports} support vectors of {features} features")
