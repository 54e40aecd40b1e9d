"""Chains as a reader sees them: steps in order, each with the articles about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from services.knowledge import app as knowledge
from services.knowledge.logic.chains import Chains
from shared.settings import Settings
from tests.services.callers import without_a_key
from tests.services.knowledge.conftest import article

CHAINS = "/api/v1/chains"
STEPS = ["grey", "singeing", "desizing", "scouring", "bleaching", "dyeing", "washing", "heat-setting"]


def chain() -> dict[str, Any]:
    steps = [
        {"id": name, "zh": f"第{n}道", "en": f"Step {n}", "equipment": ["机器"], "energy": ["电"], "quality": ["色差"],
         "parameters": [{"name": "布速", "unit": "m/min", "window": None, "status": "experience"}],
         "next": STEPS[n : n + 1]}
        for n, name in enumerate(STEPS, 1)
    ]  # fmt: skip
    return {"industry": "dyeing", "title": {"zh": "印染工序", "en": "Dyeing"}, "source": "通行工程知识",
            "status": "experience", "steps": steps}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "chains"
    made.mkdir()
    (made / "dyeing.yaml").write_text(yaml.safe_dump(chain(), allow_unicode=True), encoding="utf-8")
    return made


@pytest.fixture
def client(settings: Settings, shelf: Callable[..., Path], folder: Path) -> Iterator[FlaskClient]:
    knowledge.migrate(settings)
    made = knowledge.create_app(settings, folder)
    causes = [{"cause": "原因", "check": "看压差", "remedy": "清洗"}] * 3
    knowledge.seed(
        settings,
        shelf(
            article("dyeing-a", steps=["washing"]),
            article("dyeing-b", steps=["washing", "dyeing"], kind="fault", causes=causes),
            article("textile-c", industries=["textile", "dyeing"], steps=["washing"]),
            article("general-d", industries=["all"], steps=[]),
            article("dyeing-e"),
        ),
    )
    yield without_a_key(made, settings)
    made.extensions["zhigai"].close()


def test_a_chain_shows_its_steps_in_order_with_what_is_about_them(client: FlaskClient) -> None:
    body = client.get(f"{CHAINS}/dyeing").json
    assert [step["id"] for step in body["steps"]] == STEPS
    assert (body["title"], body["status"], body["source"]) == ("印染工序", "experience", "通行工程知识")
    by_step = {step["id"]: [each["id"] for each in step["articles"]] for step in body["steps"]}
    # A textile article's steps are those of the textile chain, whatever they are called.
    assert by_step["washing"] == ["dyeing-a", "dyeing-b"]
    assert by_step["dyeing"] == ["dyeing-b"]
    assert by_step["grey"] == []
    assert body["articles_by_kind"] == {"fault": 1, "parameter": 3}
    assert body["steps"][0]["parameters"] == [{"name": "布速", "unit": "m/min", "window": None, "status": "experience"}]
    english = client.get(f"{CHAINS}/dyeing", headers={"Accept-Language": "en"}).json
    assert (english["title"], english["steps"][0]["title"]) == ("Dyeing", "Step 1")


@pytest.mark.parametrize("industry", ["paper", "steel", "..%2Fdyeing", "%00", "x" * 300])
def test_an_industry_without_a_chain_is_not_found(client: FlaskClient, industry: str) -> None:
    assert client.get(f"{CHAINS}/{industry}").status_code == 404


def test_an_article_is_found_by_the_names_of_its_steps(
    settings: Settings, shelf: Callable[..., Path], folder: Path
) -> None:
    knowledge.migrate(settings)
    made = knowledge.create_app(settings, folder)
    knowledge.seed(settings, shelf(article("dyeing-a", steps=["washing"])))
    parts = made.extensions["zhigai"].parts
    with parts["database"].read() as session:
        articles = {each.id: each for each in parts["documents"].all(session) if each.type == "article"}
    assert articles["dyeing-a"].names == ["第7道", "Step 7"]
    assert "Step 7" not in articles["dyeing-a"].body
    made.extensions["zhigai"].close()


def test_steps_are_named_by_what_the_chain_calls_them(folder: Path) -> None:
    chains = Chains(folder)
    assert chains.step_names("dyeing", ["washing", "no-such-step"]) == ["第7道", "Step 7"]
    assert chains.step_names("paper", ["washing"]) == []
