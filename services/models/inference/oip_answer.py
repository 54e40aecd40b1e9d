"""The answer of the Open Inference Protocol: which outputs there are, which were asked for, JSON and raw tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from services.models.errors import BadTensor
from services.models.inference import oip_binary
from services.models.inference.compute import Computed
from services.models.inference.oip_tensor import parameters_of
from services.models.inference.release import LoadedRelease

Outputs = Mapping[str, tuple[str, NDArray[Any]]]
"""Name -> datatype and values, in the order of the metadata."""
ON_REQUEST = frozenset({"in_range", "unusual"})
"""Outputs that are only sent to whoever names them; the answer's parameters count such rows for everybody."""


def outputs_of(
    release: LoadedRelease,
    computed: Computed,
    on_request: tuple[NDArray[np.bool_] | None, NDArray[np.bool_] | None] | None,
    rows: int,
) -> Outputs:
    """`on_request`, None when nobody named an output: (n, features) true outside the trained range, None when all lie
    within; and (n,) true where a row is unlike training, None when the release cannot tell."""
    found: dict[str, tuple[str, NDArray[Any]]] = {}
    if computed.probabilities is not None:
        classes = release.signature.classes
        labels = np.array(classes, dtype=object)[computed.probabilities.argmax(axis=1)]
        found = {"label": ("BYTES", labels), "probabilities": ("FP64", computed.probabilities)}
        decision = release.intervals.get("decision")
        if decision is not None:
            chance = computed.probabilities[:, classes.index(decision["positive"])]
            # As the friendly call rounds and compares, so that both say the same of a probability at the threshold.
            acting: NDArray[Any] = chance.round(6) >= float(decision["threshold"])
            found["act"] = ("BOOL", acting)
    if computed.values is not None:
        found[release.signature.outputs[0].name] = ("FP64", computed.values)
    if computed.low is not None and computed.high is not None:
        found["interval_low"] = ("FP64", computed.low)
        found["interval_high"] = ("FP64", computed.high)
    if on_request is None:
        return found
    flagged, novel = on_request
    within: NDArray[Any] = np.ones(rows, np.bool_) if flagged is None else np.logical_not(flagged.any(axis=1))
    found["in_range"] = ("BOOL", within)
    if novel is not None:
        found["unusual"] = ("BOOL", novel)
    return found


def answered(
    release: LoadedRelease, request: Mapping[str, Any], available: Outputs, flags: Mapping[str, str | int]
) -> tuple[bytes, int]:
    """The body and the length of its JSON part (0 when it is all JSON). Raises `BadTensor` for an unknown output."""
    outputs, raws = [], []
    for name, binary in _asked(request, available):
        datatype, values = available[name]
        tensor: dict[str, Any] = {"name": name, "datatype": datatype, "shape": list(values.shape)}
        if binary:
            packed = oip_binary.packed(datatype, values)
            tensor["parameters"] = {"binary_data_size": len(packed)}
            raws.append(packed)
        else:
            tensor["data"] = values.reshape(-1).tolist()
        outputs.append(tensor)
    answer: dict[str, Any] = {"model_name": release.name, "model_version": release.version, "outputs": outputs}
    if request.get("id") is not None:
        answer["id"] = request["id"]
    if flags:
        answer["parameters"] = flags
    head = orjson.dumps(answer)
    return (b"".join([head, *raws]), len(head)) if raws else (head, 0)


def _asked(request: Mapping[str, Any], available: Outputs) -> list[tuple[str, bool]]:
    """Names in the order asked for, each with whether it is wanted as raw bytes."""
    everything_binary = bool(parameters_of("-", request).get("binary_data_output"))
    wanted = request.get("outputs")
    if wanted is None or wanted == []:
        return [(name, everything_binary) for name in available if name not in ON_REQUEST]
    if not isinstance(wanted, list):
        raise BadTensor(tensor="outputs", reason="应为数组 / must be a list of outputs, or left out")
    found: dict[str, bool] = {}
    for each in wanted:
        name = each.get("name") if isinstance(each, dict) else None
        if not isinstance(name, str) or name not in available:
            known = ", ".join(available)
            raise BadTensor(tensor=str(name)[:80], reason=f"没有这个输出，可用 / no such output: {known}")
        if name in found:
            raise BadTensor(tensor=name, reason="出现两次 / asked for twice")
        found[name] = bool(parameters_of(name, each).get("binary_data", everything_binary))
    return list(found.items())
