"""What an uploaded ONNX file may hold: operators of tabular models; nothing that loops, allocates or reads files.

A list of what is allowed, since a list of what is forbidden is never complete. Nothing of the file is run here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from services.models.intake import onnx_graph, onnx_tensors, onnx_trees
from services.models.intake.file_kinds import other_kind
from services.models.logic.shipping import Finding

MOST_BYTES = 16 * 1024 * 1024
MOST_FINDINGS = 20
DOMAINS = ("", "ai.onnx.ml", "ai.onnx")
OPSETS = {"": (7, 26), "ai.onnx": (7, 26), "ai.onnx.ml": (1, 5)}
IR_VERSIONS = (3, 13)
MOST_METADATA = 50
MOST_METADATA_BYTES = 64 * 1024
"""Of all descriptions and properties together."""


def findings(path: Path) -> Iterator[Finding]:
    """What is wrong with the file. Needs the extra `train`; without it nothing is accepted."""
    where = f"{path.parent.name}/{path.name}"
    if path.stat().st_size > MOST_BYTES:
        yield Finding("onnx-size", where, f"at most {MOST_BYTES} bytes, has {path.stat().st_size}")
        return
    content = path.read_bytes()
    other = other_kind(content)
    if other:
        yield Finding("not-onnx", where, f"is {other}; only ONNX is taken")
        return
    try:
        import onnx
    except ModuleNotFoundError:
        yield Finding("onnx-unchecked", where, "this installation cannot check ONNX files: install the extra `train`")
        return
    try:
        model = onnx.load_model_from_string(content)
    except Exception as wrong:
        yield Finding("onnx-file", where, f"is no ONNX file: {type(wrong).__name__}")
        return
    found = list(islice(_model_findings(model, where), MOST_FINDINGS))
    yield from found
    if not found:
        yield from _checker_findings(model, where)


def _model_findings(model: Any, where: str) -> Iterator[Finding]:
    if not _is_text(model):
        yield Finding("onnx-name", where, "a name or a text is no UTF-8")
        return
    if not IR_VERSIONS[0] <= model.ir_version <= IR_VERSIONS[1]:
        yield Finding("onnx-version", where, f"IR version {model.ir_version}: {IR_VERSIONS[0]} to {IR_VERSIONS[1]}")
    yield from _opset_findings(model, where)
    if model.functions or model.training_info:
        yield Finding("onnx-parts", where, "functions and training information are not taken")
    yield from _metadata_findings(model, where)
    graph = model.graph
    # Each of these looks at every node or number; what is far too large is refused before.
    structure = list(islice(onnx_graph.findings(graph, where), MOST_FINDINGS))
    yield from structure
    if any(each.rule == "onnx-nodes" for each in structure):
        return
    yield from onnx_tensors.findings(graph, where)
    yield from onnx_trees.findings(graph, where)


def _is_text(model: Any) -> bool:
    """Bytes that are no UTF-8 come out of the parser as bytes, where everybody expects text."""
    graph = model.graph
    said: list[Any] = [model.doc_string, model.producer_name, model.producer_version, model.domain, graph.name]
    said += [graph.doc_string, *(each.domain for each in model.opset_import)]
    for node in graph.node:
        said += [node.op_type, node.domain, node.name, node.doc_string, *node.input, *node.output]
        said += [text for each in node.attribute for text in (each.name, each.ref_attr_name, each.doc_string)]
        said += [each.t.name for each in node.attribute if each.HasField("t")]
    for each in (*graph.initializer, *graph.input, *graph.output, *graph.value_info):
        said += [each.name, each.doc_string]
    owners = (model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output, *graph.value_info)
    said += [text for owner in owners for each in owner.metadata_props for text in (each.key, each.value)]
    said += [dim.dim_param for each in (*graph.input, *graph.output) for dim in each.type.tensor_type.shape.dim]
    return all(isinstance(each, str) for each in said)


def _opset_findings(model: Any, where: str) -> Iterator[Finding]:
    # skl2onnx repeats an import now and then; two versions of one domain are another matter.
    versions = {(each.domain, each.version) for each in model.opset_import}
    for domain, count in Counter(domain for domain, _ in versions).items():
        if count > 1:
            yield Finding("onnx-domain", where, f"{domain[:60]!r} is imported in two versions")
    for opset in model.opset_import:
        if opset.domain not in DOMAINS:
            yield Finding("onnx-domain", where, f"operators of {opset.domain[:60]!r} are not taken")
            continue
        low, high = OPSETS[opset.domain]
        if not low <= opset.version <= high:
            yield Finding("onnx-version", where, f"opset {opset.version} of {opset.domain!r}: {low} to {high}")
    if not model.opset_import:
        yield Finding("onnx-domain", where, "imports no operators")


def _metadata_findings(model: Any, where: str) -> Iterator[Finding]:
    graph = model.graph
    texts = [model.doc_string, model.producer_name, model.producer_version, model.domain, graph.doc_string, graph.name]
    texts += [each.doc_string for each in (*graph.node, *graph.initializer, *graph.input, *graph.output)]
    owners = (model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output, *graph.value_info)
    properties = [each for owner in owners for each in owner.metadata_props]
    texts += [text for each in properties for text in (each.key, each.value)]
    size = sum(len(each) for each in texts)
    if len(properties) > MOST_METADATA or size > MOST_METADATA_BYTES:
        said = (
            f"{len(properties)} properties, {size} characters of text: at most {MOST_METADATA}, {MOST_METADATA_BYTES}"
        )
        yield Finding("onnx-metadata", where, said)


def _checker_findings(model: Any, where: str) -> Iterator[Finding]:
    """ONNX's own checker: types of attributes, what each operator needs. It reads no files here: external data is gone."""
    import onnx

    try:
        onnx.checker.check_model(model)
    except Exception as wrong:
        said = str(wrong).strip().splitlines()
        yield Finding("onnx-checker", where, (said[0] if said else type(wrong).__name__)[:300])
