"""Training on own data: what is asked is checked against the profile, the worker trains, the model becomes private."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from services.models.errors import DoesNotBeatNaive, TooManyTrainings
from services.models.logic import datasets, publishing
from services.models.logic.shipping import Finding
from services.models.logic.target_warnings import target_warnings
from services.models.store.components import Component
from services.models.store.datasets import Dataset
from services.models.training.table import Roles, Table
from shared.blobs import Blobs
from shared.database import Database
from shared.errors import BadInput
from shared.identity import Principal
from shared.jobs import Job, JobRun, Jobs

JOB = "train"
MOST_OPEN = 5
"""Trainings and file predictions of one owner that wait or run."""
SAID_EVERY_S = 0.5
IN_UNITS = frozenset({"mae", "rmse"})
"""Measures of error in the target's own unit."""
UNUSABLE = frozenset({"constant", "nearly_empty", "id_as_feature"})
LEAKING = frozenset({"leakage_equal", "leakage_sum", "leakage_determines"})

Progress = Callable[[float, str], None]
Train = Callable[[Table, Roles, Progress], dict[str, Any]]
"""`training.own_data.train`: a release as one document, or a report. Raises `DoesNotBeatNaive`, `CannotTrain`."""


def submit(
    database: Database, jobs: Jobs, principal: Principal, asked: Mapping[str, Any], key: str | None = None
) -> Job:
    """Accepts a training. Raises `NotFound`, `DatasetNotReady`, `BadInput` by field, `TooManyTrainings`."""
    row = datasets.ready(database, principal, asked["dataset"])
    _check(row, asked)
    limit_open(jobs, principal)
    return jobs.submit(JOB, {**asked, "owner": principal.owner, "actor": principal.actor}, principal, key)


def limit_open(jobs: Jobs, principal: Principal) -> None:
    if jobs.open_count(principal.owner or "") >= MOST_OPEN:
        raise TooManyTrainings(limit=MOST_OPEN)


def _check(row: Dataset, asked: Mapping[str, Any]) -> None:
    columns = {each["name"]: each for each in (row.profile or {}).get("columns", [])}
    errors: dict[str, list[str]] = {}

    def known(field: str, name: str) -> bool:
        if name in columns:
            return True
        names = "、".join(list(columns)[:30])
        errors[field] = [f"没有列「{name[:60]}」，有：{names} / no such column"]
        return False

    target = asked["target"]
    if known("target", target) and columns[target]["kind"] in ("constant", "empty", "date"):
        kind = columns[target]["kind"]
        errors["target"] = [f"「{target}」是 {kind} 列，不能作为目标 / a {kind} column cannot be the target"]
    for place, name in enumerate(asked["features"]):
        if known(f"features.{place}", name) and name == target:
            errors[f"features.{place}"] = ["目标不能同时是特征 / the target cannot be a feature"]
    if asked["time"] and known("time", asked["time"]) and columns[asked["time"]]["kind"] != "date":
        errors["time"] = [f"「{asked['time']}」不是日期列 / is no column of dates"]
    if asked["group"]:
        known("group", asked["group"])
    if errors:
        raise BadInput(errors=errors)


def features_of(profile: Mapping[str, Any], asked: Mapping[str, Any]) -> tuple[list[str], list[dict[str, str]]]:
    """The features to train with, and which columns were left out for what. A choice of the user's own stands."""
    if asked["features"]:
        return list(asked["features"]), []
    codes: dict[str, str] = {}
    relations = [each for each in profile["relations"] if each["target"] == asked["target"]]
    for relation in relations:
        codes.update(dict.fromkeys(relation["suspects"], f"leakage_{relation['kind']}"))
    for each in profile["warnings"]:
        if each["code"] in UNUSABLE and each["column"]:
            codes.setdefault(each["column"], each["code"])
    roles = {asked["target"], asked["time"], asked["group"]}
    names = [
        each["name"] for each in profile["columns"]
        if each["name"] not in roles and each["kind"] in ("number", "text") and each["name"] not in codes
    ]  # fmt: skip
    left_out = [{"column": name, "code": code} for name, code in codes.items() if name not in roles]
    return names, left_out


