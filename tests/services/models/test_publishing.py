"""Publishing a model from outside: checked in a sandbox, published once, called like any other."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.models.inference.predict import predict
from services.models.inference.release import SHIPPED, component_names, open_release
from services.models.inference.sessions import load
from services.models.intake import onnx_check
from services.models.jobs import handlers
from services.models.logic import packages, sending
from shared.jobs import turn
from tests.services.callers import ADMIN, FIRM, Callers

onnx = pytest.importorskip("onnx", reason="the extra `train` is not installed")

COMPONENT: dict[str, Any] = {
    "name": "kiln-drying-time",
    "title": {"zh": "（示例）干燥时间", "en": "(Example) drying time"},
    "answers": {"zh": "要烘多久？", "en": "How long to dry?"},
    "summary": {"zh": "线性模型，仅用于测试", "en": "A linear model, for a test"},
    "valid_for": {"zh": "仅用于测试", "en": "For a test only"},
    "source": {"zh": "测试", "en": "test"},
    "licence": {"zh": "Apache-2.0", "en": "Apache-2.0"},
    "industries": ["wood"],
    "directions": ["equipment"],
    "keywords": ["干燥"],
}


def linear(*nodes: Any) -> bytes:
    """y = 2 a + 3 b, with `nodes` of somebody else's making beside it."""
    helper, kinds = onnx.helper, onnx.TensorProto
    weights = helper.make_tensor("w", kinds.FLOAT, [2, 1], [2.0, 3.0])
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["input", "w"], ["y"]), *nodes],
        "linear",
        [helper.make_tensor_value_info("input", kinds.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("y", kinds.FLOAT, [None, 1])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def package(tmp_path: Path, version: str = "1.0.0", model: bytes | None = None) -> dict[str, Any]:
    """A release whose answers are those it gives here."""
    inputs = [
        {
            "name": name, "title_zh": zh, "title_en": name, "unit": "mm", "datatype": "FP32", "minimum": 0,
            "maximum": 100, "default": None, "typical": 10, "meaning": "", "quantity": "",
        }
        for name, zh in (("thickness", "厚度"), ("width", "宽度"))
    ]  # fmt: skip
    made: dict[str, Any] = {
        "version": version,
        "signature": {
            "task": "regression", "inputs": inputs, "classes": [],
            "outputs": [{"name": "hours", "title_zh": "时间", "title_en": "Time", "unit": "h"}],
        },
        "intervals": {"coverage": 0.9, "low": [-1.5], "high": [2.0], "naive": 40},
        "lineage": {"protocol": "test", "metrics": {"mae": 1.0, "naive": {"mae": 4.0}}, "data": {}, "parameters": {}},
        "card": {"zh": "# 测试\n\n## 用途\n测试", "en": "# Test\n\n## Use\nTest"},
        "model": base64.b64encode(linear()).decode(),
        "examples": [],
    }  # fmt: skip
    folder = packages.write_component(tmp_path, {**COMPONENT, "kind": "model", "aliases": {"stable": version}})
    packages.write_release(folder, made)
    release = load(open_release([tmp_path], COMPONENT["name"], version))
    for place, (a, b) in enumerate(((1, 2), (3, 4), (50, 60))):
        request = {"instances": [{"thickness": a, "width": b}]}
        made["examples"].append(
            {
                "name": f"e{place}",
                "title": {"zh": "例", "en": "Example"},
                "request": request,
                "answer": predict(release, request, "zh"),
            }
        )
    if model is not None:
        made["model"] = base64.b64encode(model).decode()
    return made


def send(app: Any, callers: Callers, body: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """The job after its turn."""
    accepted = callers.post(f"/api/v1/components/{COMPONENT['name']}/releases", body, ADMIN, **kwargs)
    assert accepted.status_code == 202, accepted.get_json()
    context = app.extensions["zhigai"]
    turn(context.parts["jobs"], handlers(context), problems=context.problems)
    job: dict[str, Any] = callers.get(accepted.headers["Location"], ADMIN).get_json()
    return job


def test_a_release_is_checked_published_and_called(app: Any, callers: Callers, tmp_path: Path) -> None:
    name = COMPONENT["name"]
    made = callers.post("/api/v1/components", COMPONENT, ADMIN)
    assert made.status_code == 201
    assert callers.get(f"/api/v1/components/{name}").status_code == 404
    assert callers.get("/api/v1/components").get_json()["total"] == len(component_names([SHIPPED]))
    job = send(app, callers, package(tmp_path))
    assert job["state"] == "done", job["problem"]
    shown = callers.get(f"/api/v1/components/{name}").get_json()
    assert (shown["release"], shown["stage"]) == ("1.0.0", "published")
    answer = callers.post(f"/api/v1/components/{name}/predict", {"instances": [{"thickness": 2, "width": 5}]})
    (prediction,) = answer.get_json()["predictions"]
    assert prediction["value"] == 19
    assert prediction["interval"] == {"low": 17.5, "high": 21.0, "coverage": 0.9}
    again = callers.post(f"/api/v1/components/{name}/releases", package(tmp_path), ADMIN)
    assert again.status_code == 409
    assert "不能更改" in again.get_json()["detail"]
    app.extensions["zhigai"].parts["relay"].drain_all()
    assert name in app.extensions["zhigai"].parts["index"].versions()


def test_an_alias_moves_only_on_the_version_that_was_read(app: Any, callers: Callers, tmp_path: Path) -> None:
    name = COMPONENT["name"]
    callers.post("/api/v1/components", COMPONENT, ADMIN)
    for version in ("1.0.0", "1.1.0"):
        assert send(app, callers, package(tmp_path, version))["state"] == "done"
    read = callers.get(f"/api/v1/components/{name}")
    assert read.get_json()["release"] == "1.0.0"
    path = f"/api/v1/components/{name}/aliases/stable"
    assert callers.call(ADMIN, "PUT", path, json={"release": "1.1.0"}).status_code == 428
    headers = {"If-Match": read.headers["ETag"]}
    assert callers.call(ADMIN, "PUT", path, json={"release": "9.9.9"}, headers=headers).status_code == 404
    moved = callers.call(ADMIN, "PUT", path, json={"release": "1.1.0"}, headers=headers)
    assert moved.get_json()["release"] == "1.1.0"
    assert callers.call(ADMIN, "PUT", path, json={"release": "1.0.0"}, headers=headers).status_code == 412
    answer = callers.post(f"/api/v1/components/{name}/predict", {"instances": [{"thickness": 1, "width": 1}]})
    assert answer.get_json()["release"] == "1.1.0"
    older = {"instances": [{"thickness": 1, "width": 1}], "release": "1.0.0"}
    assert callers.post(f"/api/v1/components/{name}/predict", older).get_json()["release"] == "1.0.0"


def test_answers_that_differ_from_the_servers_are_not_published(app: Any, callers: Callers, tmp_path: Path) -> None:
    callers.post("/api/v1/components", COMPONENT, ADMIN)
    body = package(tmp_path)
    body["examples"][1]["answer"]["predictions"][0]["value"] = 7
    job = send(app, callers, body)
    assert job["state"] == "failed"
    assert "example-answer" in job["problem"]["detail"]
    assert callers.get(f"/api/v1/components/{COMPONENT['name']}").status_code == 404


def hostile() -> list[Any]:
    helper, kinds = onnx.helper, onnx.TensorProto
    shape = helper.make_tensor("shape", kinds.INT64, [1], [2**40])
    outside = onnx.load_model_from_string(linear())
    tensor = outside.graph.initializer[0]
    tensor.data_location = kinds.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/hostname")
    tensor.ClearField("float_data")
    body = helper.make_graph([], "body", [helper.make_tensor_value_info("i", kinds.INT64, [])], [], [])
    return [
        pytest.param(b"not a model", "onnx-file", id="no model"),
        pytest.param(
            linear(
                helper.make_node("Constant", [], ["s"], value=shape),
                helper.make_node("ConstantOfShape", ["s"], ["big"]),
            ),
            "onnx-operator",
            id="terabytes",
        ),
        pytest.param(linear(helper.make_node("Loop", ["", ""], ["z"], body=body)), "onnx-operator", id="loop"),
        pytest.param(linear(helper.make_node("Evil", ["input"], ["z"], domain="com.evil")), "onnx-operator", id="evil"),
        pytest.param(outside.SerializeToString(), "onnx-external", id="reads a file"),
    ]  # fmt: skip


@pytest.mark.parametrize(("model", "rule"), hostile())
def test_a_hostile_model_is_never_run(app: Any, callers: Callers, tmp_path: Path, model: bytes, rule: str) -> None:
    callers.post("/api/v1/components", COMPONENT, ADMIN)
    job = send(app, callers, package(tmp_path, model=model))
    assert job["state"] == "failed"
    assert rule in job["problem"]["detail"]


def test_what_ships_is_taken_by_the_same_rules() -> None:
    for name in ("steel-energy", "steel-plate-faults"):
        from services.models.inference.release import SHIPPED

        assert list(onnx_check.findings(open_release([SHIPPED], name).folder / "model.onnx")) == []


def test_publishing_is_for_administrators(callers: Callers, tmp_path: Path) -> None:
    assert callers.post("/api/v1/components", COMPONENT, FIRM).status_code == 403
    callers.post("/api/v1/components", COMPONENT, ADMIN)
    path = f"/api/v1/components/{COMPONENT['name']}"
    assert callers.post(f"{path}/releases", package(tmp_path), FIRM).status_code == 403
    assert callers.post("/api/v1/components", COMPONENT, ADMIN).status_code == 409
    shipped = callers.post("/api/v1/components/steel-energy/releases", package(tmp_path), ADMIN)
    assert shipped.status_code == 409


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"version": "1.0"}, "version"),
        ({"examples": []}, "examples"),
        ({"model": "%%%"}, "model"),
        ({"lineage": {"protocol": "p", "metrics": {"mae": 1}}}, "lineage.metrics"),
        ({"card": {"zh": "x"}}, "card.en"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_package_that_lacks_something_is_refused_by_path(
    callers: Callers, tmp_path: Path, change: dict[str, Any], path: str
) -> None:
    callers.post("/api/v1/components", COMPONENT, ADMIN)
    body = {**package(tmp_path), **change}
    answer = callers.post(f"/api/v1/components/{COMPONENT['name']}/releases", body, ADMIN)
    assert answer.status_code == 422
    assert path in answer.get_json()["errors"], answer.get_json()["errors"]


def test_a_folder_is_packed_as_it_is_published(tmp_path: Path) -> None:
    body = package(tmp_path)
    folder = tmp_path / COMPONENT["name"]
    for old in folder.rglob("*"):
        if old.is_file() and old.parent.name == "1.0.0":
            old.unlink()
    (folder / "releases" / "1.0.0").rmdir()
    packages.write_release(folder, body)
    content = {**COMPONENT, "kind": "model", "owner": "me", "public": True, "aliases": {"stable": "1.0.0"}}
    packages.write_component(tmp_path, content)
    packed = sending.package_of(tmp_path, COMPONENT["name"])
    assert {key: packed[key] for key in ("version", "model", "card")} == {
        key: body[key] for key in ("version", "model", "card")
    }
    assert np.allclose(packed["intervals"]["low"], body["intervals"]["low"])
