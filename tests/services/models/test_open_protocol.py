"""The Open Inference Protocol v2 over HTTP, on the real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from services.models.inference.oip_tensor import DATATYPES
from services.models.inference.release import SHIPPED, open_release
from tests.services.models import tiny_components
from tests.services.models.model_server import ModelServer, serving, tensor, values

ROW = [1.0, 2.0, 3.0]
ANSWER = 2 * 1 + 3 * 2 - 3 + 10
NUMBERS = [datatype for datatype in DATATYPES if datatype not in ("BOOL", "BYTES")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    root = tiny_components.make_all(tmp_path_factory.mktemp("components"))
    with serving(root, SHIPPED) as made:
        yield made


def named(*row: Any, datatype: str = "FP32", names: tuple[str, ...] = tiny_components.FEATURES) -> list[dict[str, Any]]:
    return [tensor(name, [1, 1], [value], datatype) for name, value in zip(names, row, strict=True)]


def test_the_server_says_what_it_is_and_that_it_lives(server: ModelServer) -> None:
    about = server.call("GET", "/v2").json()
    assert set(about) == {"name", "version", "extensions"}
    assert "binary_tensor_data" in about["extensions"]
    assert server.call("GET", "/v2/health/live").status == 200
    assert server.call("GET", "/v2/health/ready").status == 200


def test_metadata_list_one_tensor_per_feature_with_unit_and_range(server: ModelServer) -> None:
    about = server.call("GET", "/v2/models/linear").json()
    assert (about["name"], about["versions"], about["platform"]) == ("linear", ["1.0.0", "1.1.0"], "onnx_onnxv1")
    assert [each["name"] for each in about["inputs"]] == list(tiny_components.FEATURES)
    first = about["inputs"][0]
    assert (first["datatype"], first["shape"]) == ("FP32", [-1, 1])
    assert (first["parameters"]["unit"], first["parameters"]["minimum"], first["parameters"]["maximum"]) == (
        "kW",
        0,
        10,
    )
    assert [each["name"] for each in about["outputs"]] == ["value", "interval_low", "interval_high", "in_range"]
    assert about["parameters"]["matrix_input"] == "input"
    worded = server.call("GET", "/v2/models/worded").json()["inputs"][0]
    assert worded["datatype"] == "BYTES"
    assert json.loads(worded["parameters"]["choices"]) == ["铝", "钢", "铜"]


@pytest.mark.parametrize("name", ["linear", "classes", "worded", "one-feature", "steel-plate-faults", "bolt-preload"])
def test_what_metadata_list_is_what_infer_answers(server: ModelServer, name: str) -> None:
    about = server.call("GET", f"/v2/models/{name}").json()
    examples = {"worded": ["钢", "1", 2.0]}
    if name == "bolt-preload":
        (instance,) = open_release([SHIPPED], name).examples[0]["request"]["instances"]
        inputs = [each for each in about["inputs"] if each["name"] in instance]
        row = [instance[each["name"]] for each in inputs]
    else:
        inputs = about["inputs"]
        row = examples.get(name, [each["parameters"].get("minimum", 1.0) for each in inputs])
    tensors = [tensor(each["name"], [1, 1], [value], each["datatype"]) for each, value in zip(inputs, row, strict=True)]
    wanted = [{"name": each["name"]} for each in about["outputs"]]
    answer = server.infer(name, *tensors, outputs=wanted)
    assert answer.status == 200, answer.body
    for said, found in zip(about["outputs"], answer.json()["outputs"], strict=True):
        assert (found["name"], found["datatype"]) == (said["name"], said["datatype"])
        assert [1, *said["shape"][1:]] == found["shape"]
    for said in (*about["inputs"], *about["outputs"]):
        assert all(isinstance(value, (str, int, float)) for value in said.get("parameters", {}).values())


def test_readiness_and_versions(server: ModelServer) -> None:
    for path in ("linear/ready", "linear/versions/1.1.0/ready", "bolt-preload/ready"):
        assert server.call("GET", f"/v2/models/{path}").status == 200
    for path in ("nothing/ready", "linear/versions/9.9.9/ready", "nothing", "linear/versions/9.9.9"):
        answer = server.call("GET", f"/v2/models/{path}")
        assert answer.status == 404 and answer.json()["error"]
    body = {"inputs": [tensor("input", [1, 3], ROW)]}
    newer = server.call("POST", "/v2/models/linear/versions/1.1.0/infer", body)
    assert (newer.json()["model_version"], values(newer, "value")) == ("1.1.0", [pytest.approx(1.0)])
    assert server.infer("linear", *body["inputs"]).json()["model_version"] == "1.0.0"


@pytest.mark.parametrize(
    "tensors",
    [
        [tensor("input", [1, 3], ROW)],
        [tensor("input", [1, 3], [ROW])],
        [tensor("input", [3], ROW)],
        [tensor("anything", [1, 3], ROW)],
        named(*ROW),
        list(reversed(named(*ROW))),
        [tensor(each["name"], [1], each["data"]) for each in named(*ROW)],
        [*named(*ROW)[:2], tensor("load", [1, 1], [3], "INT8")],
    ],
    ids=["matrix", "nested", "one row", "other name", "named", "other order", "flat named", "mixed types"],
)  # fmt: skip
def test_one_matrix_or_one_tensor_per_feature(server: ModelServer, tensors: list[dict[str, Any]]) -> None:
    assert values(server.infer("linear", *tensors), "value") == [pytest.approx(ANSWER)]


@pytest.mark.parametrize("datatype", NUMBERS)
def test_every_number_type_is_taken_in_json_and_in_raw_bytes(server: ModelServer, datatype: str) -> None:
    plain = [int(value) for value in ROW] if "INT" in datatype else ROW
    assert values(server.infer("linear", tensor("input", [1, 3], plain, datatype)), "value") == [pytest.approx(ANSWER)]
    assert values(server.infer("linear", *named(*plain, datatype=datatype)), "value") == [pytest.approx(ANSWER)]
    content = np.array(ROW, DATATYPES[datatype]).tobytes()
    assert values(raw(server, "linear", [("input", [1, 3], datatype, content)]), "value") == [pytest.approx(ANSWER)]


def test_booleans_count_as_one_and_zero_and_only_where_they_are_declared(server: ModelServer) -> None:
    row = tensor("input", [1, 3], [True, False, True], "BOOL")
    assert values(server.infer("linear", row), "value") == [pytest.approx(2 - 1 + 10)]
    sent = [("input", [1, 3], "BOOL", bytes([1, 0, 1]))]
    assert values(raw(server, "linear", sent), "value") == [pytest.approx(2 - 1 + 10)]
    assert raw(server, "linear", [("input", [1, 3], "BOOL", bytes([1, 2, 1]))]).status == 400
    assert server.infer("linear", tensor("input", [1, 3], [True, 2.5, 1])).status == 400
    assert server.infer("linear", *named(True, 2.5, 1)).status == 400


@pytest.mark.parametrize(
    ("datatype", "fits", "beyond"),
    [("UINT64", 2**64 - 1, 2**64), ("INT64", -(2**63), -(2**63) - 1), ("UINT8", 255, 256), ("INT16", -32768, -32769)],
)
def test_whole_numbers_go_to_the_end_of_their_type(server: ModelServer, datatype: str, fits: int, beyond: int) -> None:
    assert server.infer("linear", tensor("input", [1, 3], [fits, 0, 0], datatype)).status == 200
    answer = server.infer("linear", tensor("input", [1, 3], [beyond, 0, 0], datatype))
    assert answer.status == 400 and answer.json()["error"]


def raw(server: ModelServer, model: str, tensors: list[tuple[str, list[int], str, bytes]], **members: Any) -> Any:
    heads = [
        {"name": name, "shape": shape, "datatype": datatype, "parameters": {"binary_data_size": len(content)}}
        for name, shape, datatype, content in tensors
    ]
    head = json.dumps({"inputs": heads, **members}).encode()
    body = head + b"".join(content for *_, content in tensors)
    headers = {"Inference-Header-Content-Length": str(len(head))}
    return server.call("POST", f"/v2/models/{model}/infer", body, headers=headers)


def words(*texts: str) -> bytes:
    return b"".join(len(text.encode()).to_bytes(4, "little") + text.encode() for text in texts)


def test_a_feature_with_choices_takes_words(server: ModelServer) -> None:
    """铜 counts as 2, the shift written "1" as 1."""
    expected = [pytest.approx(100 * 2 + 10 * 1 + 5)]
    rest = [tensor("shift", [1, 1], ["1"], "BYTES"), tensor("load", [1, 1], [5])]
    assert values(server.infer("worded", tensor("material", [1, 1], ["铜"], "BYTES"), *rest), "value") == expected
    sent = [
        ("material", [1, 1], "BYTES", words("铜")),
        ("shift", [1], "INT32", np.int32(1).tobytes()),
        ("load", [1, 1], "FP32", np.float32(5).tobytes()),
    ]
    assert values(raw(server, "worded", sent), "value") == expected
    two = [
        tensor("material", [2], ["钢", "铝"], "BYTES"),
        tensor("shift", [2], ["2", "1"], "BYTES"),
        tensor("load", [2], [0, 0]),
    ]
    assert values(server.infer("worded", *two), "value") == [pytest.approx(100.0), pytest.approx(10.0)]


def test_a_number_is_a_word_and_never_a_place_in_the_list(server: ModelServer) -> None:
    material = tensor("material", [1, 1], ["铜"], "BYTES")
    answer = server.infer("worded", material, tensor("shift", [1, 1], [2]), tensor("load", [1, 1], [0]))
    assert values(answer, "value") == [pytest.approx(200.0)]
    for wrong in (tensor("shift", [1, 1], [0]), tensor("shift", [1, 1], ["3"], "BYTES")):
        answer = server.infer("worded", material, wrong, tensor("load", [1, 1], [0]))
        assert answer.status == 400 and "2, 1" in answer.json()["error"]
    assert server.infer("worded", tensor("input", [1, 3], [2, 1, 5])).status == 400


def test_a_word_where_a_number_belongs_is_refused(server: ModelServer) -> None:
    answer = server.infer("linear", tensor("power", [1], ["1"], "BYTES"), *named(*ROW)[1:])
    assert answer.status == 400 and "power" in answer.json()["error"]


def test_a_unit_is_converted_and_one_of_another_kind_refused(server: ModelServer) -> None:
    watts = tensor("power", [1, 1], [1000.0], parameters={"unit": "W"})
    assert values(server.infer("linear", watts, *named(*ROW)[1:]), "value") == [pytest.approx(ANSWER)]
    wrong = tensor("power", [1, 1], [1.0], parameters={"unit": "kg"})
    assert server.infer("linear", wrong, *named(*ROW)[1:]).status == 400


def test_a_model_of_one_feature_takes_its_name_or_says_matrix(server: ModelServer) -> None:
    for good in (
        tensor("power", [2, 1], [1, 2]),
        tensor("input", [2, 1], [1, 2]),
        tensor("input-1", [2, 1], [1, 2], parameters={"content_type": "np"}),
    ):
        assert values(server.infer("one-feature", good), "value") == [pytest.approx(4.0), pytest.approx(8.0)]
    assert server.infer("one-feature", tensor("speed", [2, 1], [1, 2])).status == 400


def test_outputs_come_in_the_order_asked_for_and_the_id_comes_back(server: ModelServer) -> None:
    matrix = tensor("input", [1, 3], ROW)
    answer = server.infer("linear", matrix, id="阀-7", outputs=[{"name": "interval_high"}, {"name": "value"}]).json()
    assert [each["name"] for each in answer["outputs"]] == ["interval_high", "value"]
    assert (answer["id"], answer["model_name"], answer["model_version"]) == ("阀-7", "linear", "1.0.0")
    assert "id" not in server.infer("linear", matrix, id=None, outputs=None, parameters=None).json()
    everything = server.infer("classes", matrix).json()["outputs"]
    assert [(each["name"], each["datatype"]) for each in everything] == [
        ("label", "BYTES"), ("probabilities", "FP64"), ("act", "BOOL"),
    ]  # fmt: skip


def test_outputs_come_raw_one_by_one_or_all(server: ModelServer) -> None:
    matrix = tensor("input", [2, 3], [*ROW, 9.0, 2.0, 3.0])
    all_raw = server.infer("classes", matrix, parameters={"binary_data_output": True})
    length = int(all_raw.headers["Inference-Header-Content-Length"])
    head = json.loads(all_raw.body[:length])
    sizes = [each["parameters"]["binary_data_size"] for each in head["outputs"]]
    assert sum(sizes) == len(all_raw.body) - length
    assert all_raw.body[length : length + sizes[0]] == words("low", "high")
    assert all_raw.body[-2:] == bytes([0, 1])
    wanted = [{"name": "act", "parameters": {"binary_data": True}}, {"name": "label"}]
    one_raw = server.infer("classes", matrix, outputs=wanted)
    length = int(one_raw.headers["Inference-Header-Content-Length"])
    assert one_raw.body[length:] == bytes([0, 1])
    assert json.loads(one_raw.body[:length])["outputs"][1]["data"] == ["low", "high"]


def test_rows_outside_the_trained_range_are_counted_and_can_be_asked_for(server: ModelServer) -> None:
    matrix = tensor("input", [3, 3], [1, 2, 3, 1, 2, 11, 1, 2, 3])
    answer = server.infer("linear", matrix, outputs=[{"name": "value"}, {"name": "in_range"}])
    assert answer.json()["parameters"] == {"out_of_range_rows": 1, "out_of_range_features": "load"}
    assert values(answer, "in_range") == [True, False, True]
    assert "parameters" not in server.infer("linear", tensor("input", [1, 3], ROW)).json()


def test_a_row_unlike_all_that_training_saw_is_counted(server: ModelServer) -> None:
    """Two columns in each other's place, every value within its own range."""
    about = open_release([SHIPPED], "steel-plate-faults")
    if '"novelty"' not in (about.folder / "intervals.json").read_text():
        pytest.skip("the release does not say what is unusual")
    names = [each.name for each in about.signature.inputs]
    row = [float(about.examples[0]["request"]["instances"][0][name]) for name in names]
    usual = server.infer("steel-plate-faults", tensor("input", [1, 27], row), outputs=[{"name": "unusual"}])
    assert values(usual, "unusual") == [False]
    one, other = names.index("Minimum_of_Luminosity"), names.index("Maximum_of_Luminosity")
    row[one], row[other] = row[other], row[one]
    odd = server.infer("steel-plate-faults", tensor("input", [1, 27], row), outputs=[{"name": "unusual"}])
    assert values(odd, "unusual") == [True]
    assert odd.json()["parameters"]["unusual_rows"] == 1