def run(
    run: JobRun,
    database: Database,
    blobs: Blobs,
    home: Path,
    train: Train,
    sandbox: Callable[[Path, str], list[Finding]],
) -> Any:
    """The job. A model that is no better than a simple rule is a result, not a failure: nothing is published then."""
    asked = run.args
    run.progress(0.02, "正在打开数据 / opening the data")
    row, table = datasets.table_of(database, blobs, asked["dataset"])
    profile = row.profile or {}
    features, left_out = features_of(profile, asked)
    warnings = target_warnings(profile, asked["target"], features)
    name = component_name(run.job.id)
    roles = Roles(
        target=asked["target"], title=asked["title"], name=name, task=asked["task"], features=tuple(features),
        time=asked["time"], group=asked["group"], template=asked["template"], coverage=asked["coverage"],
        unit=table.units.get(asked["target"], ""), options=asked["options"],
    )  # fmt: skip
    facts = {"dataset": row.id, "target": asked["target"], "title": asked["title"], "features": features,
             "left_out": left_out, "warnings": warnings}  # fmt: skip
    try:
        made = train(table, roles, _paced(run))
    except DoesNotBeatNaive as refused:
        return {"outcome": "not_better", **facts, **_compared(refused, roles)}
    if "model" not in made:
        return {"outcome": "report", **facts, "report": made}
    run.progress(0.92, "正在复核模型 / checking the model")
    content = component_content(asked, row, roles, made)
    release = publishing.checked(content, made, sandbox)
    digest = blobs.put(json.dumps(made, sort_keys=True, ensure_ascii=False).encode("utf-8"))
    result = {"outcome": "published", **facts, "component": name, "release": made["version"],
              "url": f"/components/{name}", "metrics": release.content["metrics"],
              "model_bytes": len(base64.b64decode(made["model"]))}  # fmt: skip
    owner = Principal(organisation=asked["owner"], key_id=asked["actor"])
    with run.finish(result) as session:
        if session.get(Component, name) is None:
            publishing.enter_private(session, owner, content)
        publishing.record(session, name, made["version"], {**release.content, "package": digest}, release.fingerprint)
    publishing.materialise(database, blobs, home)
    return result


def component_name(job_id: str) -> str:
    """Of the job, so that an attempt after a crash makes no second component; nobody can guess it."""
    return f"own-{job_id.rpartition('-')[2]}"


def _paced(run: JobRun) -> Progress:
    """Passes progress on at most twice a second; each time the job may turn out to be cancelled."""
    said_at = 0.0

    def progress(fraction: float, message: str) -> None:
        nonlocal said_at
        now = time.monotonic()
        if now - said_at >= SAID_EVERY_S:
            said_at = now
            run.progress(0.05 + 0.85 * min(max(fraction, 0.0), 1.0), message)

    return progress


def _compared(refused: DoesNotBeatNaive, roles: Roles) -> dict[str, Any]:
    return {
        "metric": refused.metric,
        "model": refused.model,
        "naive": refused.naive,
        "unit": refused.unit or (roles.unit if refused.metric in IN_UNITS else ""),
        "difference": {"low": refused.low, "high": refused.high},
        "rows": refused.rows,
        "rule": {"zh": refused.rule_zh, "en": refused.rule_en},
        "advice": {"zh": refused.advice_zh, "en": refused.advice_en},
        "figures": refused.figures,
    }


def component_content(asked: Mapping[str, Any], row: Dataset, roles: Roles, made: Mapping[str, Any]) -> dict[str, Any]:
    """`component.yaml` of a private model."""
    from services.models.training.own_package import component_file

    target, rows = roles.target, (row.profile or {}).get("rows", 0)
    inputs = made["signature"]["inputs"]
    shown_zh = "、".join(each["title_zh"] for each in inputs[:6]) + ("等" if len(inputs) > 6 else "")
    shown_en = ", ".join(each["title_en"] for each in inputs[:6]) + (" …" if len(inputs) > 6 else "")
    return component_file(
        made,
        roles,
        owner=asked["actor"],
        organisation=asked["owner"],
        aliases={},
        answers={"zh": f"由{shown_zh}预测「{target}」"[:600], "en": f"Predicts “{target}” from {shown_en}"[:1200]},
        summary={
            "zh": f"用自有数据「{row.name}」（{rows} 行）训练的私有模型，只有您能看到和调用。"[:600],
            "en": f"A private model trained on own data “{row.name}” ({rows} rows), seen and called by you only."[
                :1200
            ],
        },
    )
