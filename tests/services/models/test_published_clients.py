"""The published clients of the open protocol, unchanged: tritonclient, and requests by MLServer's codecs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tritonclient import http as triton
from tritonclient.utils import InferenceServerException

from tests.services.models import tiny_components
from tests.services.models.model_server import OPERATOR, ModelServer, serving, values

ROWS = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
ANSWERS = ROWS @ np.array([2, 3, -1], np.float32) + 10


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    with serving(tiny_components.make_all(tmp_path_factory.mktemp("components"))) as made:
        yield made


@pytest.fixture
def client(server: ModelServer) -> Iterator[triton.InferenceServerClient]:
    made = triton.InferenceServerClient(server.address, concurrency=4)
    yield made
    made.close()


def key() -> dict[str, str]:
    """The client writes into the headers it is given, so each call gets its own."""
    return {"X-API-Key": OPERATOR}


def matrix(datatype: str, rows: Any, *, binary: bool = True) -> Any:
    made = triton.InferInput("input", list(rows.shape), datatype)
    made.set_data_from_numpy(rows, binary_data=binary)
    return made


def columns(*, binary: bool) -> list[Any]:
    made = []
    for place, name in enumerate(tiny_components.FEATURES):
        made.append(triton.InferInput(name, [len(ROWS), 1], "FP32"))
        made[-1].set_data_from_numpy(ROWS[:, place : place + 1], binary_data=binary)
    return made


@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
@pytest.mark.parametrize("binary_out", [True, False, None], ids=["raw out", "json out", "all outputs"])
@pytest.mark.parametrize("binary_in", [True, False], ids=["raw in", "json in"])
@pytest.mark.parametrize("form", ["matrix", "named"])
def test_tritonclient_infers_in_every_mode(
    client: Any, form: str, binary_in: bool, binary_out: bool | None, compression: str | None
) -> None:
    inputs = [matrix("FP32", ROWS, binary=binary_in)] if form == "matrix" else columns(binary=binary_in)
    wanted = None
    if binary_out is not None:
        wanted = [triton.InferRequestedOutput(name, binary_data=binary_out) for name in ("interval_low", "value")]
    answer = client.infer(
        "linear", inputs, outputs=wanted, request_id="7", headers=key(), priority=1, timeout=1000,
        request_compression_algorithm=compression, response_compression_algorithm=compression,
    )  # fmt: skip
    np.testing.assert_allclose(answer.as_numpy("value"), ANSWERS, rtol=1e-5)
    np.testing.assert_allclose(answer.as_numpy("interval_low"), ANSWERS - 1.5, rtol=1e-5)
    assert answer.get_response()["id"] == "7"


@pytest.mark.parametrize(
    "datatype",
    ["BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64"],
)
def test_tritonclient_sends_every_number_type(client: Any, datatype: str) -> None:
    from tritonclient.utils import triton_to_np_dtype

    rows = ROWS.astype(triton_to_np_dtype(datatype))
    expected = rows.astype(np.float32) @ np.array([2, 3, -1], np.float32) + 10
    answer = client.infer("linear", [matrix(datatype, rows)], headers=key())
    np.testing.assert_allclose(answer.as_numpy("value"), expected, rtol=1e-5)


@pytest.mark.parametrize("binary", [True, False], ids=["raw", "json"])
def test_tritonclient_sends_and_reads_words(client: Any, binary: bool) -> None:
    inputs = []
    for name, column in (("material", ["钢", "铜"]), ("shift", ["1", "2"])):
        inputs.append(triton.InferInput(name, [2, 1], "BYTES"))
        inputs[-1].set_data_from_numpy(np.array(column, object).reshape(2, 1), binary_data=binary)
    inputs.append(triton.InferInput("load", [2, 1], "FP64"))
    inputs[-1].set_data_from_numpy(np.array([[0.0], [5.0]]), binary_data=binary)
    answer = client.infer("worded", inputs, headers=key())
    np.testing.assert_allclose(answer.as_numpy("value"), [110, 205])
    wanted = [triton.InferRequestedOutput(name, binary_data=binary) for name in ("act", "label", "in_range")]
    answer = client.infer("classes", [matrix("FP32", ROWS)], outputs=wanted, headers=key())
    # The client gives words of a JSON answer as text and raw ones as bytes.
    assert [each.decode() if isinstance(each, bytes) else each for each in answer.as_numpy("label")] == ["low", "low"]
    assert answer.as_numpy("act").tolist() == [False, False]
    assert answer.as_numpy("in_range").tolist() == [True, True]


def test_tritonclient_infers_asynchronously(client: Any) -> None:
    asked = [
        client.async_infer("linear", [matrix("FP32", ROWS + each)], request_id=str(each), headers=key())
        for each in range(20)
    ]
    for number, each in enumerate(asked):
        answer = each.get_result()
        assert answer.get_response()["id"] == str(number)
        np.testing.assert_allclose(answer.as_numpy("value"), ANSWERS + 4 * number, rtol=1e-5)


def test_tritonclient_reads_metadata_and_readiness(client: Any) -> None:
    assert client.is_server_live(headers=key()) and client.is_server_ready(headers=key())
    assert client.is_model_ready("linear", headers=key())
    assert client.is_model_ready("linear", "1.1.0", headers=key())
    assert not client.is_model_ready("nothing", headers=key())
    assert client.get_server_metadata(headers=key())["name"] == "zhigai"
    assert client.get_model_metadata("linear", "1.1.0", headers=key())["name"] == "linear"
    answer = client.infer("linear", [matrix("FP32", ROWS)], model_version="1.1.0", headers=key())
    np.testing.assert_allclose(answer.as_numpy("value"), ROWS[:, 0])


def test_tritonclient_lists_loads_and_unloads(client: Any) -> None:
    client.load_model("linear", headers=key())
    state = {
        (each["name"], each["version"]): each["state"] for each in client.get_model_repository_index(headers=key())
    }
    assert state["linear", "1.0.0"] == "READY"
    client.unload_model("linear", headers=key())
    state = {
        (each["name"], each["version"]): each["state"] for each in client.get_model_repository_index(headers=key())
    }
    assert state["linear", "1.0.0"] == "UNAVAILABLE"
    assert client.infer("linear", [matrix("FP32", ROWS)], headers=key()).as_numpy("value") is not None
    with pytest.raises(InferenceServerException) as refused:
        client.load_model("linear", headers=key(), config='{"backend": "python"}')
    assert "config" in str(refused.value)


def test_tritonclient_is_told_properly_what_is_not_here(client: Any) -> None:
    for ask in (
        lambda: client.get_inference_statistics(headers=key()),
        lambda: client.get_inference_statistics("linear", headers=key()),
        lambda: client.get_model_config("linear", headers=key()),
        lambda: client.get_trace_settings(headers=key()),
        lambda: client.infer("nothing", [matrix("FP32", ROWS)], headers=key()),
        lambda: client.load_model("nothing", headers=key()),
    ):
        with pytest.raises(InferenceServerException) as refused:
            ask()
        assert refused.value.status() == "404"
        assert "decoding" not in str(refused.value)
    with pytest.raises(InferenceServerException) as refused:
        client.infer("linear", [matrix("FP32", ROWS[:, :2])], headers=key())
    assert refused.value.status() == "400" and "[n, 3]" in str(refused.value)


@pytest.fixture(scope="module")
def codecs() -> Any:
    return pytest.importorskip("mlserver.codecs", reason="MLServer needs Python below 3.13")


def sent(server: ModelServer, model: str, request: Any) -> Any:
    return server.call("POST", f"/v2/models/{model}/infer", request.model_dump_json().encode())


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "bool"])
def test_mlservers_numpy_codecs(server: ModelServer, codecs: Any, dtype: str) -> None:
    from mlserver.types import InferenceRequest

    rows = ROWS.astype(dtype)
    expected = pytest.approx(list(rows.astype(np.float32) @ np.array([2, 3, -1], np.float32) + 10))
    whole = codecs.NumpyRequestCodec.encode_request(rows)
    assert values(sent(server, "linear", whole), "value") == expected
    one = InferenceRequest(id="7", inputs=[codecs.NumpyCodec.encode_input("input", rows)])
    answer = sent(server, "linear", one)
    assert values(answer, "value") == expected
    assert answer.json()["id"] == "7"
    by_name = [
        codecs.NumpyCodec.encode_input(name, rows[:, place]) for place, name in enumerate(tiny_components.FEATURES)
    ]
    assert values(sent(server, "linear", InferenceRequest(inputs=by_name)), "value") == expected


def test_mlservers_pandas_codec_with_numbers_and_words(server: ModelServer, codecs: Any) -> None:
    import pandas

    table = pandas.DataFrame({"load": [3, 6], "power": [1.0, 4.0], "speed": [2.0, 5.0]})
    assert values(sent(server, "linear", codecs.PandasCodec.encode_request(table)), "value") == pytest.approx(
        list(ANSWERS)
    )
    # The codec knows texts as objects; pandas 3 has a type of its own for them.
    table = pandas.DataFrame({"material": ["钢", "铜"], "shift": ["1", "2"], "load": [0.0, 5.0]}).astype(
        {"material": object, "shift": object}
    )
    for use_bytes in (True, False):
        request = codecs.PandasCodec.encode_request(table, use_bytes=use_bytes)
        assert values(sent(server, "worded", request), "value") == [pytest.approx(110), pytest.approx(205)]
    missing = codecs.PandasCodec.encode_request(
        pandas.DataFrame({"power": [1.0, None], "speed": [1, 1], "load": [1, 1]})
    )
    answer = sent(server, "linear", missing)
    assert answer.status == 400 and "power" in answer.json()["error"]


def test_mlservers_own_types_read_our_answers(server: ModelServer, codecs: Any) -> None:
    from mlserver.types import InferenceResponse, MetadataModelResponse, MetadataServerResponse

    request = codecs.NumpyRequestCodec.encode_request(ROWS)
    answer = InferenceResponse.model_validate_json(sent(server, "classes", request).body)
    decoded = codecs.PandasCodec.decode_response(
        InferenceResponse(
            model_name="classes", outputs=[each for each in answer.outputs if each.name != "probabilities"]
        )
    )
    assert decoded["act"].tolist() == [False, False]
    for body, model in ((b"", MetadataServerResponse), (b"/models/worded", MetadataModelResponse)):
        model.model_validate(json.loads(server.call("GET", "/v2" + body.decode()).body))
