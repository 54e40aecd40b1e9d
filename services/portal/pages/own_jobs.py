"""Work on own data while it goes on and when it is done: progress, a model, a report, a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import flask

from services.portal.client import api
from services.portal.pages import blueprint
from services.portal.pages.pictures import shown
from services.portal.pages.reading import Page, refused
from services.portal.pages.uploads import upload
from services.portal.reader import here
from shared.errors import DependencyDown

ENDED = frozenset({"done", "failed", "cancelled", "dead"})
_PASSING = (429, 503)
"""The job goes on while nobody can be told how far it is."""
_WIDTH, _HEIGHT = 700, 180
_PASSED_ON = ("content-type", "content-disposition", "content-length")


def work_of(job: Mapping[str, Any]) -> dict[str, Any]:
    """A job as the progress bar shows it."""
    return {**job, "open": job["state"] not in ENDED, "percent": round(100 * float(job.get("progress") or 0))}


@blueprint.get("/jobs/<job_id>")
def own_job(job_id: str) -> Page:
    answer = api().get(f"/api/v1/jobs/{job_id}")
    if not answer.ok and answer.status not in _PASSING:
        return refused(answer)
    job = answer.body if answer.ok else {"id": job_id, "state": "running", "message": answer.body.get("detail", "")}
    work = work_of(job)
    if flask.request.headers.get("X-Partial"):
        return flask.render_template("work.html", work=work)
    result = job.get("result") if isinstance(job.get("result"), Mapping) else {}
    return flask.render_template(
        "own_job.html", section="data", work=work, result=result, report=_report((result or {}).get("report"))
    )


@blueprint.post("/jobs/<job_id>/cancel")
def cancel_own_job(job_id: str) -> Page:
    answer = api().delete(f"/api/v1/jobs/{job_id}")
    # One that ended meanwhile cannot be cancelled: its page shows how it ended.
    if not answer.ok and answer.status != 409:
        return refused(answer)
    return flask.redirect(here(f"/jobs/{job_id}"), 303)


@blueprint.get("/jobs/<job_id>/result")
def own_result(job_id: str) -> Page:
    """The file that a job made, passed on as it comes."""
    try:
        answer = api().stream(f"/api/v1/jobs/{job_id}/result")
    except DependencyDown:
        return flask.render_template("problem.html", body={}), 503
    if answer.status != 200:
        answer.close()
        return flask.abort(404)

    def parts() -> Iterator[bytes]:
        try:
            yield from answer.body
        finally:
            answer.close()

    headers = {name: value for name, value in answer.headers.items() if name.lower() in _PASSED_ON}
    return flask.Response(parts(), headers={**headers, "Cache-Control": "private, no-store"})


@blueprint.post("/components/<name>/predict-file")
def predict_file(name: str) -> Page:
    dataset = flask.request.form.get("dataset", "")
    path = f"/api/v1/components/{name}/predict-file"
    accepted = api().post(path, {"dataset": dataset}) if dataset else upload(path)
    if accepted is None:
        return flask.redirect(here(f"/components/{name}"), 303)
    if not accepted.ok:
        return refused(accepted)
    return flask.redirect(here(f"/jobs/{accepted.body['id']}"), 303)


def _report(report: Any) -> dict[str, Any] | None:
    """A report with its figures short and its series as lines."""
    if not isinstance(report, Mapping):
        return None
    language = flask.g.language
    figures = [
        {
            "title": _in(each.get("title"), language),
            "value": shown(each.get("value")),
            "unit": each.get("unit") or "",
            "band": f"{shown(each['low'])} – {shown(each['high'])}" if "low" in each and "high" in each else "",
        }
        for each in report.get("figures", [])
    ]
    return {
        "title": _in(report.get("title"), language),
        "verdict": _in(report.get("verdict"), language),
        "figures": figures,
        "notes": [_in(each, language) for each in report.get("notes", [])],
        "series": [line for line in (_line(each, language) for each in report.get("series", [])) if line],
    }


def _in(text: Any, language: str) -> str:
    return str(text.get(language) or text.get("zh") or "") if isinstance(text, Mapping) else str(text or "")


def _line(series: Mapping[str, Any], language: str) -> dict[str, Any] | None:
    values = [float(value) for value in series.get("y", [])]
    if len(values) < 2:
        return None
    low, high = min(values), max(values)
    spread = (high - low) or 1.0
    points = " ".join(
        f"{place / (len(values) - 1) * _WIDTH:.1f},{_HEIGHT - (value - low) / spread * _HEIGHT:.1f}"
        for place, value in enumerate(values)
    )
    return {
        "title": _in(series.get("title"), language), "unit": series.get("unit") or "", "points": points,
        "low": shown(low), "high": shown(high), "first": series["x"][0], "last": series["x"][-1],
    }  # fmt: skip
