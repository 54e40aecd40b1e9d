"""A component that is computed as a job: sent off, its progress shown, its answer at the same address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flask

from services.portal.client import ApiAnswer, api
from services.portal.pages import blueprint
from services.portal.pages.answers import shown_answer
from services.portal.pages.reading import Page, refused
from services.portal.reader import here

_PASSING = (429, 503)
"""The job goes on while nobody can be told how far it is."""


@blueprint.get("/components/<name>/jobs/<job_id>")
def solving(name: str, job_id: str) -> Page:
    found = api().get(f"/api/v1/components/{name}")
    if not found.ok:
        return refused(found)
    answer = api().get(f"/api/v1/jobs/{job_id}")
    if not answer.ok and answer.status not in _PASSING:
        return refused(answer)
    job = answer.body if answer.ok else {"id": job_id, "state": "running", "message": answer.body.get("detail", "")}
    return _page(found.body, job, "job.html" if flask.request.headers.get("X-Partial") else "job_page.html")


@blueprint.post("/components/<name>/jobs/<job_id>")
def cancel(name: str, job_id: str) -> Page:
    answer = api().delete(f"/api/v1/jobs/{job_id}")
    # One that ended meanwhile cannot be cancelled: its page shows how it ended.
    if not answer.ok and answer.status != 409:
        return refused(answer)
    return flask.redirect(_job_page(name, job_id), 303)


def begun(component: Mapping[str, Any], answer: ApiAnswer) -> Page:
    """What the form shows once its job is accepted: in place, or the job's own page."""
    if flask.request.headers.get("X-Partial"):
        return _page(component, answer.body, "job.html")
    return flask.redirect(_job_page(component["name"], answer.body["id"]), 303)


def _page(component: Mapping[str, Any], job: Mapping[str, Any], template: str) -> str:
    answer = None
    if job.get("state") == "done" and isinstance(job.get("result"), Mapping):
        answer = shown_answer(component, ApiAnswer(200, dict(job["result"]), {}))
    elif job.get("problem"):
        answer = shown_answer(component, ApiAnswer(422, dict(job["problem"]), {}))
    return flask.render_template(template, section="components", c=component, job=job, answer=answer, brief=False)


def _job_page(name: str, job_id: str) -> str:
    return here(f"/components/{name}/jobs/{job_id}")
