"""From a file to a private component: trained by the worker, checked like any release, called by its owner only."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.models.errors import DoesNotBeatNaive
from services.models.jobs import handlers
from services.models.logic import trainings
from services.models.training.table import Roles, Table
from shared.database import utc_now
from shared.errors import Busy
from shared.identity import Principal
from shared.jobs import turn
from tests.services.callers import FIRM, NOBODY, OTHER, Callers
from tests.services.models.own_data import (
    GUEST,
    OTHER_GUEST,
    energy_csv,
    learnt,
    nobody_else_works,
    ready,
    upload,
    with_train,
    work,
)

pytest.importorskip("python_calamine", reason="the extra `tables` is not installed")
pytest.importorskip("skl2onnx", reason="the extra `train` is not installed")


@pytest.fixture(autouse=True)
def _by_hand(app: Any) -> None:
    nobody_else_works(app)


def train(
    app: Any, callers: Callers, dataset: str, who: Principal = FIRM, learn: Any = None, **asked: Any
) -> dict[str, Any]:
    """The training's job once it has ended."""
    body = {"dataset": dataset, "target": "电量", "title": "定型机电量", **asked}
    accepted = callers.post("/api/v1/trainings", body, who)
    assert accepted.status_code == 202, accepted.get_json()
    work(app, with_train(app, learn) if learn else None)
    job: dict[str, Any] = callers.get(accepted.headers["Location"], who).get_json()
    return job


def component_of(app: Any, callers: Callers, who: Principal = FIRM, learn: Any = learnt) -> tuple[str, str]:
    """A dataset and the private component trained on it."""
    dataset = ready(app, callers, energy_csv(), who)
    job = train(app, callers, dataset, who, learn)
    assert job["state"] == "done", job["problem"]
    assert job["result"]["outcome"] == "published", job["result"]
    return dataset, job["result"]["component"]


def test_a_file_becomes_a_component_that_its_owner_calls_at_once(app: Any, callers: Callers) -> None:
    _, name = component_of(app, callers, learn=None)
    shown = callers.get(f"/api/v1/components/{name}", FIRM).get_json()
    assert (shown["title"], shown["stage"], shown["public"]) == ("定型机电量", "published", False)
    assert [each["title_zh"] for each in shown["signature"]["inputs"]] == ["设备", "产量", "温度"]
    assert shown["signature"]["inputs"][0]["choices"] == ["1号机", "2号机"]
    errors = next(each for each in shown["metrics"] if each["name"] == "mae")
    assert errors["value"] < 0.2 * errors["naive"], "output explains nearly all of it"
    assert len(shown["examples"]) >= 3 and shown["card"]["sections"]
    inputs = [each["name"] for each in shown["signature"]["inputs"]]
    request = {"instances": [dict(zip(inputs, ["2号机", 200, 180], strict=True))]}
    answer = callers.post(f"/api/v1/components/{name}/predict", request, FIRM)
    (prediction,) = answer.get_json()["predictions"]
    assert prediction["value"] == pytest.approx(430, abs=12) and prediction["unit"] == "kWh"
    assert prediction["interval"]["low"] < 430 < prediction["interval"]["high"]
    listed = callers.get("/api/v1/components?size=100", FIRM).get_json()["items"]
    assert name in [each["name"] for each in listed]


def test_to_everybody_else_a_private_component_does_not_exist(app: Any, callers: Callers) -> None:
    dataset, of_firm = component_of(app, callers)
    _, of_guest = component_of(app, callers, GUEST)
    asked = {"instances": [{"x1": "1号机", "x2": 200, "x3": 180}]}
    for owner, name in ((FIRM, of_firm), (GUEST, of_guest)):
        assert callers.post(f"/api/v1/components/{name}/predict", asked, owner).status_code == 200
        for stranger in (NOBODY, OTHER, OTHER_GUEST, *({FIRM, GUEST} - {owner})):
            path = f"/api/v1/components/{name}"
            for method, below, body in (
                ("GET", "", None), ("GET", "/releases", None), ("POST", "/predict", asked),
                ("POST", "/batch", asked), ("POST", "/predict-file", {"dataset": dataset}),
            ):  # fmt: skip
                refused = callers.call(stranger, method, path + below, json=body)
                assert refused.status_code == 404, (stranger, method, below, refused.get_json())
            listed = callers.get("/api/v1/components?size=100", stranger).get_json()["items"]
            assert name not in [each["name"] for each in listed]
    unknown = callers.post("/api/v1/components/no-such/predict", asked, OTHER).get_json()
    assert of_firm not in unknown["detail"] and of_guest not in unknown["detail"]


