"""The text of a key."""

from __future__ import annotations

import hashlib
import string

import pytest

from services.gateway import api_key


def test_a_key_has_the_promised_form_and_only_its_hash_is_to_be_stored() -> None:
    made = api_key.new_key()
    assert len(made.text) == len("zg_live_") + 8 + 32 + 6
    assert made.text.startswith(f"zg_live_{made.key_id}")
    assert set(made.text[8:]) <= set(string.ascii_letters + string.digits)
    assert made.digest == hashlib.sha256(made.text.encode()).hexdigest()
    assert api_key.id_of(made.text) == made.key_id


def test_no_two_keys_are_alike() -> None:
    assert len({api_key.new_key().text for _ in range(500)}) == 500


@pytest.mark.parametrize("place", [8, 15, 16, 47, 48, 53])
def test_one_wrong_character_is_noticed_without_a_database(place: int) -> None:
    text = api_key.new_key().text
    other = "A" if text[place] != "A" else "B"
    assert api_key.id_of(text[:place] + other + text[place + 1 :]) is None


@pytest.mark.parametrize(
    "text", ["", "zg_live_", "zg_test_" + "a" * 46, "zg_live_" + "é" * 46, "zg_live_" + "-" * 46, "x" * 10_000]
)
def test_other_text_is_no_key(text: str) -> None:
    assert api_key.id_of(text) is None