def test_a_tool_answers_the_same_by_tensors_as_by_the_friendly_call(server: ModelServer) -> None:
    stored = open_release([SHIPPED], "bolt-preload").examples[0]
    (instance,) = stored["request"]["instances"]
    (prediction,) = stored["answer"]["predictions"]
    tensors = [
        tensor(name, [2, 1], [value, value], "BYTES" if isinstance(value, str) else "FP64")
        for name, value in instance.items()
    ]
    answer = server.infer("bolt-preload", *tensors)
    for name, output in prediction["outputs"].items():
        assert values(answer, name) == [pytest.approx(output["value"])] * 2
    unknown = [each if each["name"] != "size" else {**each, "data": ["M13", "M12"]} for each in tensors]
    assert server.infer("bolt-preload", *unknown).status == 422


MATRIX = tensor("input", [1, 3], ROW)
REFUSED: dict[str, dict[str, Any]] = {
    "no inputs": {"inputs": []},
    "inputs of another kind": {"inputs": "many"},
    "unknown member": {"unknown": 1, "inputs": [MATRIX]},
    "id that is no text": {"id": 7, "inputs": [MATRIX]},
    "no name": {"inputs": [{"shape": [1, 3], "datatype": "FP32", "data": ROW}]},
    "unknown type": {"inputs": [{**MATRIX, "datatype": "TEXT"}]},
    "type given as a list": {"inputs": [{**MATRIX, "datatype": ["FP32"]}]},
    "negative shape": {"inputs": [{**MATRIX, "shape": [-1, 3]}]},
    "shape of floats": {"inputs": [{**MATRIX, "shape": [1.0, 3]}]},
    "shape too large": {"inputs": [{**MATRIX, "shape": [10**7, 3]}]},
    "too many dimensions": {"inputs": [{**MATRIX, "shape": [1, 1, 1, 1, 3]}]},
    "other width": {"inputs": [tensor("input", [1, 4], [1, 2, 3, 4])]},
    "fewer values than shape": {"inputs": [tensor("input", [1, 3], [1, 2])]},
    "ragged": {"inputs": [tensor("input", [2, 3], [[1, 2, 3], [1]])]},
    "null": {"inputs": [tensor("input", [1, 3], [1, None, 3])]},
    "text for numbers": {"inputs": [tensor("input", [1, 3], ["1", "2", "3"])]},
    "text in a named tensor": {"inputs": [*named(*ROW)[:2], tensor("load", [1, 1], ["3"])]},
    "beyond single precision": {"inputs": [tensor("input", [1, 3], [1e39, 2, 3])]},
    "beyond half precision": {"inputs": [tensor("input", [1, 3], [70000, 2, 3], "FP16")]},
    "no rows": {"inputs": [tensor("input", [0, 3], [])]},
    "a feature missing": {"inputs": named(*ROW)[:2]},
    "a feature too many": {"inputs": [*named(*ROW), tensor("colour", [1, 1], [1])]},
    "a feature twice": {"inputs": [*named(*ROW), tensor("load", [1, 1], [1])]},
    "unequal rows": {"inputs": [*named(*ROW)[:2], tensor("load", [2, 1], [1, 2])]},
    "data and raw bytes": {"inputs": [{**MATRIX, "parameters": {"binary_data_size": 12}}]},
    "nested parameters": {"inputs": [{**MATRIX, "parameters": {"a": {"b": 1}}}]},
    "parameters of another kind": {"inputs": [MATRIX], "parameters": [1]},
    "content that means something else": {"inputs": [{**MATRIX, "parameters": {"content_type": "base64"}}]},
    "shared memory": {"inputs": [{**MATRIX, "parameters": {"shared_memory_region": "r"}}]},
    "a sequence": {"inputs": [MATRIX], "parameters": {"sequence_id": 5}},
    "unknown output": {"inputs": [MATRIX], "outputs": [{"name": "nothing"}]},
    "an output twice": {"inputs": [MATRIX], "outputs": [{"name": "value"}, {"name": "value"}]},
    "classification asked of an output": {"inputs": [MATRIX], "outputs": [{"name": "value", "parameters": {"classification": 2}}]},
}  # fmt: skip


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_a_request_that_is_wrong_is_refused_with_a_reason_and_the_next_is_answered(
    server: ModelServer, body: dict[str, Any]
) -> None:
    answer = server.call("POST", "/v2/models/linear/infer", body)
    assert answer.status == 400, answer.body
    assert answer.json()["error"] and answer.json()["status"] == 400
    assert server.infer("linear", MATRIX).status == 200


