"""The open protocol's metadata of the server and of a model; read from its signature, no model needed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from services.models.inference.release import ReleaseFolder, versions_of
from services.models.inference.signature import Feature, tensor_parameters

SERVER = {
    "name": "zhigai",
    "version": "0.1.0",
    "extensions": ["binary_tensor_data", "model_repository"],
}
_TOOL_INPUTS: Mapping[str, tuple[str, list[int]]] = {
    "BYTES": ("BYTES", [-1, 1]), "INT64": ("INT64", [-1, 1]), "LIST": ("FP64", [-1, -1]),
}  # fmt: skip


def model_metadata(about: ReleaseFolder) -> dict[str, Any]:
    """Name, versions, platform and tensors in the canonical form, one tensor per named feature, each input with title,
    unit, range and default in its `parameters`. A model takes one matrix tensor as well."""
    found: dict[str, Any] = {
        "name": about.name,
        "versions": versions_of(about.folder.parent.parent),
        "platform": "onnx_onnxv1" if about.kind == "model" else "zhigai_tool",
        "inputs": [_input(about, each) for each in about.signature.inputs],
        "outputs": _model_outputs(about) if about.kind == "model" else _tool_outputs(about),
        "parameters": {"release": about.version},
    }
    if about.kind == "model":
        found["parameters"]["matrix_input"] = "input"
    return found


def _input(about: ReleaseFolder, feature: Feature) -> dict[str, Any]:
    parameters = tensor_parameters(feature)
    if feature.choices:
        # A parameter is a scalar in this protocol; the list stands in it as JSON.
        parameters["choices"] = json.dumps(feature.choices, ensure_ascii=False)
        parameters = {name: value for name, value in parameters.items() if name not in ("minimum", "maximum")}
    if about.kind == "tool":
        datatype, shape = _TOOL_INPUTS.get(feature.datatype, ("FP64", [-1, 1]))
    else:
        datatype, shape = "BYTES" if feature.choices else "FP32", [-1, 1]
    return {"name": feature.name, "datatype": datatype, "shape": shape, "parameters": _scalars(parameters)}


def _model_outputs(about: ReleaseFolder) -> list[dict[str, Any]]:
    intervals = _intervals(about.folder)
    outputs: list[dict[str, Any]]
    if about.signature.task == "classification":
        outputs = [
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
            {
                "name": "probabilities", "datatype": "FP64", "shape": [-1, len(about.signature.classes)],
                "parameters": {"classes": ",".join(about.signature.classes)},
            },
        ]  # fmt: skip
        if "decision" in intervals:
            decision = {name: intervals["decision"][name] for name in ("positive", "threshold")}
            outputs.append({"name": "act", "datatype": "BOOL", "shape": [-1], "parameters": decision})
    else:
        main = about.signature.outputs[0]
        parameters = {"unit": main.unit, "title_zh": main.title_zh, "title_en": main.title_en}
        names = [main.name, *(("interval_low", "interval_high") if "low" in intervals else ())]
        outputs = [{"name": name, "datatype": "FP64", "shape": [-1], "parameters": parameters} for name in names]
    return outputs + _on_request(["in_range", *(["unusual"] if "novelty" in intervals else [])])


def _tool_outputs(about: ReleaseFolder) -> list[dict[str, Any]]:
    stored = about.examples[0]["answer"]["predictions"][0].get("outputs", {}) if about.examples else {}
    return [
        {
            "name": each.name, "datatype": _datatype_of(stored.get(each.name, {}).get("value")), "shape": [-1],
            "parameters": {"unit": each.unit, "title_zh": each.title_zh, "title_en": each.title_en},
        }
        for each in about.signature.outputs
    ] + _on_request(["in_range"])  # fmt: skip


def _datatype_of(value: Any) -> str:
    if isinstance(value, bool):
        return "BOOL"
    return "BYTES" if isinstance(value, str) else "FP64"


def _on_request(names: Sequence[str]) -> list[dict[str, Any]]:
    return [{"name": each, "datatype": "BOOL", "shape": [-1], "parameters": {"on_request": True}} for each in names]


def _scalars(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if isinstance(value, (str, int, float))}


def _intervals(folder: Path) -> dict[str, Any]:
    path = folder / "intervals.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found
