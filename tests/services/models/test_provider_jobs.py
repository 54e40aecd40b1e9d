"""A batch and a file of a component that is a provider's own service: rows go there in parts, believed in nothing."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from services.models.jobs import handlers
from shared.database import utc_now
from shared.jobs import turn
from tests.services.callers import ADMIN, FIRM, Callers
from tests.services.models.provider_service import (  # noqa: F401 - fixtures are found by their names
    Behave,
    Service,
    answer,
    good,
    jobs_only_by_hand,
    says,
    service_on_loopback,
    settings_with_loopback,
    with_endpoint,
)
from tests.services.models.published import ABOUT, NAME, PROVIDER, asked, move, send, work

PATH = f"/api/v1/components/{NAME}"


@pytest.fixture
def _published(app: Any, callers: Callers, service: Service) -> None:
    assert callers.post("/api/v1/components", {**ABOUT, "kind": "http"}, PROVIDER).status_code == 201
    job = send(app, callers, with_endpoint(service.url), PROVIDER)
    assert job["state"] == "done", job["problem"]
    assert move(callers, "published").status_code == 200


pytestmark = pytest.mark.usefixtures("_published")


def rows(count: int) -> list[dict[str, float]]:
    return [{"thickness": place % 100, "width": 1} for place in range(count)]


def accepted(callers: Callers, body: dict[str, Any]) -> str:
    found = callers.post(f"{PATH}/batch", body)
    assert found.status_code == 202, found.get_json()
    return str(found.headers["Location"])


def file(callers: Callers, text: str, name: str = NAME) -> Any:
    return callers.call(
        FIRM, "POST", f"/api/v1/components/{name}/predict-file",
        data={"file": (io.BytesIO(text.encode()), "june.csv")}, content_type="multipart/form-data",
    )  # fmt: skip


def job_of(callers: Callers, location: str, **kwargs: Any) -> dict[str, Any]:
    found: dict[str, Any] = callers.get(location, FIRM, **kwargs).get_json()
    return found


def later(app: Any, minutes: float) -> None:
    context = app.extensions["zhigai"]
    moment = utc_now() + timedelta(minutes=minutes)
    turn(context.parts["jobs"], handlers(context), now=moment, problems=context.problems)


def sources(callers: Callers) -> dict[str, tuple[int, int, int]]:
    (found,) = callers.get(f"{PATH}/monitoring", ADMIN).get_json()["releases"]
    return {each["source"]: (each["calls"], each["errors"], each["rows_sampled"]) for each in found["sources"]}


def test_a_batch_is_answered_in_order_by_the_service_with_our_range_check(
    app: Any, callers: Callers, service: Service
) -> None:
    sizes: list[int] = []
    ids: set[str | None] = set()

    def listens(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        sizes.append(len(json.loads(body)["instances"]))
        ids.add(handler.headers["X-Request-Id"])
        good(handler, body)

    service.behave = listens
    location = accepted(callers, {"instances": [*rows(1099), {"thickness": 500, "width": 1}]})
    work(app)
    job = job_of(callers, location)
    assert job["state"] == "done", job["problem"]
    predictions = job["result"]["predictions"]
    assert [each["value"] for each in predictions] == [2 * (place % 100) + 3 for place in range(1099)] + [1003]
    assert predictions[0] == {"value": 3, "unit": "h", "in_range": True, "warnings": []}
    assert predictions[-1]["in_range"] is False and predictions[-1]["warnings"][0]["limit"] == 100
    assert sum(sizes) == 1100 and len(sizes) > 1
    assert ids == {job["id"]}, "the provider can tell which job asks"
    assert sources(callers) == {"batch": (1, 0, 1100)}, "a job is one call and each of its rows a row"


def test_a_file_comes_back_with_the_answers_of_the_service(app: Any, callers: Callers, service: Service) -> None:
    asked_before = service.asked
    lines = [*(f"{place},1" for place in range(200)), "500,1", ",7", "1e300,1"]
    found = file(callers, "\n".join(["thickness,width", *lines]) + "\n")
    assert found.status_code == 202, found.get_json()
    work(app)
    job = job_of(callers, found.headers["Location"])
    assert job["state"] == "done", job["problem"]
    result = callers.get(f"{found.headers['Location']}/result", FIRM)
    table = list(csv.DictReader(io.StringIO(result.data.decode("utf-8-sig"))))
    assert [float(each["value"]) for each in table[:201]] == [2 * place + 3 for place in range(200)] + [1003]
    assert (table[5]["in_range"], table[200]["in_range"]) == ("TRUE", "FALSE")
    assert table[201]["value"] == "" and "thickness" in table[201]["warnings"]
    assert table[202]["value"] == "" and "finite" in table[202]["warnings"], "one bad cell spoils one row"
    assert service.asked - asked_before < 20, "and the others are still sent together"


@pytest.mark.parametrize("wrong", [says(b"{}", status=500), says(b'{"predictions":[]}'), says(b"x", kind="text/html")])
def test_a_service_that_is_away_is_asked_again_and_then_the_job_says_so_in_both_languages(
    app: Any, callers: Callers, service: Service, wrong: Behave
) -> None:
    service.behave = wrong
    location = accepted(callers, {"instances": rows(3)})
    work(app)
    assert job_of(callers, location)["state"] == "queued", "what may pass is tried again"
    service.behave = good
    later(app, 5)
    assert job_of(callers, location)["state"] == "done"
    service.behave = wrong
    location = accepted(callers, {"instances": rows(3)})
    for attempt in range(20):
        later(app, 10 + 10 * attempt)
    job = job_of(callers, location)
    assert (job["state"], job["problem"]["type"]) in [
        ("failed", "/problems/endpoint-failed"), ("failed", "/problems/dependency-down")
    ]  # fmt: skip
    english = job_of(callers, location, headers={"Accept-Language": "en"})["problem"]
    assert NAME in job["problem"]["detail"] and NAME in english["detail"]
    assert job["problem"]["title"] != english["title"]


def test_a_part_that_fails_is_no_half_of_an_answer(app: Any, callers: Callers, service: Service) -> None:
    asked_of = [0]

    def second_fails(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        asked_of[0] += 1
        if asked_of[0] == 2:
            answer(handler, b"{}", status=503)
        else:
            good(handler, body)

    service.behave = second_fails
    location = accepted(callers, {"instances": rows(1000)})
    work(app)
    assert job_of(callers, location)["state"] == "queued"
    later(app, 5)
    job = job_of(callers, location)
    assert job["state"] == "done" and len(job["result"]["predictions"]) == 1000
    assert sources(callers) == {"batch": (1, 0, 1000)}


def test_a_fault_is_named_by_its_place_in_the_whole_batch(app: Any, callers: Callers, service: Service) -> None:
    location = accepted(callers, {"instances": [*rows(800), {"thickness": "much", "width": 1}]})
    work(app)
    job = job_of(callers, location)
    assert job["state"] == "failed"
    assert list(job["problem"]["errors"]) == ["instances.800.thickness"]


def test_what_no_job_can_answer_is_refused_before_there_is_one(callers: Callers) -> None:
    refused = callers.post(f"{PATH}/batch", {**asked(1, 2), "history": [{"thickness": 1}]})
    assert refused.status_code == 422 and list(refused.get_json()["errors"]) == ["history"]
    before = callers.get("/api/v1/datasets", FIRM).get_json()["total"]
    tool = file(callers, "thickness,width\n1,2\n", name="bolt-preload")
    assert tool.status_code == 400 and "/predict" in tool.get_json()["detail"]
    assert callers.get("/api/v1/datasets", FIRM).get_json()["total"] == before, "and its file is not kept"
