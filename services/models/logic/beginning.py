"""`zhigai component init`: a component folder from a model and a table. What is guessed is marked to be confirmed."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import yaml
from numpy.typing import NDArray

from services.models.errors import CannotTrain, NotInOrder
from services.models.inference.predict import predict
from services.models.inference.reference import reference_of
from services.models.inference.release import LoadedRelease, open_release
from services.models.inference.sessions import load
from services.models.intake import onnx_check, tables
from services.models.logic.checking import PLEASE_CONFIRM
from services.models.training.table import Table

VERSION = "1.0.0"
COVERAGE = 0.9
FEWEST_FOR_A_BAND = 50
NAME = re.compile(r"^[a-z0-9][a-z0-9-]{1,62}$")
_NOTE = "# 请确认 / please confirm: "


@dataclass(frozen=True)
class Begun:
    folder: Path
    notes: list[str]
    """What was guessed, one line each."""


@dataclass(frozen=True)
class _Given:
    table: Table
    features: list[str]
    """Columns of the table, in the model's order."""
    target: str | None
    names: list[str]
    """What programs call the features."""
    matrix: NDArray[np.float32]
    classes: list[str]


def begin(root: Path, name: str, model: Path, data: Path, target: str = "", features: Sequence[str] = ()) -> Begun:
    """Writes `root/name`. `features`: columns in the model's order, else the table's order without `target`.

    Raises `NotInOrder` for a file that is no acceptable ONNX model, `UnreadableTable`, `CannotTrain` naming the column
    when table and model do not fit.
    """
    if not NAME.match(name) or (root / name).exists():
        said = f"{name!r}: lower case letters, digits and -, and no folder of that name yet"
        raise NotInOrder(component=name[:80], findings=[f"component-name: {said}"])
    found = list(onnx_check.findings(model))
    if found:
        raise NotInOrder(component=name, findings=[f"{each.rule}: {each.place}: {each.message}" for each in found])
    content = model.read_bytes()
    given = _given(content, tables.read(data.read_bytes()), target, list(features))
    folder = root / name / "releases" / VERSION
    folder.mkdir(parents=True)
    try:
        notes = _write(root, name, folder, content, given)
    except BaseException:
        shutil.rmtree(root / name)
        raise
    return Begun(root / name, notes)


def _given(content: bytes, table: Table, target: str, features: list[str]) -> _Given:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    width = int(session.get_inputs()[0].shape[1])
    for column in (*features, *((target,) if target else ())):
        if column not in table.columns:
            known = ", ".join(table.columns)
            raise _misfit(column, f"表里没有这一列，有：{known}", f"no such column, there are: {known}")
    columns = list(table.columns)
    if not target and not features and len(columns) == width + 1:
        # A table of a model's inputs with one column more: the last one is what it predicts, as tables usually are.
        target = columns[-1]
    chosen = features or [each for each in columns if each != target]
    if len(chosen) != width:
        said = (f"模型要 {width} 列输入，表里有 {len(chosen)} 列，请用 --features 按模型的顺序列出",
                f"the model takes {width} columns, the table has {len(chosen)}: list them in order with --features")  # fmt: skip
        raise _misfit("、".join(chosen[:5]), *said)
    for column in chosen:
        if table.kinds[column] not in ("number", "constant") or not isinstance(
            table.columns[column][0], (float, type(None))
        ):
            raise _misfit(column, "模型的输入须为数值", "the model's inputs must be numbers")
    rows = [row for row in range(table.rows) if all(table.columns[each][row] is not None for each in chosen)]
    if len(rows) < 3:
        raise _misfit(chosen[0], "至少要 3 行完整的数据", "at least three complete rows are needed")
    matrix = np.array([[table.columns[each][row] for each in chosen] for row in rows], np.float32)
    kept = Table({each: [values[row] for row in rows] for each, values in table.columns.items()}, table.kinds, len(rows),
                 table.units, table.headers)  # fmt: skip
    classes = _classes(session, content, kept, target, matrix)
    return _Given(kept, chosen, target or None, _names(chosen), matrix, classes)


def _misfit(column: str, zh: str, en: str) -> CannotTrain:
    return CannotTrain(column=column[:120], reason_zh=zh, reason_en=en)


