"""Own data: taken whole, read by the worker in a process of its own, seen by its owner only, forgotten in time."""

from __future__ import annotations

import hashlib
import io
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from services.models.api import uploads
from services.models.logic import datasets
from shared.database import utc_now
from shared.identity import Principal
from tests.services.callers import FIRM, NOBODY, OTHER, Callers
from tests.services.models.own_data import GUEST, OTHER_GUEST, energy_csv, nobody_else_works, ready, upload, work

pytest.importorskip("python_calamine", reason="the extra `tables` is not installed")


@pytest.fixture(autouse=True)
def _by_hand(app: Any) -> None:
    nobody_else_works(app)


def test_a_gbk_file_becomes_a_dataset_with_its_profile(app: Any, callers: Callers) -> None:
    content = energy_csv()
    accepted = upload(callers, content)
    assert accepted.status_code == 202
    body = accepted.get_json()
    assert accepted.headers["Location"] == f"/api/v1/jobs/{body['id']}"
    assert body["dataset"]["state"] == "reading"
    work(app)
    job = callers.get(accepted.headers["Location"], FIRM).get_json()
    assert (job["state"], job["result"]["rows"], job["result"]["columns"]) == ("done", 200, 4)
    path = f"/api/v1/datasets/{body['dataset']['id']}"
    found = callers.get(path, FIRM)
    shown = found.get_json()
    assert (shown["state"], shown["rows"], shown["format"], shown["name"]) == ("ready", 200, "csv", "能耗.csv")
    assert (shown["size"], shown["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert [each["unit"] for each in shown["columns"]] == ["", "kg", "°C", "kWh"]
    assert shown["warnings"] == []
    assert callers.call(FIRM, "GET", path, headers={"If-None-Match": found.headers["ETag"]}).status_code == 304
    listed = callers.get("/api/v1/datasets", FIRM).get_json()
    assert (listed["total"], listed["items"][0]["id"]) == (1, shown["id"])


def test_a_bare_body_with_its_name_in_a_header_is_the_same_upload(app: Any, callers: Callers) -> None:
    headers = {"X-File-Name": quote("..\\报表/五月 能耗.csv"), "Content-Type": "text/csv"}
    accepted = callers.call(FIRM, "POST", "/api/v1/datasets", data=energy_csv(), headers=headers)
    assert accepted.get_json()["dataset"]["name"] == "五月 能耗.csv"
    work(app)
    assert callers.get(accepted.headers["Content-Location"], FIRM).get_json()["rows"] == 200
    without = callers.call(FIRM, "POST", "/api/v1/datasets", data=b"a,b\n1,2\n", headers={"Content-Type": "text/csv"})
    assert without.status_code == 422 and "X-File-Name" in without.get_json()["errors"]


def test_a_body_cut_short_is_never_stored(app: Any, callers: Callers) -> None:
    content = energy_csv()
    headers = {"X-File-Name": "a.csv", "Content-Type": "text/csv"}
    environ = {"wsgi.input_terminated": True, "CONTENT_LENGTH": str(len(content) + 100)}
    cut = callers.call(
        FIRM, "POST", "/api/v1/datasets", input_stream=io.BytesIO(content), headers=headers, environ_overrides=environ
    )
    assert cut.status_code == 400 and cut.get_json()["type"] == "/problems/body-cut"
    whole = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\na,b\n1,2\n'
    half = callers.call(FIRM, "POST", "/api/v1/datasets", data=whole, content_type="multipart/form-data; boundary=x")
    assert half.status_code in (400, 422)
    wrong = upload(callers, content, headers={"X-File-Sha256": "0" * 64})
    assert wrong.status_code == 422 and "X-File-Sha256" in wrong.get_json()["errors"]
    assert callers.get("/api/v1/datasets", FIRM).get_json()["total"] == 0


def test_too_large_and_empty_files_are_refused(app: Any, callers: Callers, monkeypatch: pytest.MonkeyPatch) -> None:
    assert uploads.UPLOAD_BYTES == 64 * 1024 * 1024
    monkeypatch.setattr(uploads, "UPLOAD_BYTES", 10_000)
    assert upload(callers, b"a" * 20_000).status_code == 413
    headers = {"X-File-Name": "a.csv", "Content-Type": "text/csv"}
    large = callers.call(FIRM, "POST", "/api/v1/datasets", data=b"a" * 20_000, headers=headers)
    assert large.status_code == 413 and "10000" in large.get_json()["detail"]
    assert upload(callers, b"").status_code == 422
    as_json = callers.post("/api/v1/datasets", {"a": 1}, FIRM)
    assert as_json.status_code == 415 and "multipart/form-data" in as_json.get_json()["detail"]


def test_a_form_takes_a_file_of_many_pieces(app: Any, callers: Callers) -> None:
    content = energy_csv(20_000)
    assert len(content) > 400_000
    accepted = upload(callers, content)
    assert accepted.status_code == 202, accepted.get_json()
    assert accepted.get_json()["dataset"]["size"] == len(content)


def test_the_same_key_uploads_once(app: Any, callers: Callers) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = upload(callers, energy_csv(), headers=headers)
    again = upload(callers, energy_csv(), headers=headers)
    assert again.get_json()["dataset"]["id"] == first.get_json()["dataset"]["id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert callers.get("/api/v1/datasets", FIRM).get_json()["total"] == 1
    other = upload(callers, energy_csv(100), headers=headers)
    assert other.status_code == 422 and other.get_json()["type"] == "/problems/idempotency-mismatch"


def test_a_file_that_is_no_table_fails_with_its_reason(app: Any, callers: Callers) -> None:
    accepted = upload(callers, b"\xd0\xcf\x11\xe0" + b"0" * 600, name="old.xls")
    work(app)
    job = callers.get(accepted.headers["Location"], FIRM).get_json()
    assert job["state"] == "failed" and ".xlsx" in job["problem"]["detail"]
    dataset = callers.get(accepted.headers["Content-Location"], FIRM).get_json()
    assert dataset["state"] == "failed" and ".xlsx" in dataset["problem"]
    asked = {"dataset": dataset["id"], "target": "a", "title": "t"}
    refused = callers.post("/api/v1/trainings", asked, FIRM)
    assert refused.status_code == 409 and "failed" in refused.get_json()["detail"]


def test_nobody_but_the_owner_learns_that_a_dataset_exists(app: Any, callers: Callers) -> None:
    of_firm = ready(app, callers, energy_csv())
    of_guest = ready(app, callers, energy_csv(), GUEST)
    for owner, dataset in ((FIRM, of_firm), (GUEST, of_guest)):
        path = f"/api/v1/datasets/{dataset}"
        assert callers.get(path, owner).status_code == 200
        for stranger in (NOBODY, OTHER, OTHER_GUEST, *({FIRM, GUEST} - {owner})):
            assert callers.get(path, stranger).status_code == 404
            assert callers.call(stranger, "DELETE", path).status_code == 404
            asked = {"dataset": dataset, "target": "电量", "title": "t"}
            assert callers.post("/api/v1/trainings", asked, stranger).status_code == 404
            body = {"dataset": dataset}
            assert callers.post("/api/v1/components/steel-plate-faults/predict-file", body, stranger).status_code == 404
        assert callers.get("/api/v1/datasets", owner).get_json()["total"] == 1
    assert callers.get("/api/v1/datasets", OTHER).get_json()["total"] == 0
    assert upload(callers, energy_csv(), NOBODY).status_code == 401


def test_a_deleted_dataset_is_gone_with_its_bytes_unless_another_owner_has_the_same(app: Any, callers: Callers) -> None:
    blobs = app.extensions["zhigai"].parts["blobs"]
    mine, theirs = ready(app, callers, energy_csv()), ready(app, callers, energy_csv(), OTHER)
    digest = hashlib.sha256(energy_csv()).hexdigest()
    assert callers.call(FIRM, "DELETE", f"/api/v1/datasets/{mine}").status_code == 204
    assert callers.get(f"/api/v1/datasets/{mine}", FIRM).status_code == 404
    assert blobs.get(digest) == energy_csv()
    assert callers.call(OTHER, "DELETE", f"/api/v1/datasets/{theirs}").status_code == 204
    with pytest.raises(Exception, match="NotFound"):
        blobs.get(digest)


def test_a_dataset_deleted_before_it_is_read_leaves_nothing(app: Any, callers: Callers) -> None:
    accepted = upload(callers, energy_csv())
    dataset = accepted.get_json()["dataset"]["id"]
    assert callers.call(FIRM, "DELETE", f"/api/v1/datasets/{dataset}").status_code == 204
    work(app)
    job = callers.get(accepted.headers["Location"], FIRM).get_json()
    assert job["state"] == "failed" and job["problem"]["status"] == 404


def test_what_guests_uploaded_is_deleted_after_its_days_and_what_firms_did_stays(app: Any, callers: Callers) -> None:
    parts = app.extensions["zhigai"].parts
    of_guest, of_firm = ready(app, callers, energy_csv(), GUEST), ready(app, callers, energy_csv())
    shown = callers.get(f"/api/v1/datasets/{of_guest}", GUEST).get_json()
    assert shown["expires_at"] > shown["created_at"]
    assert callers.get(f"/api/v1/datasets/{of_firm}", FIRM).get_json()["expires_at"] is None
    now = utc_now()
    assert datasets.forget_expired(parts["database"], parts["blobs"], 30, now + timedelta(days=29)) == 0
    assert datasets.forget_expired(parts["database"], parts["blobs"], 30, now + timedelta(days=31)) == 1
    assert callers.get(f"/api/v1/datasets/{of_guest}", GUEST).status_code == 404
    assert callers.get(f"/api/v1/datasets/{of_firm}", FIRM).status_code == 200


def test_a_guest_keeps_so_many_and_no_more(app: Any, callers: Callers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "MOST_OF_GUEST", 2)
    guest = Principal(guest="gst-many")
    for _ in range(2):
        assert upload(callers, energy_csv(), guest).status_code == 202
    refused = upload(callers, energy_csv(), guest)
    assert refused.status_code == 409 and "2" in refused.get_json()["detail"]


def test_a_target_brings_up_what_gives_it_away(app: Any, callers: Callers) -> None:
    lines = energy_csv().decode("gb18030").splitlines()
    spoiled = [f"{lines[0]},单耗(kWh/kg)"]
    for line in lines[1:]:
        _, output, _, energy = line.split(",")
        spoiled.append(f"{line},{float(energy) / float(output):.5f}")
    dataset = ready(app, callers, "\n".join(spoiled).encode())
    path = f"/api/v1/datasets/{dataset}"
    assert callers.get(path, FIRM).get_json()["target_warnings"] == []
    (warning,) = callers.get(f"{path}?target={quote('单耗')}", FIRM).get_json()["target_warnings"]
    assert warning["code"] == "leakage_sum" and "单耗 = 电量 ÷ 产量" in warning["found"]
    (english,) = callers.get(f"{path}?target={quote('单耗')}&lang=en", FIRM).get_json()["target_warnings"]
    assert english["found"].startswith("The target") and english["do"].startswith("That is arithmetic")


def test_a_hostile_workbook_ends_its_own_process_only(app: Any, callers: Callers) -> None:
    from tests.unit.models.test_own_tables import HOSTILE

    for name in ("bomb", "far row", "doctype"):
        accepted = upload(callers, HOSTILE[name](), name=f"{name}.xlsx")
        work(app)
        job = callers.get(accepted.headers["Location"], FIRM).get_json()
        assert job["state"] == "failed" and job["problem"]["type"] == "/problems/unreadable-table", name
    ready(app, callers, energy_csv())
    assert callers.get("/api/v1/datasets", FIRM).get_json()["items"][0]["state"] == "ready"
