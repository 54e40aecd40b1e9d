"""A sentence model beside the words: what it adds, what it cannot do, and that both engines keep its vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from shared.search import AnalysedQuery, Clause, Document, SearchIndex, SearchRequest, open_index
from shared.search.embedding import BadModel, OnnxEmbedder, likeness
from shared.settings import Settings

Make = Callable[..., Settings]
ALIKE = ("空压机泵气", "疏水阀漏", "螺栓拧")
"""Characters of one group stand for one thing to this model."""


def write_model(folder: Path) -> Path:
    """A sentence model as small as can be: each character's vector says which group it belongs to."""
    folder.mkdir()
    tokens = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "##b", "a", *dict.fromkeys("".join(ALIKE))]
    (folder / "vocab.txt").write_text("\n".join(tokens), encoding="utf-8")
    vectors = numpy.zeros((len(tokens), len(ALIKE)), dtype=numpy.float32)
    for number, group in enumerate(ALIKE):
        for char in group:
            vectors[tokens.index(char), number] = 1.0
    graph = helper.make_graph(
        [helper.make_node("Gather", ["vectors", "input_ids"], ["last_hidden_state"])],
        "sentences",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "length"])],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "length", len(ALIKE)])],
        [numpy_helper.from_array(vectors, "vectors")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(folder / "model.onnx"))
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model")


@pytest.fixture(params=["embedded", "distributed"])
def index(request: pytest.FixtureRequest, model: Path) -> Iterator[SearchIndex]:
    if request.param == "embedded":
        settings = request.getfixturevalue("embedded_settings")(embedder=model)
    else:
        settings = request.getfixturevalue("distributed_settings")(without=("postgres", "redis"), embedder=model)
    found = open_index(settings, "catalog")
    yield found
    found.close()


def test_texts_that_mean_the_same_are_near_and_others_are_not(model: Path) -> None:
    embedder = OnnxEmbedder(model)
    compressor, pump, valve = embedder.embed(["空压机", "气泵", "疏水阀"])
    assert embedder.dimension == len(ALIKE)
    assert likeness(compressor, pump) == pytest.approx(1.0) and likeness(compressor, valve) == pytest.approx(0.0)
    assert embedder.embed(["空压机"]) == [compressor]
    assert embedder.embed(["ab 中 !", ""])[1] == (0.0, 0.0, 0.0)


def test_a_folder_without_a_model_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match=r"model\.onnx"):
        OnnxEmbedder(tmp_path)
    folder = write_model(tmp_path / "m")
    (folder / "vocab.txt").write_text("[PAD]", encoding="utf-8")
    with pytest.raises(BadModel, match="CLS"):
        OnnxEmbedder(folder)


def test_what_means_the_same_stands_before_what_only_shares_a_word(index: SearchIndex) -> None:
    documents = [
        Document("a", "article", 1, "气泵 维修"),
        Document("b", "article", 1, "疏水阀 维修"),
    ]
    index.rebuild(documents)
    request = SearchRequest(AnalysedQuery("空压机", (Clause("words", "维修", 1.0),)))
    hits = index.search(request).hits
    assert [hit.id for hit in hits] == ["a", "b"] and hits[0].score > hits[1].score
    assert hits[0].payload["likeness"] == 1.0
    assert index.is_current()


def test_only_an_engine_that_looks_for_neighbours_finds_what_shares_no_word(
    index: SearchIndex, request: pytest.FixtureRequest
) -> None:
    index.rebuild(
        [
            Document("a", "article", 1, "气泵"),
            Document("b", "article", 1, "维修"),
            Document("c", "article", 1, "泵", organisation="org-a"),
        ]
    )
    found = index.search(SearchRequest(AnalysedQuery("空压机", (Clause("words", "维修", 1.0),))))
    assert {hit.id for hit in found.hits} >= {"b"} and "c" not in {hit.id for hit in found.hits}
    has_neighbours = "distributed" in request.node.name
    assert ("a" in {hit.id for hit in found.hits}) is has_neighbours


def test_another_model_asks_for_another_index(embedded_settings: Make, model: Path) -> None:
    settings = embedded_settings()
    plain = open_index(settings, "catalog")
    plain.rebuild([Document("a", "article", 1, "气泵")])
    assert plain.is_current()
    assert not open_index(settings.with_(embedder=model), "catalog").is_current()