@pytest.mark.parametrize(
    ("size", "content"),
    [(8, b"\0" * 12), (12, b"\0" * 8), (12, b"\0" * 16), ("12", b"\0" * 12), (-12, b"\0" * 12)],
    ids=["smaller than shape", "cut short", "bytes too many", "size as text", "negative size"],
)
def test_raw_bytes_that_do_not_fit_are_refused(server: ModelServer, size: Any, content: bytes) -> None:
    head = {**MATRIX, "parameters": {"binary_data_size": size}}
    del head["data"]
    text = json.dumps({"inputs": [head]}).encode()
    headers = {"Inference-Header-Content-Length": str(len(text))}
    assert server.call("POST", "/v2/models/linear/infer", text + content, headers=headers).status == 400


@pytest.mark.parametrize(
    "content",
    [words("铜") + b"\0", words("铜")[:-1], (99).to_bytes(4, "little") + b"a", (1).to_bytes(4, "little") + b"\xff"],
)
def test_raw_texts_that_do_not_fit_are_refused(server: ModelServer, content: bytes) -> None:
    sent = [("material", [1, 1], "BYTES", content), ("shift", [1], "INT32", np.int32(1).tobytes()),
            ("load", [1, 1], "FP32", np.float32(5).tobytes())]  # fmt: skip
    assert raw(server, "worded", sent).status == 400


@pytest.mark.parametrize("length", ["x", "-1", "999999", "1.5"])
def test_a_wrong_length_of_the_json_part_is_refused(server: ModelServer, length: str) -> None:
    headers = {"Inference-Header-Content-Length": length}
    assert server.call("POST", "/v2/models/linear/infer", {"inputs": [MATRIX]}, headers=headers).status == 400


def test_paths_that_are_not_there_say_so_in_json(server: ModelServer) -> None:
    for method, path in (
        ("GET", "/v2/models/linear/stats"), ("GET", "/v2/models/linear/config"), ("GET", "/v2/models/stats"),
        ("GET", "/v2/trace/setting"), ("POST", "/v2/repository/nothing"), ("GET", "/v2/nothing"),
    ):  # fmt: skip
        answer = server.call(method, path)
        assert answer.status == 404 and answer.json()["error"], path
    assert server.call("GET", "/v2/models/linear/infer").status == 405
