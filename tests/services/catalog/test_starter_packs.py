"""Starter packs as a reader sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.catalog import app as catalog
from shared.settings import Settings
from tests.services.callers import Callers
from tests.services.catalog.conftest import solution

PACKS = "/api/v1/starter-packs"


def text(said: str) -> dict[str, str]:
    return {"zh": said, "en": f"en {said}"}


def pack(*solutions: str) -> dict[str, Any]:
    measures = [
        {
            "solution": each,
            "why_first": text("便宜"),
            "first_week": text("抄表"),
            "proof": text("看电费"),
            "component": None,
        }
        for each in solutions
    ]
    return {"industry": "dyeing", "title": text("三件事"), "for": text("八十人的厂"), "measures": measures,
            "not_yet": [text("先不上大屏"), text("先不换系统")]}  # fmt: skip


@pytest.fixture
def callers(
    settings: Settings, shelf: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callers]:
    folder = tmp_path_factory.mktemp("packs")
    content = pack("dyeing-a", "dyeing-b", "dyeing-gone")
    (folder / "dyeing.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    catalog.migrate(settings)
    made = catalog.create_app(settings, folder)
    catalog.seed(settings, shelf(solution("dyeing-a"), solution("dyeing-b")))
    yield Callers(made.test_client(), settings)
    made.extensions["zhigai"].close()


def test_a_pack_names_its_solutions_in_the_readers_language(callers: Callers) -> None:
    body = callers.get(f"{PACKS}/dyeing").json
    assert (body["title"], body["for"]) == ("三件事", "八十人的厂")
    first = body["measures"][0]
    assert first["solution"] == {"id": "dyeing-a", "title": "定型机余热回收 dyeing-a", "url": "/solutions/dyeing-a"}
    assert (first["why_first"], first["proof"], first["component"]) == ("便宜", "看电费", None)
    assert body["not_yet"] == ["先不上大屏", "先不换系统"]
    english = callers.get(f"{PACKS}/dyeing", headers={"Accept-Language": "en"}).json
    assert english["measures"][0]["first_week"] == "en 抄表"


def test_a_pack_shows_no_solution_that_is_not_there(callers: Callers) -> None:
    assert [each["solution"]["id"] for each in callers.get(f"{PACKS}/dyeing").json["measures"]] == [
        "dyeing-a",
        "dyeing-b",
    ]


@pytest.mark.parametrize("industry", ["paper", "steel", "..%2Fdyeing", "%00", "x" * 300])
def test_an_industry_without_a_pack_is_not_found(callers: Callers, industry: str) -> None:
    assert callers.get(f"{PACKS}/{industry}").status_code == 404
