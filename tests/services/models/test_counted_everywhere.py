"""Calls of every kind are counted once each by one rule: of runners, of batches, of files, of providers' services."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.models.errors import ModelFailed
from services.models.inference.counts import Counts
from services.models.inference.standing import Standings
from services.models.jobs import handlers
from services.models.logic import batches, job_counts
from services.models.logic.keeping import Keeper
from shared.database import utc_now
from shared.errors import Busy
from shared.jobs import turn
from tests.services.callers import ADMIN, FIRM, Callers
from tests.services.models.provider_service import (  # noqa: F401 - fixtures are found by their names
    Service,
    jobs_only_by_hand,
    says,
    service_on_loopback,
    settings_with_loopback,
    with_endpoint,
)
from tests.services.models.published import ABOUT, FEATURES, NAME, PROVIDER, asked, move, publish, release, send, work
from tests.services.models.test_monitoring import call, even, trained

PATH = f"/api/v1/components/{NAME}"


def instances(rows: list[tuple[float, float]]) -> list[dict[str, float]]:
    return [dict(zip(FEATURES, row, strict=True)) for row in rows]


def batch(app: Any, callers: Callers, rows: list[tuple[float, float]], path: str = PATH) -> dict[str, Any]:
    accepted = callers.post(f"{path}/batch", {"instances": instances(rows)})
    assert accepted.status_code == 202, accepted.get_json()
    work(app)
    job: dict[str, Any] = callers.get(accepted.headers["Location"], FIRM).get_json()
    return job


def file(app: Any, callers: Callers, lines: list[str]) -> dict[str, Any]:
    content = ("\n".join(["thickness,width", *lines]) + "\n").encode()
    accepted = callers.call(
        FIRM, "POST", f"{PATH}/predict-file", data={"file": (io.BytesIO(content), "june.csv")},
        content_type="multipart/form-data",
    )  # fmt: skip
    assert accepted.status_code == 202, accepted.get_json()
    work(app)
    job: dict[str, Any] = callers.get(accepted.headers["Location"], FIRM).get_json()
    assert job["state"] == "done", job["problem"]
    return job


def usage(callers: Callers) -> dict[str, Any]:
    (found,) = callers.get(f"{PATH}/monitoring", ADMIN).get_json()["releases"]
    return dict(found)


def by_source(found: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
    return {each["source"]: (each["calls"], each["errors"], each["rows_sampled"]) for each in found["sources"]}


def test_a_batch_and_a_file_are_a_call_each_and_every_row_of_theirs_a_row(app: Any, callers: Callers) -> None:
    publish(app, callers, release(reference=trained()))
    call(callers, [(1, 1), (500, 1)])
    # More than one part of a batch, and far more than the rows that are looked at of an online call.
    assert batch(app, callers, [*even(697), (500, 1), (500, 2), (500, 3)])["state"] == "done"
    file(app, callers, [*(f"{one},{other}" for one, other in even(96)), "500,1", "500,1", "500,1", "500,1", ",7"])
    found = usage(callers)
    assert by_source(found) == {"online": (1, 0, 2), "batch": (1, 0, 700), "file": (1, 0, 100)}
    assert (found["calls"], found["errors"], found["rows_sampled"]) == (3, 0, 802)
    assert found["out_of_range_share"] == pytest.approx(8 / 802, rel=1e-4)
    shares = {each["source"]: each["out_of_range_share"] for each in found["sources"]}
    assert shares == {"online": 0.5, "batch": pytest.approx(3 / 700, rel=1e-4), "file": 0.04}
    assert {each["feature"]: (each["rows"], each["verdict"]) for each in found["drift"]} == {
        "thickness": (802, "stable"), "width": (802, "stable")
    }  # fmt: skip
    assert found["prediction_drift"]["rows"] == 802
    assert usage(callers) == found, "looking again counts nothing again"


def test_inputs_that_moved_are_seen_when_they_come_in_a_batch_alone(app: Any, callers: Callers) -> None:
    publish(app, callers, release(reference=trained()))
    batch(app, callers, even(400, 70, 100))
    found = usage(callers)
    assert {each["feature"]: each["verdict"] for each in found["drift"] if each["feature"]} == {
        "thickness": "moved", "width": "stable"
    }  # fmt: skip
    assert (found["p50_ms"], found["p99_ms"]) == (None, None), "the time of a job is none of a call"


def test_a_job_tried_again_is_counted_once(app: Any, callers: Callers, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(app, callers, release())
    accepted = callers.post(f"{PATH}/batch", {"instances": instances(even(20))})
    context = app.extensions["zhigai"]
    whole = batches.run

    def busy(*args: Any) -> Any:
        whole(*args)
        raise Busy(what="test", retry_after_s=1)

    monkeypatch.setattr(batches, "run", busy)
    turn(context.parts["jobs"], handlers(context), problems=context.problems)
    assert by_source(usage(callers)) == {"batch": (1, 0, 20)}
    monkeypatch.setattr(batches, "run", whole)
    job = callers.get(accepted.headers["Location"], FIRM).get_json()
    assert job["state"] == "queued"
    turn(context.parts["jobs"], handlers(context), now=utc_now() + timedelta(minutes=5), problems=context.problems)
    assert callers.get(accepted.headers["Location"], FIRM).get_json()["state"] == "done"
    assert by_source(usage(callers)) == {"batch": (1, 0, 20)}


def test_a_job_that_fails_is_a_call_and_an_error_only_when_the_model_is_to_blame(
    app: Any, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(app, callers, release())
    accepted = callers.post(f"{PATH}/batch", {"instances": [{"thickness": "much", "width": 1}]})
    work(app)
    assert callers.get(accepted.headers["Location"], FIRM).get_json()["state"] == "failed"
    assert by_source(usage(callers)) == {"batch": (1, 0, 0)}

    def fails(*_: Any) -> Any:
        raise ModelFailed(component=NAME, reason="test")

    monkeypatch.setattr(job_counts, "predict", fails)
    assert batch(app, callers, even(3))["state"] == "failed"
    assert by_source(usage(callers)) == {"batch": (2, 1, 0)}


def test_a_batch_of_a_tool_is_counted_with_its_rows(app: Any, callers: Callers) -> None:
    path = "/api/v1/components/stenter-heat-balance"
    example = callers.get(path).get_json()["examples"][0]["request"]["instances"][0]
    accepted = callers.post(f"{path}/batch", {"instances": [example] * 3})
    work(app)
    assert callers.get(accepted.headers["Location"], FIRM).get_json()["state"] == "done"
    (found,) = callers.get(f"{path}/monitoring", ADMIN).get_json()["releases"]
    assert by_source(found) == {"batch": (1, 0, 3)}


def test_calls_of_a_providers_own_service_are_counted(app: Any, callers: Callers, service: Service) -> None:
    assert callers.post("/api/v1/components", {**ABOUT, "kind": "http"}, PROVIDER).status_code == 201
    job = send(app, callers, with_endpoint(service.url, reference=trained()), PROVIDER)
    assert job["state"] == "done", job["problem"]
    move(callers, "published")
    assert callers.get(f"{PATH}/monitoring", PROVIDER).get_json()["releases"] == [], "a check is no call"
    for place in range(10):
        call(callers, even(400, 70, 100)[place * 40 : place * 40 + 40])
    call(callers, [(500, 1)])
    assert callers.post(f"{PATH}/predict", asked(1, 1, nonsense=1)).status_code == 422
    service.behave = says(b"{}", status=500)
    assert callers.post(f"{PATH}/predict", asked(1, 1)).status_code == 502
    found = usage(callers)
    assert by_source(found) == {"http": (13, 1, 401)}
    assert found["out_of_range_share"] == pytest.approx(1 / 401, rel=1e-4)
    verdicts = {each["feature"]: each["verdict"] for each in found["drift"]}
    assert (verdicts["thickness"], verdicts["width"]) == ("moved", "stable")
    assert found["p50_ms"] is not None


def test_a_large_call_of_a_service_is_sampled_as_one_of_a_model_is(
    app: Any, callers: Callers, service: Service
) -> None:
    assert callers.post("/api/v1/components", {**ABOUT, "kind": "http"}, PROVIDER).status_code == 201
    assert send(app, callers, with_endpoint(service.url), PROVIDER)["state"] == "done"
    move(callers, "published")
    call(callers, even(1000))
    assert by_source(usage(callers))["http"] == (1, 0, -(-1000 // 16))


def test_two_that_collect_at_once_count_nothing_twice(app: Any, callers: Callers, tmp_path: Path) -> None:
    publish(app, callers, release())
    counts = Counts(NAME, "1.0.0", {})
    counts.calls = 1

    def one_call() -> dict[str, Any]:
        return {"observed": [counts.as_json()], "logged": []}

    parts = app.extensions["zhigai"].parts
    standings = Standings(tmp_path / "standings.json")
    keeper = Keeper(parts["database"], parts["blobs"], parts["jobs"], tmp_path, standings, parts["runner"], one_call)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: keeper.collect(), range(40)))
    assert usage(callers)["calls"] == 40
