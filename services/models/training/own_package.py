"""A chosen model as one document, the way any release is sent: what `logic.packages.ReleaseIn` takes."""

from __future__ import annotations

import base64
import hashlib
import importlib
import math
import platform
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray

from services.models.errors import CannotTrain
from services.models.training import calibration as calibrating
from services.models.training import own_intervals
from services.models.training.choose_model import Chosen
from services.models.training.comparing import shortened
from services.models.training.conformal import set_threshold
from services.models.training.export import onnx_of
from services.models.training.learning_set import Column, Floats, LearningSet, Said
from services.models.training.own_cards import Words, cards
from services.models.training.table import Roles, Table

VERSION = "1.0.0"
CODE_VERSION = "own-data/1"
"""Grows when the same table would give another model."""
SOURCE = Said("用企业自己上传的数据训练", "trained on the firm's own uploaded data")
"""What `component.yaml` must name as its source: predictions repeat it, and the stored answers hold it."""
MOST_CHECKED = 2000


def package(chosen: Chosen, table: Table, roles: Roles, words: Words, content: bytes | None = None) -> dict[str, Any]:
    """The document of a private model; `content` is its ONNX file where it is not just the chosen estimator. Raises
    `CannotTrain` when the model cannot be exported faithfully."""
    data = chosen.data
    names = feature_names(data.columns)
    if content is None:
        content = onnx_content(chosen)
    intervals = _intervals(chosen, roles, words)
    signature = _signature(data, names, roles, words)
    zh, en = cards(chosen, roles, words, names)
    parameters = {
        "template": words.template, "model": chosen.candidate.name, **chosen.candidate.parameters,
        "calibrated": chosen.calibration is not None,
        "columns": {name: column.title for name, column in zip(names, data.columns, strict=True)},
        "recipe": dict(words.recipe), "code": CODE_VERSION, "scikit_learn": sklearn.__version__,
        "python": platform.python_version(),
    }  # fmt: skip
    document = {
        "version": VERSION,
        "signature": signature,
        "intervals": intervals,
        "lineage": {
            "data": {"sha256": table_hash(table), "rows": table.rows, "rows_used": data.rows},
            "protocol": chosen.protocol.said.zh[:290] + " / " + chosen.protocol.said.en[:300],
            "parameters": parameters,
            "metrics": chosen.figures,
        },
        "card": {"zh": zh, "en": en},
        "model": base64.b64encode(content).decode("ascii"),
    }
    rows = _example_rows(chosen)
    requests = [_example(data, names, row, place) for place, row in enumerate(rows)]
    return finished(document, roles.name, requests, filled(data))


def finished(
    document: dict[str, Any], name: str, requests: Sequence[Mapping[str, Any]], matrix: NDArray[Any]
) -> dict[str, Any]:
    """The document with the release's answers to `requests` as its examples, and how the rows learnt from are spread."""
    from services.models.inference.predict import predict
    from services.models.inference.reference import reference_of_release
    from services.models.inference.release import open_release
    from services.models.inference.sessions import load
    from services.models.logic import packages

    about = {"name": name, "kind": "model", "aliases": {"stable": VERSION}, "source": SOURCE.as_json()}
    with tempfile.TemporaryDirectory(prefix="zg-own-") as folder:
        component = packages.write_component(Path(folder), about)
        packages.write_release(component, {**document, "examples": []})
        release = load(open_release([Path(folder)], name))
        examples = [{**each, "answer": _plain(predict(release, each["request"], "zh"))} for each in requests]
        reference = reference_of_release(release, matrix)
    return {**document, "examples": examples, "reference": reference}


