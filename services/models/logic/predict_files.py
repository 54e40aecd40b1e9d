"""Prediction of a whole file as a job: each row answered, the file given back with the answers beside its columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, time
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy.orm import Session

from services.models.errors import BadInstances, NotAModel
from services.models.inference.signature import Feature, Signature
from services.models.inference.units import OtherKind, converter
from services.models.logic import datasets, result_file
from services.models.logic.components import callable_component
from services.models.logic.result_file import Cell
from services.models.logic.trainings import limit_open
from services.models.store.components import Component, Release
from services.models.store.datasets import Dataset
from services.models.training.table import Table, Value
from shared.blobs import Blobs
from shared.database import Database
from shared.errors import BadInput, NotFound
from shared.identity import Principal
from shared.jobs import Job, JobRun, Jobs

JOB = "predict-file"
PART = 500
OTHER, EMPTY = "其他", "（空）"
"""Choices that a model of own data has for words it saw rarely, and for none."""

Predict = Callable[[str, dict[str, Any]], dict[str, Any]]
SignatureOf = Callable[[str, str], Signature]


def submit(
    database: Database, jobs: Jobs, principal: Principal, name: str, dataset_id: str, release: str, key: str | None
) -> Job:
    """Accepts the prediction of a dataset's rows. Raises `NotFound`, `NotAModel`, `BadInput`, `TooManyTrainings`."""
    row, _ = predictable(database, principal, name)
    dataset = datasets.one(database, principal, dataset_id)
    limit_open(jobs, principal)
    args = {"component": row.id, "release": release or row.stable, "dataset": dataset.id}
    return jobs.submit(JOB, args, principal, key)


def predictable(database: Database, principal: Principal, name: str) -> tuple[Component, Release]:
    """A component that answers a file row by row, and its stable release. Raises `NotFound`, `NotAModel`, `BadInput`."""
    row, stable = callable_component(database, principal, name)
    if row.kind == "tool":
        raise NotAModel(component=name)
    if stable.content["signature"].get("history"):
        said = "这个模型要用历史数据，请用 /predict 并给出 history / this model needs history: call /predict"
        raise BadInput(errors={"component": [said]})
    if ((stable.content["lineage"].get("parameters") or {}).get("recipe") or {}).get("kind"):
        said = "这个模型的输入由前后多行算出，不能逐行预测文件，请用 /predict 给出这些输入"
        raise BadInput(errors={"component": [f"{said} / its inputs span rows of a file: call /predict with them"]})
    return row, stable


def run(
    run: JobRun,
    database: Database,
    blobs: Blobs,
    signature_of: SignatureOf,
    predict: Predict,
    finishing: Callable[[Session], None],
) -> Any:
    """The job, tried again while the dataset is still being read. The result names the file by its blob.

    `finishing` stores what belongs to the job's end, in the transaction of that end.
    """
    name, release, dataset_id = run.args["component"], run.args["release"], run.args["dataset"]
    row, table = datasets.table_of(database, blobs, dataset_id)
    signature = signature_of(name, release)
    places = columns_of(table, signature)
    factors = _factors(table, signature, places)
    answers: list[dict[str, Any]] = []
    for start in range(0, table.rows, PART):
        rows = range(start, min(start + PART, table.rows))
        answers += _answered(name, release, predict, _instances(table, signature, places, factors, rows))
        run.progress(0.2 + 0.6 * len(answers) / table.rows, _said(len(answers), table.rows))
    run.progress(0.85, "正在写结果文件 / writing the file")
    lines = _lines(table, answers, with_band=signature.task == "regression")
    content = result_file.xlsx(lines) if row.format == "xlsx" else result_file.csv_with_bom(lines)
    digest = blobs.put(content)
    result = {
        "component": name, "release": release, "dataset": dataset_id, "rows": table.rows,
        "predicted": sum("value" in each for each in answers),
        "out_of_range": sum(each.get("in_range") is False for each in answers),
        "file": {"name": _named(row), "format": row.format, "blob": digest, "size": len(content)},
    }  # fmt: skip
    with run.finish(result) as session:
        current = session.get(Dataset, dataset_id)
        if current is None:
            raise NotFound(kind="dataset", id=dataset_id)
        current.results = [*current.results, digest]
        finishing(session)
    return result


def _said(done: int, rows: int) -> str:
    return f"已预测 {done}/{rows} 行 / {done} of {rows} rows"


def columns_of(table: Table, signature: Signature) -> dict[str, str]:
    """Feature -> column of the file, by name or title. Raises `BadInstances` naming the columns that are missing."""
    by_title = {_form(column): column for column in [*table.columns, *_headers(table)]}
    headers = _headers(table)
    found, missing = {}, []
    for feature in signature.inputs:
        names = (feature.title_zh, feature.title_en, feature.name)
        column = next((by_title[_form(name)] for name in names if _form(name) in by_title), None)
        if column is not None:
            found[feature.name] = headers.get(column, column)
        elif feature.default is None:
            missing.append(feature.title_zh)
    if missing:
        there = "、".join(list(table.columns)[:30])
        said = f"文件里缺少列：{'、'.join(missing[:20])}；文件有：{there} / the file lacks columns that the model needs"
        raise BadInstances(errors={"file": [said]})
    return found


