"""The story of first light over HTTP, in both modes: a complaint, a solution, its tool, a trained model, the subsidy."""

from __future__ import annotations

import json
import time
import urllib.request

import pytest

from tests.processes import Running

COMPLAINT = "定型机能耗太高怎么办"


def example(platform: Running, component: str, **changes: object) -> dict[str, object]:
    """The request of a component's first stored example, with some values changed."""
    request = platform.get(f"/api/v1/components/{component}")["examples"][0]["request"]
    return {**request, "instances": [{**request["instances"][0], **changes}]}


def keyed(platform: Running) -> dict[str, str]:
    return {"X-API-Key": platform.admin_key}


def test_a_complaint_leads_to_a_solution_its_tool_and_the_subsidy(platform: Running) -> None:
    found = platform.get("/api/v1/search", q=COMPLAINT)
    assert found["query"]["industry"] == "dyeing"
    solutions = [item for item in found["items"][:5] if item["type"] == "solution"]
    assert solutions, [item["title"] for item in found["items"][:5]]
    solution = platform.get(f"/api/v1/solutions/{solutions[0]['id']}")
    assert "stenter-heat-balance" in solution["components"]
    assert solution["subsidy_rule"] == "demo_project_grant"

    worked = example(platform, "stenter-heat-balance")
    tool = platform.call("POST", "/api/v1/components/stenter-heat-balance/predict", worked).json()
    # The worked value of the tool's card: 900 kg/h from 0.7 to 0.05, 12,000 kg/h of exhaust at 150 degC.
    assert tool["predictions"][0]["value"] == pytest.approx(987.4, abs=0.1)
    assert tool["predictions"][0]["unit"] == "kW"

    energy = platform.get("/api/v1/components/steel-energy")
    assert "不适用于您的机器" in energy["valid_for"]
    request = energy["examples"][0]["request"]
    answer = platform.call("POST", "/api/v1/components/steel-energy/predict", request).json()
    first = answer["predictions"][0]
    assert first["interval"]["low"] <= first["value"] <= first["interval"]["high"]
    assert first["interval"]["coverage"] == 0.9

    estimate = platform.call(
        "POST", "/api/v1/subsidies/estimate",
        {"equipment_investment": "150000000", "technology_investment": "10000000"},
    ).json()  # fmt: skip
    assert (estimate["amount"], estimate["capped"], estimate["verdict"]) == ("15000000.00", True, "unknown")
    assert estimate["missing"] == ["recognised"]
    assert any(change["verdict"] == "yes" for change in estimate["changes"])
    assert all(condition["clause"] for condition in estimate["conditions"])


def test_a_program_with_a_key_calls_a_model_by_the_open_protocol(platform: Running) -> None:
    metadata = platform.call("GET", "/v2/models/steel-plate-faults", headers=keyed(platform)).json()
    assert metadata["inputs"][0]["parameters"]["maximum"] > 0
    stored = platform.get("/api/v1/components/steel-plate-faults")["examples"][0]
    row = [stored["request"]["instances"][0][tensor["name"]] for tensor in metadata["inputs"]]
    body = {"id": "7", "inputs": [{"name": "input", "shape": [1, len(row)], "datatype": "FP32", "data": row}]}
    answer = platform.call("POST", "/v2/models/steel-plate-faults/infer", body, headers=keyed(platform))
    assert answer.status == 200, answer.body
    outputs = {output["name"]: output["data"] for output in answer.json()["outputs"]}
    assert outputs["label"] == [stored["answer"]["predictions"][0]["value"]]
    assert sum(outputs["probabilities"]) == pytest.approx(1, abs=1e-4)
    assert answer.json()["id"] == "7"


def test_inference_without_a_key_is_refused_in_words_and_a_wrong_key_too(platform: Running) -> None:
    body = {"inputs": [{"name": "input", "shape": [1, 27], "datatype": "FP32", "data": [1] * 27}]}
    for headers in ({}, {"X-API-Key": "zg_live_wrong"}, {"Authorization": "Bearer nothing"}):
        answer = platform.call("POST", "/v2/models/steel-plate-faults/infer", body, headers=headers)
        assert answer.status == 401
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert "X-API-Key" in answer.json()["detail"]


