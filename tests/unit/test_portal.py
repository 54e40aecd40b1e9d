"""The portal's words and pictures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.portal.pages import pictures
from services.portal.pages.search import marked
from services.portal.words import FOLDER, catalogue, word

TEMPLATES = Path(__file__).parents[2] / "services" / "portal" / "templates"


def test_every_word_stands_in_both_languages() -> None:
    assert set(catalogue("zh")) == set(catalogue("en"))
    assert {path.stem for path in FOLDER.glob("*.yaml")} == {"zh", "en"}


def test_every_word_that_a_page_asks_for_is_there() -> None:
    known = catalogue("zh")
    asked = {
        key
        for path in TEMPLATES.glob("*.html")
        for key in re.findall(r"\bt\('([a-z_.]+)'[,)]", path.read_text(encoding="utf-8"))
    }
    assert asked and asked <= set(known), asked - set(known)


def test_no_page_holds_words_of_its_own() -> None:
    for path in TEMPLATES.glob("*.html"):
        text = re.sub(r"{#.*?#}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        text = re.sub(r"{[{%].*?[}%]}", "", text, flags=re.DOTALL)
        found = re.findall(r"[一-鿿]+", text)
        # The name of the platform is the same in every language.
        assert set(found) <= {"智改"}, (path.name, found)


def test_the_voice_keeps_its_promises() -> None:
    words = " ".join(catalogue("zh").values())
    for banned in ("赋能", "闭环", "抓手", "！", "!"):
        assert banned not in words


def test_a_missing_word_shows_its_key() -> None:
    assert word("zh", "no.such.word") == "[no.such.word]"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (987.422677, "987.4"), (0.04875, "0.0488"), (1234567.8, "1,234,568"), (43.1, "43.1"), (None, "")],
)
def test_figures_are_short_and_grouped(value: object, text: str) -> None:
    assert pictures.shown(value) == text


def test_a_band_holds_value_interval_and_the_simple_rule_in_order() -> None:
    picture = pictures.band({"value": 10.0, "interval": {"low": 8.0, "high": 13.0}, "naive": 7.0}, "zh")
    assert picture is not None
    assert picture["naive"] < picture["low"] < picture["value"] < picture["high"]
    assert pictures.band({"value": "Bumps"}, "zh") is None


def test_the_parts_of_an_amount_fill_their_bar() -> None:
    picture = pictures.stack(
        [{"rule": "a", "amount": "2000000.00"}, {"rule": "b", "amount": "1000000.00"}], 15_000_000.0
    )
    first, second = picture["bars"]
    assert first["width"] == pytest.approx(2 * second["width"], abs=0.2)
    assert second["x"] == pytest.approx(first["width"], abs=0.2)
    assert picture["cap"] > second["x"] + second["width"]


def test_marks_survive_and_everything_else_is_escaped() -> None:
    assert str(marked("&lt;script&gt;<mark>机</mark><script>")) == "&lt;script&gt;<mark>机</mark>&lt;script&gt;"