def test_a_private_component_is_found_in_search_by_its_owner_only(app: Any, callers: Callers) -> None:
    _, name = component_of(app, callers)
    parts = app.extensions["zhigai"].parts
    parts["relay"].drain_all()
    assert name in parts["index"].versions()


def test_noise_ends_as_a_result_that_says_so_and_publishes_nothing(app: Any, callers: Callers) -> None:
    chance = random.Random(9)
    lines = ["速度,温度,废品率"] + [
        f"{chance.gauss(50, 5):.2f},{chance.gauss(180, 5):.1f},{chance.gauss(3, 1):.3f}" for _ in range(150)
    ]
    dataset = ready(app, callers, "\n".join(lines).encode())

    def quickly(table: Table, roles: Roles, progress: trainings.Progress) -> dict[str, Any]:
        from services.models.training.own_data import train

        return train(table, replace(roles, budget_s=3), progress)

    job = train(app, callers, dataset, learn=quickly, target="废品率", title="废品率")
    assert job["state"] == "done", job["problem"]
    result = job["result"]
    assert result["outcome"] == "not_better"
    assert isinstance(result["model"], float) and isinstance(result["naive"], float)
    assert result["rule"]["zh"] and result["advice"]["zh"] and result["advice"]["en"]
    assert not [
        each for each in callers.get("/api/v1/components?size=100", FIRM).get_json()["items"]
        if each["name"].startswith("own-")
    ]  # fmt: skip


def test_what_is_asked_wrongly_is_said_by_field(app: Any, callers: Callers) -> None:
    dataset = ready(app, callers, energy_csv())
    asked = {
        "dataset": dataset, "target": "电流", "title": "t", "features": ["产量", "压力"], "time": "设备", "group": "班组"
    }  # fmt: skip
    refused = callers.post("/api/v1/trainings", asked, FIRM)
    assert refused.status_code == 422
    errors = refused.get_json()["errors"]
    assert set(errors) == {"target", "features.1", "time", "group"}
    assert "电流" in errors["target"][0] and "电量" in errors["target"][0]
    own = {"dataset": dataset, "target": "电量", "title": "t", "features": ["电量", "产量"]}
    assert set(callers.post("/api/v1/trainings", own, FIRM).get_json()["errors"]) == {"features.0"}
    assert callers.post("/api/v1/trainings", {**own, "coverage": 2}, FIRM).status_code == 422
    assert callers.post("/api/v1/trainings", {**own, "template": "no_such", "features": []}, FIRM).status_code == 202
    work(app)


def test_the_same_key_trains_once(app: Any, callers: Callers) -> None:
    dataset = ready(app, callers, energy_csv())
    body = {"dataset": dataset, "target": "电量", "title": "t"}
    first, again = (
        callers.post("/api/v1/trainings", body, FIRM, headers={"Idempotency-Key": "t1"}).get_json() for _ in range(2)
    )
    assert first["id"] == again["id"]
    other = callers.post("/api/v1/trainings", {**body, "title": "u"}, FIRM, headers={"Idempotency-Key": "t1"})
    assert other.status_code == 422


def test_one_owner_cannot_fill_the_queue(app: Any, callers: Callers) -> None:
    dataset = ready(app, callers, energy_csv())
    body = {"dataset": dataset, "target": "电量", "title": "t"}
    answers = [callers.post("/api/v1/trainings", body, FIRM).status_code for _ in range(trainings.MOST_OPEN + 1)]
    assert answers == [202] * trainings.MOST_OPEN + [409]


