"""The library through its HTTP API: list, detail, releases, batches as jobs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.models import app as models
from services.models.errors import ReleaseExists
from services.models.inference.release import SHIPPED, component_names
from services.models.jobs import handlers
from services.models.logic import shipping
from services.models.logic.components import load
from shared.database import Database
from shared.jobs import Done, turn
from shared.settings import Settings
from tests.services.callers import ADMIN, FIRM, NOBODY, OTHER, Callers

STENTER = "/api/v1/components/stenter-heat-balance"


def test_every_shipped_component_is_listed_for_everyone(callers: Callers) -> None:
    found = callers.get("/api/v1/components").get_json()
    assert found["total"] == len(component_names([SHIPPED])) >= 60
    assert {each["kind"] for each in found["items"]} == {"model", "tool"}
    assert all(each["url"] == f"/components/{each['name']}" for each in found["items"])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("industry=dyeing&direction=equipment&kind=model", ["gas-turbine-co", "gas-turbine-yield"]),
        (
            "kind=model",
            [
                "ai4i-maintenance",
                "gas-turbine-co",
                "gas-turbine-yield",
                "steel-energy",
                "steel-energy-15min",
                "steel-plate-faults",
            ],
        ),
        ("industry=fastener&kind=model&direction=line", ["steel-plate-faults"]),
        ("size=1&page=2", ["air-leak-orifice"]),
    ],
)
def test_a_list_is_narrowed_by_what_is_asked(callers: Callers, query: str, expected: list[str]) -> None:
    found = callers.get(f"/api/v1/components?{query}").get_json()
    assert [each["name"] for each in found["items"]] == expected


@pytest.mark.parametrize("query", ["industry=x", "direction=x", "kind=x", "size=0", "size=101"])
def test_a_filter_that_cannot_be_is_refused(callers: Callers, query: str) -> None:
    answer = callers.get(f"/api/v1/components?{query}")
    assert answer.status_code == 422
    assert query.split("=")[0] in answer.get_json()["errors"]


@pytest.mark.parametrize("name", [each.name for each in shipping.read()])
def test_a_component_shows_all_that_a_caller_needs(callers: Callers, name: str) -> None:
    answer = callers.get(f"/api/v1/components/{name}")
    found = answer.get_json()
    assert answer.headers["ETag"]
    assert len(found["examples"]) >= 3
    assert all(each["answer"]["predictions"] for each in found["examples"])
    assert all(isinstance(each["title"], str) for each in found["examples"])
    assert found["card"]["sections"]
    assert found["valid_for"]
    assert found["licence"]
    assert found["aliases"] == {"stable": found["release"]}
    for feature in found["signature"]["inputs"]:
        assert {"name", "title_zh", "title_en", "unit", "minimum", "maximum", "default"} <= set(feature)
    if found["kind"] == "model":
        assert all(each["naive"] is not None for each in found["metrics"] if not each["name"].endswith("coverage"))


def test_the_card_of_a_model_says_that_it_is_not_valid_elsewhere(callers: Callers) -> None:
    zh = callers.get("/api/v1/components/steel-energy").get_json()
    en = callers.get("/api/v1/components/steel-energy?lang=en").get_json()
    assert "不适用于您的机器" in zh["card"]["text"]
    assert "not valid for your machine" in en["card"]["text"]
    assert zh["title"] != en["title"]


def test_a_reader_who_has_the_newest_is_not_sent_it_again(callers: Callers) -> None:
    etag = callers.get(STENTER).headers["ETag"]
    assert callers.get(STENTER, headers={"If-None-Match": etag}).status_code == 304


def test_releases_are_listed_with_figures_and_lineage(callers: Callers) -> None:
    found = callers.get("/api/v1/components/steel-energy/releases").get_json()
    assert [each["release"] for each in found["items"]] == ["1.0.0"]
    lineage = found["items"][0]["lineage"]
    assert len(lineage["data"]["sha256"]) == 64
    assert lineage["protocol"]


@pytest.mark.parametrize("path", ["nope", "nope/releases", "..%2F..%2Fetc"])
def test_what_is_not_there_is_not_found(callers: Callers, path: str) -> None:
    assert callers.get(f"/api/v1/components/{path}").status_code == 404


def test_loading_again_changes_nothing(app: Any, settings: Settings, callers: Callers) -> None:
    before = callers.get(STENTER).headers["ETag"]
    assert models.seed(settings) == 0
    assert callers.get(STENTER).headers["ETag"] == before


def test_a_published_release_never_changes(app: Any) -> None:
    database: Database = app.extensions["zhigai"].parts["database"]
    files = shipping.read()
    files[0].releases[0].content["card"] = "something else"
    changed = shipping.ReadRelease(files[0].releases[0].version, files[0].releases[0].content, "0" * 64)
    files[0].releases[0] = changed
    with pytest.raises(ReleaseExists):
        load(database, files)


def test_a_component_is_found_by_its_words(app: Any) -> None:
    parts = app.extensions["zhigai"].parts
    parts["relay"].drain_all()
    assert parts["index"].versions().keys() == {each.name for each in shipping.read()}


def test_a_batch_is_a_job_with_the_same_answers(app: Any, callers: Callers) -> None:
    example = callers.get(STENTER).get_json()["examples"][0]
    instances = example["request"]["instances"] * 3
    accepted = callers.post(f"{STENTER}/batch", {"instances": instances}, headers={"Idempotency-Key": "b1"})
    assert accepted.status_code == 202
    location = accepted.headers["Location"]
    again = callers.post(f"{STENTER}/batch", {"instances": instances}, headers={"Idempotency-Key": "b1"})
    assert again.headers["Location"] == location
    context = app.extensions["zhigai"]
    assert isinstance(turn(context.parts["jobs"], handlers(context)), Done)
    job = callers.get(location, FIRM).get_json()
    assert job["state"] == "done"
    assert job["result"]["predictions"] == example["answer"]["predictions"] * 3
    assert callers.get(location, OTHER).status_code == 404
    assert callers.get(location, ADMIN).status_code == 200


def test_a_batch_with_a_fault_fails_with_its_place(app: Any, callers: Callers) -> None:
    accepted = callers.post(f"{STENTER}/batch", {"instances": [{"fabric_kg_h": "much"}]})
    context = app.extensions["zhigai"]
    turn(context.parts["jobs"], handlers(context), problems=context.problems)
    job = callers.get(accepted.headers["Location"], FIRM).get_json()
    assert job["state"] == "failed"
    assert "instances.0.fabric_kg_h" in job["problem"]["errors"]


@pytest.mark.parametrize("body", [{}, {"instances": []}, {"instances": [1]}, {"instances": [{}], "more": 1}])
def test_a_batch_that_is_none_is_refused(callers: Callers, body: Any) -> None:
    assert callers.post(f"{STENTER}/batch", body).status_code == 422
    assert callers.post("/api/v1/components/nope/batch", {"instances": [{}]}).status_code == 404


def test_no_call_without_a_signed_principal(callers: Callers) -> None:
    assert callers.client.get("/api/v1/components").status_code == 401
    assert callers.get("/api/v1/components", NOBODY).status_code == 200


def test_the_serving_process_imports_no_numpy() -> None:
    """numpy, onnxruntime and scikit-learn would cost the serving process its memory and its start."""
    heavy = "{'numpy', 'onnxruntime', 'sklearn', 'onnx', 'scipy'} & set(sys.modules)"
    script = f"import sys, services.models.app; assert not {heavy}, {heavy}"
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", script], check=True, cwd=root, env={"PYTHONPATH": str(root)})
