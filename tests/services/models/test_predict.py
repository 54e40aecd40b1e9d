"""The friendly call: units, intervals, ranges, explanations, and refusals that name what is wrong."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.models.errors import BadInstances
from services.models.inference.predict import predict
from services.models.inference.release import SHIPPED, LoadedRelease, component_names, open_release
from services.models.logic import reproducing, shipping
from tests.services.callers import Callers

Loaded = Callable[[str], LoadedRelease]
NAMES = component_names([SHIPPED])


def example(name: str, which: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = copy.deepcopy(open_release([SHIPPED], name).examples[which]["request"])
    return found


def refusal(release: LoadedRelease, request: Any) -> dict[str, list[str]]:
    with pytest.raises(BadInstances) as refused:
        predict(release, request, "zh")
    return refused.value.errors


@pytest.mark.parametrize("name", NAMES)
def test_a_component_is_in_order_and_gives_its_stored_answers(name: str) -> None:
    assert list(shipping.findings([SHIPPED], name)) == []
    assert list(reproducing.findings([SHIPPED], name)) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_prediction_has_the_promised_members(loaded: Loaded, name: str) -> None:
    release = loaded(name)
    answer = predict(release, example(name), "zh")
    assert (answer["component"], answer["release"]) == (name, release.version)
    for prediction in answer["predictions"]:
        assert {"value", "unit", "in_range", "warnings"} <= set(prediction)
        if name == "steel-energy":
            interval = prediction["interval"]
            assert 0 <= interval["low"] <= prediction["value"] <= interval["high"]
            assert interval["coverage"] == 0.9
            assert prediction["naive"] >= 0
        if name == "steel-plate-faults":
            assert sum(prediction["probabilities"].values()) == pytest.approx(1, abs=1e-4)
            assert prediction["value"] in prediction["set"]["classes"]
            assert prediction["naive"] == "Other_Faults"


def test_the_page_in_this_process_gets_the_same_answer(callers: Callers) -> None:
    """Through the runner, a process of its own."""
    stored = open_release([SHIPPED], "bolt-preload").examples[0]
    answer = callers.post("/api/v1/components/bolt-preload/predict", stored["request"])
    assert answer.status_code == 200
    assert answer.get_json() == stored["answer"]
    refused = callers.post("/api/v1/components/bolt-preload/predict", {"instances": [{}]})
    assert refused.status_code == 422
    assert set(refused.get_json()["errors"]) == {"instances.0.size", "instances.0.property_class"}
    assert callers.post("/api/v1/components/nope/predict", stored["request"]).status_code == 404


BAD_REQUESTS: list[tuple[Any, str]] = [
    ([], "body"),
    ({}, "instances"),
    ({"instances": []}, "instances"),
    ({"instances": {}}, "instances"),
    ({"instances": [1]}, "instances.0"),
    ({"instances": [{}], "more": 1}, "more"),
    ({"instances": [{}], "explain": "yes"}, "explain"),
    ({"instances": [{}], "units": []}, "units"),
    ({"instances": [{}], "units": {"nonsense": "kg"}}, "units.nonsense"),
    ({"instances": [{}] * 10_001}, "instances"),
]


@pytest.mark.parametrize(("request_", "path"), BAD_REQUESTS, ids=[path for _, path in BAD_REQUESTS])
@pytest.mark.parametrize("name", ["stenter-heat-balance", "steel-plate-faults"])
def test_a_request_of_another_shape_is_refused_by_path(loaded: Loaded, name: str, request_: Any, path: str) -> None:
    assert path in refusal(loaded(name), request_)


@pytest.mark.parametrize(
    "value", ["12", None, True, [1], {}, math.nan, math.inf, pytest.param(10**400, id="401 digits")]
)
@pytest.mark.parametrize("name", ["stenter-heat-balance", "steel-plate-faults"])
def test_a_value_that_is_no_number_is_refused_by_path(loaded: Loaded, name: str, value: Any) -> None:
    request = example(name)
    feature = next(iter(request["instances"][0]))
    request["instances"].append({**request["instances"][0], feature: value})
    assert list(refusal(loaded(name), request)) == [f"instances.1.{feature}"]


@pytest.mark.parametrize("name", ["stenter-heat-balance", "steel-plate-faults", "steel-energy"])
def test_an_unknown_feature_is_refused_with_those_that_are_known(loaded: Loaded, name: str) -> None:
    request = example(name)
    request["instances"][0]["colour"] = 1
    errors = refusal(loaded(name), request)
    assert loaded(name).signature.instance or loaded(name).signature.names
    assert list(errors) == ["instances.0.colour"]
    known = loaded(name).signature.instance or sorted(loaded(name).signature.names)
    assert known[0] in errors["instances.0.colour"][0]


def test_a_missing_feature_is_named_with_its_unit(loaded: Loaded) -> None:
    request = example("stenter-heat-balance")
    del request["instances"][0]["fabric_kg_h"]
    errors = refusal(loaded("stenter-heat-balance"), request)
    assert errors == {"instances.0.fabric_kg_h": ["缺少 干布速率 (kg/h) / missing"]}


def test_at_most_twenty_faults_are_listed(loaded: Loaded) -> None:
    assert len(refusal(loaded("steel-plate-faults"), {"instances": [{}] * 500})) == 20


def test_a_value_outside_the_range_is_flagged_and_still_answered(loaded: Loaded) -> None:
    request = example("steel-plate-faults")
    request["instances"][0]["Steel_Plate_Thickness"] = 500
    (prediction,) = predict(loaded("steel-plate-faults"), request, "zh")["predictions"]
    (warning,) = prediction["warnings"]
    assert not prediction["in_range"]
    assert (warning["code"], warning["feature"], warning["value"]) == ("out_of_range", "Steel_Plate_Thickness", 500)
    assert warning["limit"] == 300


def test_a_default_that_was_used_is_said(loaded: Loaded) -> None:
    request = example("stenter-heat-balance")
    del request["instances"][0]["loss_factor"]
    (prediction,) = predict(loaded("stenter-heat-balance"), request, "zh")["predictions"]
    assert [(each["code"], each["feature"], each["value"]) for each in prediction["warnings"]] == [
        ("default_used", "loss_factor", 1.1)
    ]
    assert prediction["in_range"]


def test_a_unit_of_the_same_kind_is_converted(loaded: Loaded) -> None:
    request = example("stenter-heat-balance")
    plain = predict(loaded("stenter-heat-balance"), request, "zh")["predictions"][0]["value"]
    instance = request["instances"][0]
    instance.update(fabric_kg_h=0.9, moisture_in=70, exhaust_temperature_c=423.15)
    request["units"] = {"fabric_kg_h": "t/h", "moisture_in": "%", "exhaust_temperature_c": "K"}
    found = predict(loaded("stenter-heat-balance"), request, "zh")["predictions"][0]
    assert found["value"] == pytest.approx(plain)
    assert found["in_range"]


def test_a_unit_of_another_kind_is_refused_with_both_named(loaded: Loaded) -> None:
    request = {**example("stenter-heat-balance"), "units": {"fabric_kg_h": "kW"}}
    (said,) = refusal(loaded("stenter-heat-balance"), request)["units.fabric_kg_h"]
    assert "kW" in said
    assert "kg/h" in said


def test_what_a_formula_refuses_is_said_at_its_instance(loaded: Loaded) -> None:
    request = example("stenter-heat-balance")
    request["instances"][0]["moisture_in"] = 0.04
    assert list(refusal(loaded("stenter-heat-balance"), request)) == ["instances.0"]


def test_the_band_of_a_tool_names_the_tolerances_it_rests_on(loaded: Loaded) -> None:
    (prediction,) = predict(loaded("bolt-preload"), example("bolt-preload"), "zh")["predictions"]
    interval = prediction["interval"]
    assert interval["low"] < prediction["value"] < interval["high"]
    assert interval["coverage"] is None
    assert "±15 %" in interval["basis"]


@pytest.mark.parametrize("name", ["steel-plate-faults", "steel-energy", "stenter-heat-balance"])
def test_an_explanation_names_what_moved_the_answer(loaded: Loaded, name: str) -> None:
    request = {**example(name, 1), "explain": True}
    for prediction in predict(loaded(name), request, "zh")["predictions"]:
        parts = prediction["contributions"]
        assert set(parts) <= loaded(name).signature.names
        assert any(abs(value) > 0 for value in parts.values())


def test_an_explanation_is_the_difference_to_the_typical_value(loaded: Loaded) -> None:
    release = loaded("steel-plate-faults")
    request = example("steel-plate-faults")
    (told,) = predict(release, {**request, "explain": True}, "zh")["predictions"]
    feature = next(iter(told["contributions"]))
    usual = next(each.typical for each in release.signature.inputs if each.name == feature)
    request["instances"][0][feature] = usual
    (other,) = predict(release, request, "zh")["predictions"]
    difference = told["probabilities"][told["value"]] - other["probabilities"][told["value"]]
    assert told["contributions"][feature] == pytest.approx(difference, abs=2e-6)


def test_too_many_explanations_are_refused(loaded: Loaded) -> None:
    request = example("steel-plate-faults")
    request = {"instances": request["instances"] * 101, "explain": True}
    assert list(refusal(loaded("steel-plate-faults"), request)) == ["explain"]


def shifted(request: dict[str, Any], keep: Callable[[int, dict[str, Any]], bool]) -> dict[str, Any]:
    return {**request, "history": [row for index, row in enumerate(request["history"]) if keep(index, row)]}


def test_a_forecast_needs_the_days_right_before_it(loaded: Loaded) -> None:
    release = loaded("steel-energy")
    request = example("steel-energy")
    assert "history" in refusal(release, {"instances": request["instances"]})
    six_days = shifted(request, lambda index, _: index >= (14 - 6) * 96)
    (said,) = refusal(release, {**six_days, "instances": request["instances"][:1]}).values()
    assert "2018-10-17" in said[0]
    assert "现有 6 天" in said[0]
    later = (datetime.fromisoformat(request["instances"][0]["interval_end"]) + timedelta(days=3)).isoformat(" ")
    assert refusal(release, {**request, "instances": [{"interval_end": later[:16]}]})


def test_short_gappy_and_doubled_history_is_answered_and_said(loaded: Loaded) -> None:
    release = loaded("steel-energy")
    request = {**example("steel-energy"), "instances": example("steel-energy")["instances"][:1]}
    short = shifted(request, lambda index, _: index >= 4 * 96)
    gaps = shifted(request, lambda index, _: index % 50 != 7)
    doubled = {**request, "history": [*request["history"], request["history"][-1]]}
    for changed, code in ((short, "short_history"), (gaps, "history_gaps"), (doubled, "duplicate_stamps")):
        (prediction,) = predict(release, changed, "zh")["predictions"]
        assert code in [each["code"] for each in prediction["warnings"]]
        assert prediction["in_range"]


def test_the_order_of_history_does_not_matter(loaded: Loaded) -> None:
    request = example("steel-energy")
    turned = {**request, "history": request["history"][::-1]}
    assert predict(loaded("steel-energy"), turned, "zh") == predict(loaded("steel-energy"), request, "zh")


def test_history_in_megawatt_hours_is_converted(loaded: Loaded) -> None:
    request = example("steel-energy")
    smaller = [{**row, "usage_kwh": row["usage_kwh"] / 1000} for row in request["history"]]
    converted = {**request, "history": smaller, "units": {"usage_kwh": "MWh"}}
    one = predict(loaded("steel-energy"), converted, "zh")["predictions"]
    other = predict(loaded("steel-energy"), request, "zh")["predictions"]
    assert [each["value"] for each in one] == pytest.approx([each["value"] for each in other], rel=1e-3)


@pytest.mark.parametrize(
    "row",
    [
        1, {}, {"interval_end": "2018-10-23 00:15"}, {"interval_end": "x", "usage_kwh": 1},
        {"interval_end": "2018-10-23 00:15", "usage_kwh": -1},
        {"interval_end": "2018-10-23 00:15", "usage_kwh": "3"},
        {"interval_end": "2018-10-23 00:15", "usage_kwh": math.nan},
        {"interval_end": "0001-01-01 00:00", "usage_kwh": 1},
    ],
)  # fmt: skip
def test_a_bad_row_of_history_is_named(loaded: Loaded, row: Any) -> None:
    request = example("steel-energy")
    request["history"].insert(3, row)
    assert list(refusal(loaded("steel-energy"), request)) == ["history.3"]