def _headers(table: Table) -> dict[str, str]:
    """Header as it stood in the file -> column."""
    return {header: column for column, header in table.headers.items()}


def _form(name: str) -> str:
    return "".join(name.split()).casefold()


def _factors(table: Table, signature: Signature, places: Mapping[str, str]) -> dict[str, tuple[float, float]]:
    """Factor and offset to the model's unit where the file names another. Raises `BadInstances` for another kind."""
    found, errors = {}, {}
    for feature in signature.inputs:
        unit = table.units.get(places.get(feature.name, ""), "")
        if unit and feature.unit and unit != feature.unit:
            try:
                found[feature.name] = converter(unit, feature.unit)
            except OtherKind as other:
                errors[places[feature.name]] = [str(other)]
    if errors:
        raise BadInstances(errors=errors)
    return found


def _instances(
    table: Table,
    signature: Signature,
    places: Mapping[str, str],
    factors: Mapping[str, tuple[float, float]],
    rows: Sequence[int],
) -> list[tuple[dict[str, Any], list[str]]]:
    """Each row as an instance, and what it lacks."""
    found = []
    for row in rows:
        instance: dict[str, Any] = {}
        lacks = []
        for feature in signature.inputs:
            column = places.get(feature.name)
            value = _value(feature, None if column is None else table.columns[column][row])
            if value is not None:
                factor, offset = factors.get(feature.name, (1.0, 0.0))
                instance[feature.name] = value if isinstance(value, str) else value * factor + offset
            elif feature.default is None:
                lacks.append(column or feature.title_zh)
        found.append((instance, lacks))
    return found


def _value(feature: Feature, value: Value) -> float | str | None:
    if feature.choices:
        plain = value if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else EMPTY
        if plain in feature.choices:
            return plain
        return OTHER if OTHER in feature.choices else None
    return value if isinstance(value, float) else None


def _answered(
    name: str, release: str, predict: Predict, rows: Sequence[tuple[dict[str, Any], list[str]]]
) -> list[dict[str, Any]]:
    whole = [instance for instance, lacks in rows if not lacks]
    answers = iter(_predicted(name, release, predict, whole) if whole else [])
    return [{"lacks": lacks} if lacks else next(answers) for _, lacks in rows]


def _predicted(name: str, release: str, predict: Predict, instances: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All at once; when one of them is refused, by halves, so that one bad cell spoils one row."""
    try:
        yield from predict(name, {"instances": instances, "release": release})["predictions"]
    except BadInstances as refused:
        if len(instances) == 1:
            yield {"lacks": [], "said": "；".join(said for each in refused.errors.values() for said in each)[:300]}
            return
        half = len(instances) // 2
        for part in (instances[:half], instances[half:]):
            yield from _predicted(name, release, predict, part)


def _lines(table: Table, answers: Sequence[Mapping[str, Any]], *, with_band: bool) -> Iterator[list[Cell]]:
    """The header, then each row with its answer."""
    columns = {name: _days(values) for name, values in table.columns.items()}
    added = ["value", *(["low", "high"] if with_band else ["probability"]), "in_range", "warnings"]
    yield [*(table.headers.get(column, column) for column in columns), *added]
    for row, answer in enumerate(answers):
        yield [*(values[row] for values in columns.values()), *_cells(answer, with_band=with_band)]


def _days(values: Sequence[Value]) -> Sequence[Cell]:
    """A column of midnights holds days, and is written so."""
    moments = [value for value in values if isinstance(value, datetime)]
    if not moments or any(value.time() != time.min for value in moments):
        return values
    return [value.date() if isinstance(value, datetime) else value for value in values]


def _cells(answer: Mapping[str, Any], *, with_band: bool) -> list[Value]:
    if "value" not in answer:
        said = answer.get("said") or f"缺少 / missing: {'、'.join(answer['lacks'])}"
        return [None, *([None, None] if with_band else [None]), None, said]
    band = answer.get("interval") or {}
    value = answer["value"]
    share = (answer.get("probabilities") or {}).get(value)
    warnings = "；".join(each.get("message") or each["code"] for each in answer["warnings"])
    return [
        value, *([band.get("low"), band.get("high")] if with_band else [share]),
        "TRUE" if answer["in_range"] and not answer.get("novel") else "FALSE", warnings or None,
    ]  # fmt: skip


def _named(row: Dataset) -> str:
    stem = PurePosixPath(row.name).stem or "data"
    return f"{stem}-predicted-{datetime.now():%Y%m%d}.{row.format}"
