"""Probabilities that happen as often as they say, in a form that ONNX can hold.

Platt's scaling on the log odds (Platt 1999): p' = sigmoid(a * logit(p) + b) for each class, then shared to one. Two
numbers a class are little to learn, so that few defects are enough, and a monotone curve keeps the order of the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, load_model_from_string, numpy_helper
from sklearn.linear_model import LogisticRegression

from services.models.training.learning_set import Floats, Ints

EDGE = 1e-4
"""Probabilities nearer to 0 or 1 than this are not told apart: no sample here is large enough to."""


@dataclass(frozen=True)
class Calibration:
    slope: Floats
    offset: Floats
    """One a class; of two classes only the second is used."""

    def applied(self, probabilities: Floats) -> Floats:
        """(n, k) -> (n, k), rows summing to one."""
        odds = 1 / (1 + np.exp(-(self.slope * _logit(probabilities) + self.offset)))
        if probabilities.shape[1] == 2:
            return np.column_stack([1 - odds[:, 1], odds[:, 1]])
        shared: Floats = odds / odds.sum(axis=1, keepdims=True)
        return shared


def fitted(probabilities: Floats, target: Floats) -> Calibration:
    """From probabilities that had not seen `target`."""
    logits, classes = _logit(probabilities), probabilities.shape[1]
    slope, offset = np.ones(classes), np.zeros(classes)
    for each in range(classes):
        truth = (target == each).astype(np.int64)
        if 0 < truth.sum() < truth.size:
            model = LogisticRegression(C=100.0).fit(logits[:, [each]], truth)
            # A falling curve would turn the model's order round: that is noise, not calibration.
            slope[each], offset[each] = max(float(model.coef_[0, 0]), 1e-3), float(model.intercept_[0])
    return Calibration(slope, offset)


def helps(probabilities: Floats, target: Floats, parts: Sequence[Ints]) -> bool:
    """Whether a calibration from the other parts lowers the Brier score, part by part."""
    if len(parts) < 2:
        return False
    before, after = [], []
    for test in parts:
        learn = np.concatenate([each for each in parts if each is not test])
        made = fitted(probabilities[learn], target[learn]).applied(probabilities[test])
        before.append(brier(probabilities[test], target[test]))
        after.append(brier(made, target[test]))
    return float(np.concatenate(after).mean()) < float(np.concatenate(before).mean())


def brier(probabilities: Floats, target: Floats) -> Floats:
    """(n,) squared distance of the probabilities from what happened, summed over classes (Brier 1950)."""
    truth = np.zeros_like(probabilities)
    truth[np.arange(target.size), target.astype(np.int64)] = 1
    found: Floats = ((probabilities - truth) ** 2).sum(axis=1)
    return found


def _logit(probabilities: Floats) -> Floats:
    inside = np.clip(probabilities, EDGE, 1 - EDGE)
    found: Floats = np.log(inside / (1 - inside))
    return found


def appended(content: bytes, calibration: Calibration) -> bytes:
    """The ONNX classifier with its probabilities calibrated; its label output gives way to them."""
    model = load_model_from_string(content)
    graph = model.graph
    raw = graph.output[-1].name
    classes = calibration.slope.size
    numbers = {
        "cal_edge": np.float32(EDGE), "cal_far": np.float32(1 - EDGE), "cal_one": np.float32(1.0),
        "cal_slope": calibration.slope.astype(np.float32)[None, :],
        "cal_offset": calibration.offset.astype(np.float32)[None, :],
    }  # fmt: skip
    steps: list[tuple[str, list[str], str, dict[str, Any]]] = [
        ("Clip", [raw, "cal_edge", "cal_far"], "cal_inside", {}),
        ("Sub", ["cal_one", "cal_inside"], "cal_other", {}),
        ("Div", ["cal_inside", "cal_other"], "cal_odds", {}),
        ("Log", ["cal_odds"], "cal_logit", {}),
        ("Mul", ["cal_logit", "cal_slope"], "cal_scaled", {}),
        ("Add", ["cal_scaled", "cal_offset"], "cal_moved", {}),
        ("Sigmoid", ["cal_moved"], "cal_each", {}),
    ]
    if classes == 2:
        numbers["cal_second"] = np.array([1], dtype=np.int64)
        steps += [
            ("Gather", ["cal_each", "cal_second"], "cal_yes", {"axis": 1}),
            ("Sub", ["cal_one", "cal_yes"], "cal_no", {}),
            ("Concat", ["cal_no", "cal_yes"], "calibrated", {"axis": 1}),
        ]
    else:
        numbers["cal_axis"] = np.array([1], dtype=np.int64)
        steps += [
            ("ReduceSum", ["cal_each", "cal_axis"], "cal_total", {"keepdims": 1}),
            ("Div", ["cal_each", "cal_total"], "calibrated", {}),
        ]
    graph.initializer.extend(numpy_helper.from_array(np.asarray(value), name) for name, value in numbers.items())
    graph.node.extend(helper.make_node(kind, inputs, [output], **more) for kind, inputs, output, more in steps)
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("calibrated", TensorProto.FLOAT, [None, classes]))
    found: bytes = model.SerializeToString()
    return found


def probabilities_of(content: bytes, matrix: NDArray[np.float32]) -> Floats:
    """What the ONNX file answers, for comparing."""
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.asarray(session.run(None, {name: matrix})[-1], dtype=np.float64).reshape(matrix.shape[0], -1)
