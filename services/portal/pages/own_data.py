"""Own data: upload, what the platform found in it, choosing a target, training."""

from __future__ import annotations

import secrets
from typing import Any

import flask

from services.portal.client import api
from services.portal.pages import blueprint
from services.portal.pages.own_jobs import work_of
from services.portal.pages.pictures import shown
from services.portal.pages.reading import Page, refused
from services.portal.pages.uploads import upload
from services.portal.reader import here

TEMPLATES = (
    "general", "energy_baseline", "load_forecast", "quality_classifier", "soft_sensor", "failure_risk", "remaining_life",
    "first_pass_yield", "productivity", "anomaly_watch", "drift_aware_recalibration",
)  # fmt: skip
UNUSABLE = frozenset({"constant", "nearly_empty", "id_as_feature"})
_BAR_WIDTH, _BAR_HEIGHT = 4, 24


@blueprint.get("/data")
def own_data() -> Page:
    return _list()


@blueprint.post("/data")
def upload_data() -> Page:
    accepted = upload("/api/v1/datasets")
    if accepted is None or not accepted.ok:
        return _list(None if accepted is None else accepted.body, no_file=accepted is None)
    return flask.redirect(here(f"/data/{accepted.body['dataset']['id']}"), 303)


def _list(problem: dict[str, Any] | None = None, *, no_file: bool = False) -> Page:
    items: list[dict[str, Any]] = []
    if flask.g.guest:
        found = api().get("/api/v1/datasets", size=100)
        items = found.body.get("items", []) if found.ok else []
        problem = problem or (None if found.ok else found.body)
    days = flask.current_app.extensions["zhigai.settings"].guest_data_days
    once = secrets.token_hex(8)
    page = flask.render_template(
        "data.html", section="data", items=items, problem=problem, no_file=no_file, once=once, days=days
    )
    return page, (422 if no_file else (problem or {}).get("status") or 200)


@blueprint.get("/data/<dataset_id>")
def dataset(dataset_id: str) -> Page:
    return _dataset(dataset_id)


def _dataset(dataset_id: str, asked: dict[str, Any] | None = None, problem: dict[str, Any] | None = None) -> Page:
    target = (asked or {}).get("target") or flask.request.args.get("target") or ""
    found = api().get(f"/api/v1/datasets/{dataset_id}", target=target)
    if not found.ok:
        return refused(found)
    body = found.body
    work = None
    if body["state"] == "reading":
        job = api().get(f"/api/v1/jobs/{body['job']}")
        work = work_of(job.body if job.ok else {"id": body["job"], "state": "running", "message": ""})
    columns = [_column(each) for each in body["columns"]]
    page = flask.render_template(
        "dataset.html",
        section="data",
        d=body,
        work=work,
        columns=columns,
        targets=[each for each in columns if each["kind"] in ("number", "text")],
        dates=[each["name"] for each in columns if each["kind"] == "date"],
        groups=[each["name"] for each in columns if each["kind"] == "text"],
        features=_features(body, columns, target),
        templates=TEMPLATES,
        target=target,
        problem=problem,
        asked=asked or {},
        once=secrets.token_hex(8),
    )
    return page, (problem or {}).get("status") or 200


def _features(body: dict[str, Any], columns: list[dict[str, Any]], target: str) -> list[dict[str, Any]]:
    """Columns that may be features, the doubtful ones not ticked and said why."""
    doubts: dict[str, str] = {}
    for each in body["target_warnings"]:
        for name in each["facts"].get("suspects", ()):
            doubts.setdefault(name, each["code"])
    for each in body["warnings"]:
        if each["code"] in UNUSABLE and each["column"]:
            doubts.setdefault(each["column"], each["code"])
    return [
        {**each, "doubt": doubts.get(each["name"], "")}
        for each in columns
        if each["kind"] in ("number", "text") and each["name"] != target
    ]


def _column(each: dict[str, Any]) -> dict[str, Any]:
    """A column with its figures short and its histogram as bars."""
    counts = each.get("histogram") or []
    most = max(counts, default=0)
    bars = [
        {"x": place * _BAR_WIDTH, "height": round(count / most * _BAR_HEIGHT, 1)} for place, count in enumerate(counts)
    ] if most else []  # fmt: skip
    for bar in bars:
        bar["y"] = round(_BAR_HEIGHT - bar["height"], 1)
    names = ("minimum", "median", "maximum")
    return {**each, "bars": bars, "shown": {name: shown(each[name])[:16] for name in names if name in each}}


@blueprint.post("/data/<dataset_id>/train")
def train(dataset_id: str) -> Page:
    form = flask.request.form
    asked: dict[str, Any] = {
        "dataset": dataset_id,
        "target": form.get("target", ""),
        "title": form.get("title", "").strip(),
        "features": form.getlist("features"),
        "time": form.get("time") or None,
        "group": form.get("group") or None,
        "task": form.get("task") or None,
        "template": form.get("template") or None,
    }
    accepted = api().post("/api/v1/trainings", asked)
    if not accepted.ok:
        return _dataset(dataset_id, asked, accepted.body)
    return flask.redirect(here(f"/jobs/{accepted.body['id']}"), 303)


@blueprint.post("/data/<dataset_id>/delete")
def delete_data(dataset_id: str) -> Page:
    gone = api().delete(f"/api/v1/datasets/{dataset_id}")
    return flask.redirect(here("/data"), 303) if gone.ok or gone.status == 404 else refused(gone)
