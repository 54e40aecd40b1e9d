"""The glossary."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from services.knowledge import app as knowledge
from shared.settings import Settings

TERMS = "/api/v1/terms"


@pytest.fixture
def glossary(settings: Settings, client: FlaskClient, shelf: Callable[..., Path]) -> FlaskClient:
    knowledge.seed(settings, shelf())
    return client


def test_all_terms_are_listed_in_pages(glossary: FlaskClient) -> None:
    first = glossary.get(f"{TERMS}?size=100").json
    assert (first["total"], len(first["items"])) == (465, 100)
    last = glossary.get(f"{TERMS}?size=100&page=5").json
    assert len(last["items"]) == 65
    assert glossary.get(f"{TERMS}?page=6&size=100").json["items"] == []


def test_terms_are_filtered_by_industry_and_category(glossary: FlaskClient) -> None:
    items = glossary.get(f"{TERMS}?industry=dyeing&category=dyeing&size=100").json["items"]
    assert "stenter" in {each["id"] for each in items}
    assert {each["category"] for each in items} == {"dyeing"}
    assert glossary.get(f"{TERMS}?industry=steel").status_code == 422


@pytest.mark.parametrize("name", ["stenter", "定型机"])
def test_a_term_is_read_by_id_or_head_word(glossary: FlaskClient, name: str) -> None:
    body = glossary.get(f"{TERMS}/{name}").json
    assert (body["id"], body["zh"], body["en"]) == ("stenter", "定型机", "stenter")
    assert "定形机" in body["variants"]


def test_a_term_names_what_it_must_not_be_confused_with(glossary: FlaskClient) -> None:
    body = glossary.get(f"{TERMS}/autonomous-mobile-robot").json
    assert all(each["term"] and each["why"] for each in body["not_the_same"])
    listed = [glossary.get(f"{TERMS}/{each}").json["not_the_same"] for each in ("stenter", "automated-guided-vehicle")]
    assert any(listed)


@pytest.mark.parametrize("strange", ["nowhere", "%00", "a%00", "%ff", "x" * 3000])
@pytest.mark.parametrize("path", [TERMS, "/api/v1/articles"])
def test_an_unknown_or_strange_id_is_only_not_found(client: FlaskClient, path: str, strange: str) -> None:
    assert client.get(f"{path}/{strange}").status_code == 404