def test_a_training_that_is_cancelled_stops_at_its_next_word_and_leaves_nothing(app: Any, callers: Callers) -> None:
    dataset = ready(app, callers, energy_csv())
    accepted = callers.post("/api/v1/trainings", {"dataset": dataset, "target": "电量", "title": "t"}, FIRM)
    path = accepted.headers["Location"]
    said: list[dict[str, Any]] = []

    def endless(table: Table, roles: Roles, progress: trainings.Progress) -> dict[str, Any]:
        progress(0.4, "比较模型 / comparing")
        said.append(callers.get(path, FIRM).get_json())
        assert callers.call(FIRM, "DELETE", path).status_code == 202
        while True:
            progress(0.5, "比较模型 / comparing")

    work(app, with_train(app, endless))
    assert (
        said[0]["state"] == "running" and said[0]["message"].startswith("比较模型") and 0.3 < said[0]["progress"] < 0.5
    )
    assert callers.get(path, FIRM).get_json()["state"] == "cancelled"
    assert (
        callers.get("/api/v1/components?size=100", FIRM).get_json()["total"]
        == callers.get("/api/v1/components?size=100", OTHER).get_json()["total"]
    )


def test_an_attempt_after_a_crash_publishes_the_same_component_once(app: Any, callers: Callers) -> None:
    dataset = ready(app, callers, energy_csv())
    accepted = callers.post("/api/v1/trainings", {"dataset": dataset, "target": "电量", "title": "t"}, FIRM)
    names: list[str] = []

    def twice(table: Table, roles: Roles, progress: trainings.Progress) -> dict[str, Any]:
        names.append(roles.name)
        if len(names) == 1:
            raise Busy(what="a crash")
        return learnt(table, roles, progress)

    context = app.extensions["zhigai"]
    all_handlers = {**handlers(context), **with_train(app, twice)}
    for later in (0, 120):
        turn(context.parts["jobs"], all_handlers, utc_now() + timedelta(seconds=later), problems=context.problems)
    job = callers.get(accepted.headers["Location"], FIRM).get_json()
    assert job["state"] == "done", job
    assert names[0] == names[1] == job["result"]["component"]


def test_a_report_is_kept_as_the_result(app: Any, callers: Callers) -> None:
    dataset = ready(app, callers, energy_csv())
    accepted = callers.post("/api/v1/trainings", {"dataset": dataset, "target": "电量", "title": "t"}, FIRM)
    report = {"kind": "report", "template": "energy_baseline", "verdict": {"zh": "尚不能判断", "en": "not yet"}}
    work(app, with_train(app, lambda table, roles, progress: dict(report)))
    result = callers.get(accepted.headers["Location"], FIRM).get_json()["result"]
    assert result["outcome"] == "report" and result["report"] == report


def test_the_figures_of_a_refusal_reach_the_user(app: Any, callers: Callers) -> None:
    dataset = ready(app, callers, energy_csv())
    accepted = callers.post("/api/v1/trainings", {"dataset": dataset, "target": "电量", "title": "t"}, FIRM)

    def refuse(table: Table, roles: Roles, progress: trainings.Progress) -> dict[str, Any]:
        raise DoesNotBeatNaive(
            metric="mae", model=5.1, naive=5.0, rule_zh="总取中位数", rule_en="always the median", low=-0.2, high=0.4,
            rows=40, unit="kWh", advice_zh="再收集 200 行", advice_en="bring 200 more rows",
        )  # fmt: skip

    work(app, with_train(app, refuse))
    result = callers.get(accepted.headers["Location"], FIRM).get_json()["result"]
    assert (result["model"], result["naive"], result["unit"]) == (5.1, 5.0, "kWh")
    assert result["advice"] == {"zh": "再收集 200 行", "en": "bring 200 more rows"}


def predicted(
    app: Any, callers: Callers, name: str, who: Principal = FIRM, **kwargs: Any
) -> tuple[dict[str, Any], Any]:
    accepted = callers.call(who, "POST", f"/api/v1/components/{name}/predict-file", **kwargs)
    assert accepted.status_code == 202, accepted.get_json()
    work(app)
    job = callers.get(accepted.headers["Location"], who).get_json()
    return job, callers.get(f"{accepted.headers['Location']}/result", who)


