"""A private component does not exist for anybody but its owner, on any path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.services.models import tiny_components
from tests.services.models.model_server import OPERATOR, ModelServer, serving, tensor

MATRIX = {"inputs": [tensor("input", [1, 3], [1, 2, 3])]}
FRIENDLY = {"instances": [{"power": 1, "speed": 2, "load": 3}]}
PATHS: list[tuple[str, str, Any]] = [
    ("GET", "/v2/models/{}", None),
    ("GET", "/v2/models/{}/ready", None),
    ("POST", "/v2/models/{}/infer", MATRIX),
    ("GET", "/v2/models/{}/versions/1.0.0", None),
    ("GET", "/v2/models/{}/versions/1.0.0/ready", None),
    ("POST", "/v2/models/{}/versions/1.0.0/infer", MATRIX),
    ("POST", "/v2/models/{}/versions/stable/infer", MATRIX),
    ("POST", "/api/v1/components/{}/predict", FRIENDLY),
    ("POST", "/api/v1/components/{}/predict", {**FRIENDLY, "release": "1.0.0"}),
]
OTHERS = {"another organisation": "k-org-li", "a guest": "guest-gst-2", "the operator": OPERATOR, "nobody": "nobody"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    with serving(tiny_components.make_all(tmp_path_factory.mktemp("components"))) as made:
        yield made


@pytest.mark.parametrize(("method", "path", "body"), PATHS, ids=[f"{method} {path}" for method, path, _ in PATHS])
@pytest.mark.parametrize("key", OTHERS.values(), ids=OTHERS)
def test_others_are_told_what_is_said_of_a_name_that_was_never_used(
    server: ModelServer, method: str, path: str, body: Any, key: str
) -> None:
    """Also after the owner's call has loaded it."""
    assert server.call(method, path.format("private"), body, key="k-org-wang").status == 200
    refused = server.call(method, path.format("private"), body, key=key)
    unknown = server.call(method, path.format("unused1"), body, key=key)
    assert (refused.status, unknown.status) == (404, 404)
    assert _same(refused.json(), "private") == _same(unknown.json(), "unused1")


def _same(problem: dict[str, Any], name: str) -> dict[str, Any]:
    """Without what differs between any two calls, and without the names most alike, which follow from what was asked."""
    said = {key: value for key, value in problem.items() if key not in ("request_id", "instance")}
    for key in ("detail", "error"):
        first, _, known = said[key].partition("可用：")
        assert "private" not in known and "of-a-guest" not in known
        said[key] = first.replace(name, "…")
    return said


def test_a_guests_model_is_the_guests_alone(server: ModelServer) -> None:
    assert server.call("POST", "/v2/models/of-a-guest/infer", MATRIX, key="guest-gst-1").status == 200
    for key in ("guest-gst-2", "k-org-wang", "nobody"):
        assert server.call("POST", "/v2/models/of-a-guest/infer", MATRIX, key=key).status == 404


def index(server: ModelServer, key: str, **body: Any) -> set[str]:
    return {each["name"] for each in server.call("POST", "/v2/repository/index", body, key=key).json()}


def test_the_index_lists_what_exists_for_the_caller(server: ModelServer) -> None:
    assert index(server, "k-org-wang") - index(server, "nobody") == {"private"}
    assert index(server, "guest-gst-1") - index(server, "nobody") == {"of-a-guest"}
    assert index(server, "k-org-li") == index(server, "nobody") == index(server, OPERATOR)
    assert server.call("POST", "/v2/models/private/infer", MATRIX, key="k-org-wang").status == 200
    assert "private" in index(server, "k-org-wang", ready=True)
    assert "private" not in index(server, "nobody", ready=True)


@pytest.mark.parametrize("what", ["load", "unload"])
def test_loading_and_unloading_is_for_operators(server: ModelServer, what: str) -> None:
    path = f"/v2/repository/models/{{}}/{what}"
    for key in ("k-org-wang", "guest-gst-1", "nobody"):
        answer = server.call("POST", path.format("linear"), {}, key=key)
        assert answer.status == 403 and answer.json()["error"]
    assert server.call("POST", path.format("linear"), {}).status == 200
    assert server.call("POST", path.format("linear")).status == 200
    assert server.call("POST", path.format("nothing"), {}).status == 404
    assert server.call("POST", path.format("private"), {}).status == 404
    assert server.call("POST", path.format("linear"), {"parameters": {"file:1/model.onnx": "x"}}).status == 400
    assert server.call("GET", path.format("linear")).status == 405


def test_loading_says_why_a_model_cannot_be_loaded(server: ModelServer) -> None:
    answer = server.call("POST", "/v2/repository/models/damaged/load", {})
    assert answer.status == 422 and "damaged" in answer.json()["error"]


def test_a_name_most_alike_is_offered(server: ModelServer) -> None:
    answer = server.call("GET", "/v2/models/liner")
    assert answer.status == 404 and "linear" in answer.json()["error"]