def _plain(value: Any) -> Any:
    """As JSON would hold it: an answer may carry numbers of numpy."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value.item() if isinstance(value, np.generic) else value


def feature_names(columns: Sequence[Column]) -> list[str]:
    """Names that a program can use: the title where it is ASCII, else x1, x2, ... by place."""
    found: list[str] = []
    for place, column in enumerate(columns, start=1):
        plain = re.sub(r"[^A-Za-z0-9]+", "_", column.title).strip("_") if column.title.isascii() else ""
        name = plain[:60] if re.match(r"^[A-Za-z_]", plain) else f"x{place}"
        found.append(name if name not in found else f"{name}_{place}")
    return found


def table_hash(table: Table) -> str:
    """Of what was learnt from: column names and values, whatever file they came in."""
    digest = hashlib.sha256()
    for name, values in table.columns.items():
        digest.update(repr((name, [str(value) for value in values])).encode("utf-8"))
    return digest.hexdigest()


def onnx_content(chosen: Chosen) -> bytes:
    data = chosen.data
    check = data.matrix[:: max(1, data.rows // MOST_CHECKED)]
    spread = 0.001 if data.classification else max(1e-3 * float(data.target.std()), 1e-6)
    try:
        content = onnx_of(chosen.model, len(data.columns), check, spread)
    except ValueError as wrong:
        raise CannotTrain(
            column="", reason_zh=f"模型无法忠实导出：{wrong}", reason_en=f"cannot be exported: {wrong}"
        ) from None
    if chosen.calibration is not None:
        raw = calibrating.probabilities_of(content, check)
        content = calibrating.appended(content, chosen.calibration)
        off = np.abs(calibrating.probabilities_of(content, check) - chosen.calibration.applied(raw))
        if float(off.max()) > 0.001:
            raise CannotTrain(
                column="", reason_zh="校准无法忠实导出。", reason_en="the calibration cannot be exported."
            )
    return content


def _intervals(chosen: Chosen, roles: Roles, words: Words) -> dict[str, Any]:
    data, rows = chosen.data, chosen.unseen
    found: dict[str, Any] = {"coverage": roles.coverage}
    if data.classification:
        answers = chosen.calibration.applied(chosen.answers) if chosen.calibration else chosen.answers
        own = answers[np.arange(rows.size), data.target[rows].astype(np.int64)]
        found["threshold"] = round(min(1.0, max(0.0, set_threshold(own, roles.coverage))), 6)
        found["naive"] = data.classes[int(np.bincount(data.target.astype(np.int64)).argmax())]
        found["method"] = "split conformal on probabilities of unseen rows"
        if words.decision:
            found["decision"] = dict(words.decision)
    else:
        low, high = own_intervals.offsets(data.target[rows] - chosen.answers, roles.coverage)
        factor = float(chosen.figures.get("interval_widened", 1.0))
        found["low"], found["high"] = [round(low * factor, 9)], [round(high * factor, 9)]
        found["method"] = f"split conformal on errors of unseen rows, widened by {factor}"
        if float(data.target.min()) >= 0:
            found["minimum"] = 0.0
    novelty = _novelty(data)
    if novelty is not None:
        found["novelty"] = novelty
    return found


def _novelty(data: LearningSet) -> dict[str, Any] | None:
    """Parameters by which serving knows an unusual combination; None where that part is not installed."""
    try:
        module = importlib.import_module("services.models.inference.novelty")
    except ModuleNotFoundError:
        return None
    fit: Callable[..., dict[str, Any]] = module.fit
    return fit(filled(data).astype(np.float64), false_alarms=0.01)


def filled(data: LearningSet) -> NDArray[np.float32]:
    """The matrix with the medians where a value is missing, as a call without it is computed."""
    usual = np.nan_to_num(np.nanmedian(data.matrix, axis=0))
    return np.where(np.isnan(data.matrix), usual, data.matrix).astype(np.float32)


def _signature(data: LearningSet, names: Sequence[str], roles: Roles, words: Words) -> dict[str, Any]:
    inputs = []
    for place, (name, column) in enumerate(zip(names, data.columns, strict=True)):
        values = data.matrix[:, place].astype(np.float64)
        inputs.append(feature(name, column, values))
    title = words.output or Said(roles.target, roles.target)
    unit = roles.unit if words.unit is None else words.unit
    output = {
        "name": _output_name(roles.target, names), "title_zh": title.zh[:80], "title_en": title.en[:80],
        "unit": "" if data.classification else unit[:20],
    }  # fmt: skip
    task = "classification" if data.classification else "regression"
    return {"task": task, "inputs": inputs, "outputs": [output], "classes": list(data.classes)}


def feature(name: str, column: Column, values: Floats) -> dict[str, Any]:
    """An input of the signature, its range that of the rows learnt from."""
    meaning = column.meaning.zh or "范围为训练数据的最小到最大"
    found: dict[str, Any] = {
        "name": name, "title_zh": column.title[:80], "title_en": column.title[:80], "unit": column.unit[:20],
        "datatype": "FP32", "meaning": meaning[:300],
    }  # fmt: skip
    if column.choices:
        return {**found, "minimum": 0.0, "maximum": float(len(column.choices) - 1), "choices": list(column.choices)}
    usual = _six(float(np.nanmedian(values)))
    found |= {"minimum": _six(float(np.nanmin(values))), "maximum": _six(float(np.nanmax(values))), "typical": usual}
    if np.isnan(values).any():
        found["default"] = usual
    return found


def _six(value: float) -> float:
    return 0.0 if math.isnan(value) else float(f"{value:.7g}")


def _output_name(title: str, taken: Sequence[str]) -> str:
    plain = re.sub(r"[^A-Za-z0-9]+", "_", title).strip("_") if title.isascii() else ""
    name = plain[:60] if re.match(r"^[A-Za-z_]", plain) else "y"
    return name if name not in taken else f"{name}_out"


def _example_rows(chosen: Chosen) -> list[int]:
    """Three held-out rows that differ: low, middle and high of what was measured, or different classes."""
    test = chosen.held_out
    order = test[np.argsort(chosen.data.target[test], kind="stable")]
    return [int(order[round(share * (order.size - 1))]) for share in (0.05, 0.5, 0.98)]


def _example(data: LearningSet, names: Sequence[str], row: int, place: int) -> dict[str, Any]:
    values = filled(data)[row]
    instance: dict[str, Any] = {}
    for name, column, value in zip(names, data.columns, values, strict=True):
        instance[name] = column.choices[int(value)] if column.choices else _six(float(value))
    measured = data.classes[int(data.target[row])] if data.classes else f"{shortened(float(data.target[row])):g}"
    zh = f"检验行 {place + 1}（实测 {measured}）"
    title = {"zh": zh, "en": f"Held-out row {place + 1} (measured {measured})"}
    return {"name": f"held-out-{place + 1}", "title": title, "request": {"instances": [instance]}}


def component_file(document: Mapping[str, Any], roles: Roles, **more: Any) -> dict[str, Any]:
    """What `component.yaml` says of a model trained on own data; `more` adds or replaces (owner, organisation...)."""
    target = roles.target
    return {
        "name": roles.name, "kind": "model", "title": {"zh": roles.title, "en": roles.title},
        "answers": {"zh": f"「{target}」会是多少？", "en": f"What will “{target}” be?"},
        "summary": {
            "zh": f"用自己的数据训练，预测「{target}」，带区间和简单规则的对照。",
            "en": f"Trained on own data: predicts “{target}” with intervals, beside a simple rule.",
        },
        "valid_for": {
            "zh": "只适用于产生这些数据的设备、产品和工况范围。", "en": "Only for the machines, products and range of these data."
        },
        "source": SOURCE.as_json(), "licence": {"zh": "自有数据，不公开", "en": "own data, not public"},
        "industries": [], "directions": [], "keywords": [target], "public": False, **more,
    }  # fmt: skip
