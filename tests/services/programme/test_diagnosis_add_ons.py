"""The industries' own questions as a reader sees them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from services.programme.app import create_app
from shared.settings import Settings
from tests.services.callers import without_a_key

ADD_ONS = "/api/v1/diagnosis-add-ons"


def questions() -> dict[str, Any]:
    options = [{"level": level, "zh": f"第{level}级", "en": f"Level {level}"} for level in (1, 2, 3, 5)]
    asked = [
        {"id": f"question-{n}", "text": {"zh": f"问{n}？", "en": f"Q{n}?"}, "why": {"zh": "看基础", "en": "Base"},
         "step": "washing", "options": options, "measures": ["dyeing-a"]}
        for n in range(6)
    ]  # fmt: skip
    return {"industry": "dyeing", "status": "experience", "questions": asked}


@pytest.fixture
def client(embedded_settings: Callable[..., Settings], tmp_path: Path) -> FlaskClient:
    (tmp_path / "dyeing.yaml").write_text(yaml.safe_dump(questions(), allow_unicode=True), encoding="utf-8")
    settings = embedded_settings()
    return without_a_key(create_app(settings, tmp_path), settings)


def test_questions_come_with_rising_answers_and_measures_that_help(client: FlaskClient) -> None:
    body = client.get(f"{ADD_ONS}/dyeing").json
    assert (body["industry"], body["status"], len(body["questions"])) == ("dyeing", "experience", 6)
    first = body["questions"][0]
    assert (first["text"], first["why"], first["step"], first["measures"]) == (
        "问0？",
        "看基础",
        "washing",
        ["dyeing-a"],
    )
    assert [each["level"] for each in first["options"]] == [1, 2, 3, 5]
    english = client.get(f"{ADD_ONS}/dyeing", headers={"Accept-Language": "en"}).json["questions"][0]
    assert (english["text"], english["options"][0]["text"]) == ("Q0?", "Level 1")


@pytest.mark.parametrize("industry", ["paper", "steel", "..%2Fdyeing", "%00"])
def test_an_industry_without_questions_is_not_found(client: FlaskClient, industry: str) -> None:
    assert client.get(f"{ADD_ONS}/{industry}").status_code == 404