def test_a_file_comes_back_with_its_answers_and_without_a_formula(app: Any, callers: Callers) -> None:
    _, name = component_of(app, callers)
    lines = [
        "备注,设备,产量(t),温度(℃)",
        "=1+1,2号机,0.2,180",
        "+x,1号机,,180",
        "ok,1号机,9.9,180",
        "ok,1号机,0.15,181",
    ]
    job, result = predicted(app, callers, name, data="\n".join(lines).encode("gb18030"),
                            headers={"X-File-Name": "june.csv", "Content-Type": "text/csv"})  # fmt: skip
    assert job["state"] == "done", job["problem"]
    assert (job["result"]["rows"], job["result"]["predicted"], job["result"]["out_of_range"]) == (4, 3, 1)
    assert result.status_code == 200 and result.data.startswith(b"\xef\xbb\xbf")
    assert "june-" in result.headers["Content-Disposition"] and result.headers["Content-Type"].startswith("text/csv")
    header, *rows = list(csv.reader(io.StringIO(result.data.decode("utf-8-sig"))))
    assert header == ["备注", "设备", "产量(t)", "温度(℃)", "value", "low", "high", "in_range", "warnings"]
    assert rows[0][:4] == ["'=1+1", "2号机", "0.2", "180"]
    assert float(rows[0][4]) == pytest.approx(430, abs=12), "0.2 t are the 200 kg that the model was taught in"
    assert float(rows[0][5]) < float(rows[0][4]) < float(rows[0][6]) and rows[0][7] == "TRUE"
    assert rows[1][4:8] == ["", "", "", ""] and "产量" in rows[1][8] and rows[1][0] == "'+x"
    assert rows[2][7] == "FALSE" and rows[2][8]
    assert callers.get(f"/api/v1/jobs/{job['id']}/result", OTHER).status_code == 404


def test_a_workbook_comes_back_as_a_workbook(app: Any, callers: Callers) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    _, name = component_of(app, callers)
    book = openpyxl.Workbook()
    for row in (["设备", "产量(kg)", "温度(℃)"], ["1号机", 200, 180], ["2号机", 150, 178]):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    data = {"file": (io.BytesIO(out.getvalue()), "六月.xlsx")}
    job, result = predicted(app, callers, name, data=data, content_type="multipart/form-data")
    assert job["state"] == "done", job["problem"]
    rows = list(openpyxl.load_workbook(io.BytesIO(result.data)).active.iter_rows(values_only=True))
    assert rows[0] == ("设备", "产量(kg)", "温度(℃)", "value", "low", "high", "in_range", "warnings")
    assert rows[1][3] == pytest.approx(400, abs=12)


def test_a_dataset_is_predicted_and_its_result_goes_with_it(app: Any, callers: Callers) -> None:
    dataset, name = component_of(app, callers)
    job, result = predicted(app, callers, name, json={"dataset": dataset})
    assert result.status_code == 200
    header, *rows = list(csv.reader(io.StringIO(result.data.decode("utf-8-sig"))))
    assert len(rows) == 200 and header[3] == "电量(kWh)"
    inside = sum(float(row[5]) <= float(row[3]) <= float(row[6]) for row in rows)
    assert inside >= 170, "the band is made to hold nine of ten"
    assert callers.call(FIRM, "DELETE", f"/api/v1/datasets/{dataset}").status_code == 204
    assert callers.get(f"/api/v1/jobs/{job['id']}/result", FIRM).status_code == 404
    assert callers.get(f"/api/v1/components/{name}", FIRM).status_code == 200


def test_a_file_that_lacks_columns_or_has_other_units_is_refused_with_their_names(app: Any, callers: Callers) -> None:
    _, name = component_of(app, callers)
    headers = {"X-File-Name": "x.csv", "Content-Type": "text/csv"}
    job, result = predicted(app, callers, name, data="设备,班次\n1号机,早\n2号机,晚\n".encode(), headers=headers)
    assert job["state"] == "failed" and "产量" in job["problem"]["detail"] and "班次" in job["problem"]["detail"]
    assert result.status_code == 404
    other = "设备,产量(kWh),温度(℃)\n1号机,1,2\n2号机,1,3\n".encode()
    job, _ = predicted(app, callers, name, data=other, headers=headers)
    assert job["state"] == "failed" and "kWh" in job["problem"]["detail"] and "kg" in job["problem"]["detail"]
    tool = callers.call(FIRM, "POST", "/api/v1/components/bolt-preload/predict-file", data=other, headers=headers)
    assert tool.status_code == 400


def test_a_dataset_still_being_read_is_waited_for(app: Any, callers: Callers) -> None:
    _, name = component_of(app, callers)
    later = upload(callers, energy_csv(60)).get_json()["dataset"]["id"]
    job, result = predicted(app, callers, name, json={"dataset": later})
    assert job["state"] == "done" and result.status_code == 200
