"""The open protocol's metadata of a model; read from its signature, no model needed."""

from __future__ import annotations

from typing import Any

from services.models.inference.release import ReleaseFolder, component_folder, versions_of
from services.models.inference.signature import tensor_parameters

SERVER = {
    "name": "zhigai",
    "version": "0.1.0",
    "extensions": ["binary_tensor_data"],
}


def model_metadata(about: ReleaseFolder, roots: Any) -> dict[str, Any]:
    """Name, versions, platform and tensors, each input with title, unit, range and default in its `parameters`."""
    inputs = [
        {"name": each.name, "datatype": "FP32", "shape": [-1, 1], "parameters": tensor_parameters(each)}
        for each in about.signature.inputs
    ]
    if about.signature.task == "classification":
        outputs: list[dict[str, Any]] = [
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
            {
                "name": "probabilities", "datatype": "FP64", "shape": [-1, len(about.signature.classes)],
                "parameters": {"classes": ",".join(about.signature.classes)},
            },
        ]  # fmt: skip
    else:
        main = about.signature.outputs[0]
        parameters = {"unit": main.unit, "title_zh": main.title_zh, "title_en": main.title_en}
        names = [main.name]
        if (about.folder / "intervals.json").exists():
            names += ["interval_low", "interval_high"]
        outputs = [{"name": name, "datatype": "FP64", "shape": [-1], "parameters": parameters} for name in names]
    return {
        "name": about.name,
        "versions": versions_of(component_folder(roots, about.name)),
        "platform": "onnx_onnxv1" if about.kind == "model" else "zhigai_tool",
        "inputs": inputs,
        "outputs": outputs,
        "parameters": {"matrix_input": "input", "release": about.version},
    }
