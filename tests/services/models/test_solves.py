"""A tool that takes long: 202 with a job of the caller, checked at once, computed by the worker, cancelled on demand."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from services.models.inference.release import SHIPPED, open_release
from services.models.jobs import handlers
from shared.identity import Principal
from shared.jobs import turn
from tests.services.callers import FIRM, NOBODY, OTHER, Callers

NAME = "line-balance"
PREDICT = f"/api/v1/components/{NAME}/predict"
GUEST = Principal(guest="gst-1234")
BALANCE = {
    "operations": [
        {"operation": "a", "seconds": 4},
        {"operation": "b", "seconds": 3, "after": "a"},
        {"operation": "c", "seconds": 2, "after": "b"},
    ],
    "demand": 4114,
    "shift_s": 28800,
    "seconds": 10,
}
HARD = {
    "operations": [
        {"job": f"J{job}", "machine": f"M{(job * step + 3 * step) % 11}", "minutes": 1 + (job * 17 + step * 29) % 40}
        for job in range(45)
        for step in range(1, 11)
    ],
    "seconds": 60,
}


def worked(app: Any) -> Any:
    """One turn of a worker."""
    context = app.extensions["zhigai"]
    return turn(context.parts["jobs"], handlers(context), problems=context.problems)


def ended(app: Any, callers: Callers, location: str, who: Principal = FIRM) -> Any:
    """The job once it has ended, whether this worker did it or the one that the bell starts in the home."""
    waits = threading.Event()
    for _ in range(600):
        job = callers.get(location, who).get_json()
        if job["state"] not in ("queued", "running"):
            return job
        if worked(app) is None:
            waits.wait(0.1)
    raise AssertionError("the job does not end")


@pytest.mark.parametrize("who", [FIRM, GUEST], ids=["firm", "guest"])
def test_a_call_becomes_a_job_whose_result_is_the_usual_answer(app: Any, callers: Callers, who: Principal) -> None:
    accepted = callers.post(PREDICT, {"instances": [BALANCE]}, who)
    assert accepted.status_code == 202
    location = accepted.headers["Location"]
    assert location == f"/api/v1/jobs/{accepted.get_json()['id']}"
    assert accepted.get_json()["state"] == "queued"
    assert callers.get(location, OTHER).status_code == 404
    job = ended(app, callers, location, who)
    assert (job["state"], job["progress"]) == ("done", 1)
    result = job["result"]
    assert (result["component"], result["release"]) == (NAME, "1.0.0")
    (prediction,) = result["predictions"]
    assert {"value", "unit", "outputs", "in_range", "warnings", "notes", "chart", "tables"} <= set(prediction)
    assert (prediction["value"], prediction["outputs"]["cycle_s"]["value"]) == (2, 5)
    table = prediction["tables"][0]
    assert all(len(row) == len(table["columns"]) for row in table["rows"])
    assert callers.get(location, OTHER).status_code == 404


def test_the_notes_speak_the_language_of_the_call(app: Any, callers: Callers) -> None:
    accepted = callers.post(PREDICT, {"instances": [BALANCE]}, headers={"Accept-Language": "en"})
    job = ended(app, callers, accepted.headers["Location"])
    assert "stations" in job["result"]["predictions"][0]["notes"][0]


def test_a_caller_to_whom_no_job_can_belong_is_told_how_to_get_one(callers: Callers) -> None:
    answer = callers.post(PREDICT, {"instances": [BALANCE]}, NOBODY)
    assert answer.status_code == 401
    assert "/api/v1/guests" in answer.get_json()["detail"]


def test_a_bad_cell_is_refused_at_once_by_its_path(callers: Callers) -> None:
    wrong = {**BALANCE, "operations": [*BALANCE["operations"], {"operation": "d", "seconds": "long"}]}
    answer = callers.post(PREDICT, {"instances": [wrong]})
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == ["instances.0.operations.3.seconds"]


@pytest.mark.parametrize(("count", "status"), [(5, 202), (6, 422)])
def test_a_call_holds_at_most_five_problems(callers: Callers, count: int, status: int) -> None:
    body = {"instances": [BALANCE] * count}
    assert callers.post(PREDICT, body).status_code == status
    assert callers.post(f"/api/v1/components/{NAME}/batch", body).status_code == status


def test_what_the_solver_refuses_fails_the_job_in_words(app: Any, callers: Callers) -> None:
    ring = {**BALANCE, "operations": [{"operation": "a", "seconds": 1, "after": "b"}, {"operation": "b", "seconds": 1, "after": "a"}]}  # fmt: skip
    accepted = callers.post(PREDICT, {"instances": [ring]})
    job = ended(app, callers, accepted.headers["Location"])
    assert job["state"] == "failed"
    assert "成环" in job["problem"]["errors"]["instances.0"][0]


def test_a_repeated_call_with_its_key_is_one_job(callers: Callers) -> None:
    first, again = (
        callers.post(PREDICT, {"instances": [BALANCE]}, headers={"Idempotency-Key": "k1"}) for _ in range(2)
    )
    assert first.headers["Location"] == again.headers["Location"]


def test_a_guest_has_two_jobs_open_at_most(callers: Callers) -> None:
    for status in (202, 202, 503):
        answer = callers.post(PREDICT, {"instances": [BALANCE]}, GUEST)
        assert answer.status_code == status
    assert answer.headers["Retry-After"]
    assert callers.post(PREDICT, {"instances": [BALANCE]}, Principal(guest="gst-5678")).status_code == 202


def test_a_job_that_waits_is_cancelled_at_once(app: Any, callers: Callers) -> None:
    location = callers.post(PREDICT, {"instances": [BALANCE]}).headers["Location"]
    assert callers.call(FIRM, "DELETE", location).status_code == 202
    assert callers.get(location, FIRM).get_json()["state"] == "cancelled"
    assert worked(app) is None


def test_a_search_that_runs_says_how_far_it_is_and_stops_when_cancelled(app: Any, callers: Callers) -> None:
    location = callers.post("/api/v1/components/job-shop-schedule/predict", {"instances": [HARD]}).headers["Location"]
    worker = threading.Thread(target=lambda: worked(app))
    worker.start()
    waits = threading.Event()
    job = callers.get(location, FIRM).get_json()
    while job["state"] in ("queued", "running") and not job["message"]:
        waits.wait(0.1)
        job = callers.get(location, FIRM).get_json()
    assert job["state"] == "running"
    assert 0 <= job["progress"] < 1
    assert callers.call(FIRM, "DELETE", location).status_code == 202
    worker.join(timeout=60)
    assert ended(app, callers, location)["state"] == "cancelled"


def test_the_component_tells_that_it_is_a_job_and_what_its_table_holds(callers: Callers) -> None:
    found = callers.get(f"/api/v1/components/{NAME}").get_json()
    assert found["cost"] == "job"
    (table,) = [each for each in found["signature"]["inputs"] if each["datatype"] == "TABLE"]
    assert [column["name"] for column in table["columns"]] == ["operation", "seconds", "after"]
    assert callers.get("/api/v1/components/bolt-preload").get_json()["cost"] == "formula"


def test_the_command_line_computes_it_directly() -> None:
    root = Path(__file__).parents[3]
    command = [
        sys.executable,
        "-m",
        "zhigai",
        "predict",
        NAME,
        "--example",
        open_release([SHIPPED], NAME).examples[0]["name"],
    ]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert '"stations"' in done.stdout


def test_neither_the_serving_process_nor_the_runner_imports_the_solver() -> None:
    root = Path(__file__).parents[3]
    script = (
        "import sys, services.models.app\n"
        "from services.models.inference.frames import PREDICT, Ask\n"
        "from services.models.inference.release import SHIPPED\n"
        "assert 'ortools' not in sys.modules\n"
        "from services.models.inference.runner.engine import Engine\n"
        'reply = Engine([SHIPPED]).answer(Ask(1, PREDICT, \'job-shop-schedule\', body=b\'{"instances":[{"operations":'
        '[{"job":"a","machine":"m","minutes":1}]}]}\'))\n'
        "assert reply.status == 202, reply.body\n"
        "assert 'ortools' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=root, env={"PYTHONPATH": str(root)})