def _classes(session: Any, content: bytes, table: Table, target: str, matrix: NDArray[np.float32]) -> list[str]:
    """Of a classifier: as its labels stand in the file. Empty for a regression."""
    import onnx

    for node in onnx.load_model_from_string(content).graph.node:
        for attribute in node.attribute:
            if attribute.name in ("classlabels_strings", "classlabels_int64s"):
                values = list(attribute.strings) or list(attribute.ints)
                return [each.decode() if isinstance(each, bytes) else str(each) for each in values]
    outputs = session.run(None, {session.get_inputs()[0].name: matrix[:1]})
    shares = np.asarray(outputs[-1]) if len(outputs) == 2 else np.zeros((1, 1))
    if shares.ndim == 2 and shares.shape[1] > 1 and target:
        return sorted({_class_name(each) for each in table.columns[target] if each is not None})
    return []


def _class_name(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _names(columns: Sequence[str]) -> list[str]:
    """The column where it is ASCII, else x1, x2, ... by place."""
    found: list[str] = []
    for place, column in enumerate(columns, start=1):
        plain = re.sub(r"[^A-Za-z0-9]+", "_", column).strip("_") if column.isascii() else ""
        name = plain[:60] if re.match(r"^[A-Za-z_]", plain) else f"x{place}"
        found.append(name if name not in found else f"{name}_{place}")
    return found


def _write(root: Path, name: str, folder: Path, content: bytes, given: _Given) -> list[str]:
    (folder / "model.onnx").write_bytes(content)
    notes: list[str] = []
    (root / name / "component.yaml").write_text(_component(name, given), encoding="utf-8")
    (folder / "signature.yaml").write_text(_signature(given, notes), encoding="utf-8")
    (folder / "examples.yaml").write_text("[]\n", encoding="utf-8")
    said = _answers(load(open_release([root], name, VERSION), verify=False), given)
    reference = reference_of(given.matrix, given.names, said, given.classes)
    (folder / "reference.json").write_text(json.dumps(reference), encoding="utf-8")
    figures = _figures(given, said, notes)
    if figures["intervals"]:
        (folder / "intervals.json").write_text(json.dumps(figures["intervals"], indent=1), encoding="utf-8")
    lineage = {
        "protocol": f"{PLEASE_CONFIRM}: which rows, kept apart from training how",
        "metrics": figures["metrics"],
        "data": {"rows": given.table.rows},
        "parameters": {},
    }
    (folder / "release.json").write_text(json.dumps(lineage, ensure_ascii=False, indent=1), encoding="utf-8")
    for file, heading in (("card.md", "用途"), ("card.en.md", "Use")):
        (folder / file).write_text(f"# {name}\n\n## {heading}\n\n{PLEASE_CONFIRM}\n", encoding="utf-8")
    loaded = load(open_release([root], name, VERSION), verify=False)
    _dump(folder / "examples.yaml", _examples(loaded, given, said))
    return notes


def _component(name: str, given: _Given) -> str:
    both = {"zh": PLEASE_CONFIRM, "en": PLEASE_CONFIRM}
    about: dict[str, Any] = {
        "name": name, "kind": "model",
        **{each: dict(both) for each in ("title", "answers", "summary", "valid_for", "source", "licence")},
        "industries": [], "directions": [], "keywords": [], "owner": "me", "public": True,
        "aliases": {"stable": VERSION},
    }  # fmt: skip
    text = yaml.safe_dump(about, allow_unicode=True, sort_keys=False)
    for field, said in (
        (
            "industries",
            "auto_parts, electronics, smart_home, textile, apparel, chem_fibre, dyeing, paper, wood, fastener",
        ),
        ("directions", "equipment, line, workshop, factory, platform"),
        ("keywords", "怎么搜得到 / how it is found"),
    ):
        text = text.replace(f"{field}: []", f"{field}: []  {_NOTE}{said}")
    return text


def _signature(given: _Given, notes: list[str]) -> str:
    lines = [f"task: {'classification' if given.classes else 'regression'}", "inputs:"]
    for place, (name, column) in enumerate(zip(given.names, given.features, strict=True)):
        values = given.matrix[:, place].astype(np.float64)
        unit = given.table.units.get(column, "")
        title = json.dumps(column, ensure_ascii=False)
        notes.append(f"{name}: {column} [{unit or '-'}] {values.min():g} .. {values.max():g}")
        lines += [
            f"- name: {name}",
            f"  title_zh: {title}",
            f"  title_en: {title}" + ("" if column.isascii() else f"  {_NOTE}English title"),
            f"  unit: {json.dumps(unit, ensure_ascii=False)}  {_NOTE}"
            + ("from the header" if unit else "no unit was found"),
            "  datatype: FP32",
            f"  minimum: {_floor(values.min())}  {_NOTE}smallest value in the data",
            f"  maximum: {_ceil(values.max())}  {_NOTE}largest value in the data",
            f"  typical: {float(np.median(values)):.6g}",
        ]
    output = given.target or "value"
    unit = "" if given.classes else given.table.units.get(given.target or "", "")
    lines += [
        "outputs:",
        "- name: value",
        f"  title_zh: {json.dumps(output, ensure_ascii=False)}  {_NOTE}what is predicted",
        f"  title_en: {json.dumps(output, ensure_ascii=False)}",
        f"  unit: {json.dumps(unit, ensure_ascii=False)}  {_NOTE}its unit",
        f"classes: {json.dumps(given.classes, ensure_ascii=False)}",
    ]
    return "\n".join(lines) + "\n"


def _floor(value: float) -> float:
    return float(np.nextafter(np.float32(value), np.float32(-np.inf))) if value % 1 else float(value)


def _ceil(value: float) -> float:
    return float(np.nextafter(np.float32(value), np.float32(np.inf))) if value % 1 else float(value)


def _answers(release: LoadedRelease, given: _Given) -> NDArray[np.float64]:
    """What the model says of the table's rows: values, or probabilities."""
    outputs = release.session.run(None, {release.input_name: given.matrix})
    rows = given.matrix.shape[0]
    if given.classes:
        shares = np.asarray(outputs[-1])
        if shares.ndim != 2 or shares.shape[1] != len(given.classes):
            zh = "分类模型的第二个输出须为概率矩阵：转换时用 zipmap=False"
            raise _misfit(given.target or "-", zh, "its probabilities must be a matrix: convert with zipmap=False")
        return shares.astype(np.float64)
    return np.asarray(outputs[0], np.float64).reshape(rows)


def _figures(given: _Given, said: NDArray[np.float64], notes: list[str]) -> dict[str, Any]:
    """Errors beside a naive rule's, and a band of the residuals: honest only on rows that training did not see."""
    if given.target is None:
        notes.append("no column of true values: metrics in release.json are yours to write")
        return {"metrics": {"naive": {}}, "intervals": None}
    truth = given.table.columns[given.target]
    notes.append(f"figures on {given.table.rows} rows: they count only if training saw none of these")
    if given.classes:
        names = [None if each is None else _class_name(each) for each in truth]
        chosen = [given.classes[place] for place in np.argmax(said, axis=1)]
        commonest = max(set(names), key=names.count)
        right = float(np.mean([one == other for one, other in zip(names, chosen, strict=True)]))
        naive = float(np.mean([each == commonest for each in names]))
        return {"metrics": {"accuracy": right, "naive": {"accuracy": naive}}, "intervals": None}
    known = np.array([isinstance(each, float) for each in truth])
    values = np.array([each if isinstance(each, float) else np.nan for each in truth])[known]
    errors = np.abs(values - said[known])
    metrics = {
        "mae": float(errors.mean()),
        "rmse": float(np.sqrt((errors**2).mean())),
        "naive": {"mae": float(np.abs(values - np.median(values)).mean()), "rmse": float(values.std())},
    }
    band = None
    if errors.size >= FEWEST_FOR_A_BAND:
        rank = min(int(np.ceil((errors.size + 1) * COVERAGE)), errors.size)
        half = float(np.sort(errors)[rank - 1])
        band = {"coverage": COVERAGE, "low": [-half], "high": [half], "naive": float(np.median(values))}
    return {"metrics": metrics, "intervals": band}


def _examples(release: LoadedRelease, given: _Given, said: NDArray[np.float64]) -> list[dict[str, Any]]:
    """The rows with the lowest, the middle and the highest answer."""
    order = np.argsort(said[:, 0] if said.ndim == 2 else said, kind="stable")
    titles = {"low": ("较低", "Low"), "middle": ("中等", "Middle"), "high": ("较高", "High")}
    places = (order[0], order[order.size // 2], order[-1])
    found = []
    for (name, (zh, en)), row in zip(titles.items(), places, strict=True):
        instance = {each: _plain(value) for each, value in zip(given.names, given.matrix[row], strict=True)}
        request: Mapping[str, Any] = {"instances": [instance]}
        answer = predict(release, request, "zh")
        found.append({"name": name, "title": {"zh": zh, "en": en}, "request": request, "answer": answer})
    return found


def _plain(value: np.float32) -> float:
    """The shortest decimal number that is the same in single precision."""
    return float(str(value))


def _dump(path: Path, value: Any) -> None:
    path.write_text(yaml.safe_dump(json.loads(json.dumps(value)), allow_unicode=True, sort_keys=False), "utf-8")