def test_a_batch_is_a_job_that_is_done_with_progress_and_a_stream_of_events(platform: Running) -> None:
    worked = example(platform, "stenter-heat-balance")["instances"][0]  # type: ignore[index]
    instances = [{**worked, "fabric_kg_h": 500 + number} for number in range(1200)]
    path = "/api/v1/components/stenter-heat-balance/batch"
    headers = {**keyed(platform), "Idempotency-Key": f"batch-{time.time()}"}
    accepted = platform.call("POST", path, {"instances": instances}, headers=headers)
    assert accepted.status == 202, accepted.body
    location = accepted.headers["Location"]
    again = platform.call("POST", path, {"instances": instances}, headers=headers)
    assert again.headers["Location"] == location

    request = urllib.request.Request(f"{platform.url}{location}/events", headers=keyed(platform))
    states = []
    with urllib.request.urlopen(request, timeout=60) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        for line in stream:
            if line.startswith(b"data:"):
                states.append(json.loads(line[5:])["state"])
                if states[-1] in ("done", "failed", "dead", "cancelled"):
                    break
    assert states[-1] == "done", states
    job = platform.call("GET", location, headers=keyed(platform)).json()
    assert len(job["result"]["predictions"]) == 1200
    assert job["progress"] == 1.0
    # Another caller does not learn that the job exists.
    assert platform.call("GET", location).status in (401, 404)


def test_what_clients_get_wrong_is_said_and_never_a_500(platform: Running) -> None:
    key = keyed(platform)
    predict = "/api/v1/components/stenter-heat-balance/predict"
    cases = [
        ("GET", "/api/v1/solutions?industry=mining", None, {}, 422),
        ("GET", "/api/v1/search?q=" + "x" * 400, None, {}, 422),
        ("GET", "/api/v1/nothing", None, {}, 404),
        ("DELETE", "/api/v1/solutions", None, key, 405),
        ("POST", predict, b"{", {}, 400),
        ("POST", predict, b'{"instances":[{"fabric_kg_h":NaN}]}', {}, 400),
        ("POST", predict, {"instances": [{"fabric_kg_h": "many"}]}, {}, 422),
        ("POST", predict, {"instances": [{"colour": 1}]}, {}, 422),
        ("POST", predict, {"instances": []}, {}, 422),
        ("POST", "/api/v1/components/nothing/predict", {"instances": [{}]}, key, 404),
        ("POST", predict, {**example(platform, "stenter-heat-balance"), "release": "9.9.9"}, {}, 404),
        ("POST", "/v2/models/steel-energy/versions/9.9.9/infer", {"inputs": []}, key, 404),
        ("POST", "/api/v1/subsidies/estimate", {"equipment_investment": -1, "technology_investment": 0}, {}, 422),
        ("POST", "/api/v1/subsidies/estimate", b"equipment=1", {"Content-Type": "text/plain"}, 415),
        ("GET", predict, None, {}, 405),
    ]
    for method, path, body, headers, expected in cases:
        answer = platform.call(method, path, body, headers=headers)
        assert answer.status == expected, (method, path[:80], answer.status, answer.body[:300])
        assert answer.headers["Content-Type"].startswith("application/problem+json"), (path[:80], answer.headers)
        problem = answer.json()
        assert problem["detail"] and problem["request_id"], problem


def test_a_value_outside_the_range_is_answered_and_flagged(platform: Running) -> None:
    body = example(platform, "stenter-heat-balance", exhaust_temperature_c=300)
    prediction = platform.call("POST", "/api/v1/components/stenter-heat-balance/predict", body).json()["predictions"][0]
    assert prediction["in_range"] is False
    warning = next(each for each in prediction["warnings"] if each["code"] == "out_of_range")
    assert (warning["code"], warning["feature"], warning["limit"]) == ("out_of_range", "exhaust_temperature_c", 220)


def test_identity_that_a_client_claims_is_not_believed(platform: Running) -> None:
    forged = {"X-Zhigai-Principal": "x.y.z", "X-Zhigai-Role": "admin", "X-Authenticated-User": "admin"}
    assert platform.call("GET", "/api/v1/keys", headers=forged).status == 401
    assert platform.call("GET", "/api/v1/solutions", headers=forged).status == 200


def test_the_merged_api_document_names_every_service(platform: Running) -> None:
    paths = set(platform.get("/openapi.json")["paths"])
    wanted = {
        "/api/v1/search", "/api/v1/solutions", "/api/v1/articles", "/api/v1/components", "/api/v1/subsidies/estimate",
        "/v2/models/{name}/infer", "/api/v1/components/{name}/predict",
    }  # fmt: skip
    assert wanted <= {path.replace("{model}", "{name}").replace("{model_name}", "{name}") for path in paths}
